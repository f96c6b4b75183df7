"""One container: created, started, stopped, removed. Each may be done twice."""

from __future__ import annotations

import math
import time
from typing import Any

from deploytool.engines.docker import create, observe, ports
from deploytool.engines.docker.client import Client, explanation, refusal, segment
from deploytool.errors import DiskFull, ImageMissing, StepFailed
from deploytool.stack import labels
from deploytool.stack.model import Service, Stack

_ENDED = ("exited", "dead")
_STOP_MARGIN = 30.0
"""Seconds more than the grace period that the engine may take to stop a container."""


def create_replica(
    client: Client,
    stack: Stack,
    service: Service,
    *,
    name: str,
    number: int,
    release: int,
    secrets_version: str,
) -> None:
    """Create one replica; the same one that exists already is kept."""
    body = create.container_body(
        stack, service, name=name, number=number, release=release, secrets_version=secrets_version
    )
    _create(client, stack, service, name, body, one_off=False)


def create_release(
    client: Client, stack: Stack, service: Service, *, name: str, release: int, secrets_version: str
) -> None:
    """Create the release step's container; one that an earlier release step left behind goes first."""
    left = client.inspect(name)
    if left is not None and _is_ours(left, stack) and left["State"]["Status"] in ("created", *_ENDED):
        remove(client, name)
    body = create.release_body(stack, service, name=name, release=release, secrets_version=secrets_version)
    _create(client, stack, service, name, body, one_off=True)


def start(client: Client, name: str) -> None:
    """Start a created, stopped or paused container. Raises PortTaken, StepFailed."""
    answer = client.call("POST", f"/containers/{segment(name)}/start", expect=(400, 404, 409, 500))
    if answer.status_code < 400:
        return
    words = explanation(answer)
    inspected = client.inspect(name)
    if inspected is None:
        raise StepFailed(f"cannot start {name}: there is no such container")
    if inspected["State"].get("Paused"):
        client.call("POST", f"/containers/{segment(name)}/unpause", expect=(409,))
        return
    error = refusal(words)
    if isinstance(error, DiskFull):
        raise error
    taken = ports.port_taken(client, inspected, words)
    if taken:
        raise taken
    raise StepFailed(f"{name} could not be started", hint=f"docker inspect {name}", details=(words,))


def stop(client: Client, name: str, timeout: float) -> None:
    """Stop with the container's stop signal, kill after `timeout` seconds; gone or stopped is fine."""
    answer = client.call(
        "POST",
        f"/containers/{segment(name)}/stop",
        parameters={"t": math.ceil(timeout)},
        timeout=timeout + _STOP_MARGIN,
        expect=(404, 409, 500),
    )
    if answer.status_code >= 409:
        raise StepFailed(f"{name} could not be stopped", details=(explanation(answer),))


def remove(client: Client, name: str) -> None:
    """Remove a container that does not run; its volumes stay. Gone already is fine."""
    for pause in (0.05, 0.2, 0.5, 1.0, 2.0, 4.0):
        answer = client.call("DELETE", f"/containers/{segment(name)}", expect=(404, 409))
        if answer.status_code < 400 or answer.status_code == 404:
            return
        inspected = client.inspect(name)
        if inspected is None:
            return
        if inspected["State"]["Running"]:
            raise StepFailed(f"{name} still runs, so it is not removed", details=(explanation(answer),))
        time.sleep(pause)  # somebody else's removal is under way
    raise StepFailed(f"{name} could not be removed", details=(explanation(answer),))


def update_limits(client: Client, name: str, service: Service) -> None:
    """Put the service's limits back on a container. Raises StepFailed when one would have to go."""
    inspected = client.inspect(name)
    if inspected is None:
        raise StepFailed(f"cannot update {name}: there is no such container")
    wanted, now = service.limits, observe.limits(inspected["HostConfig"])
    if (now.cpus and not wanted.cpus) or (now.memory and not wanted.memory):
        raise StepFailed(f"the engine cannot lift a limit of {name} while the container exists")
    body: dict[str, Any] = create.limits_body(service)
    if not wanted.pids:
        body["PidsLimit"] = -1
    if wanted.memory and wanted.memory != now.memory:
        # The engine's default at creation, and it must never be below Memory.
        body["MemorySwap"] = 2 * wanted.memory
    if (inspected["HostConfig"].get("CpuQuota") or 0) > 0 and wanted.cpus:
        # Set by `docker update --cpu-quota`; the engine refuses both kinds at once, so speak its kind.
        del body["NanoCpus"]
        body["CpuPeriod"] = 100_000
        body["CpuQuota"] = wanted.cpus // 10_000
    answer = client.call(
        "POST", f"/containers/{segment(name)}/update", body=body, expect=(400, 404, 409, 500)
    )
    if answer.status_code >= 400:
        raise StepFailed(f"the limits of {name} could not be changed", details=(explanation(answer),))


def _create(
    client: Client, stack: Stack, service: Service, name: str, body: dict[str, Any], *, one_off: bool
) -> None:
    for volume in create.volume_names(stack, service):
        # The engine would create it silently, without labels: then nobody's, and outside of every backup.
        if client.find(f"/volumes/{segment(volume)}") is None:
            raise StepFailed(f"cannot create {name}: volume {volume} does not exist")
    for _ in range(3):
        answer = client.call(
            "POST", "/containers/create", parameters={"name": name}, body=body, expect=(400, 404, 409)
        )
        if answer.status_code == 409:
            if _settle_conflict(client, stack, service, name, body):
                return
            continue
        words = explanation(answer) if answer.status_code >= 400 else ""
        if answer.status_code == 404 and client.find(f"/images/{segment(service.image)}/json") is None:
            raise ImageMissing(f"image {service.image} is not on the engine", details=(words,))
        if answer.status_code >= 400:
            raise StepFailed(f"{name} could not be created", details=(words,))
        identity = str(answer.json()["Id"])
        try:
            _connect(client, stack, service, name, identity, one_off=one_off)
        except BaseException:
            client.call("DELETE", f"/containers/{identity}", parameters={"force": True}, expect=(404, 409))
            raise
        return
    raise StepFailed(f"{name} could not be created: the name is taken again and again")


def _connect(
    client: Client, stack: Stack, service: Service, name: str, identity: str, *, one_off: bool
) -> None:
    first = create.network_names(stack, service)[:1]
    for network in first:
        # With an unknown network an engine creates the container all the same and fails at its start.
        if client.find(f"/networks/{segment(network)}") is None:
            raise StepFailed(f"cannot create {name}: network {network} does not exist")
    for entry in create.further_networks(stack, service, name, one_off=one_off):
        network = entry["Network"]
        answer = client.call(
            "POST",
            f"/networks/{segment(network)}/connect",
            body={"Container": identity, "EndpointConfig": entry["EndpointConfig"]},
            expect=(400, 403, 404),
        )
        if answer.status_code >= 400:
            raise StepFailed(f"{name} cannot join network {network}", details=(explanation(answer),))


def _settle_conflict(client: Client, stack: Stack, service: Service, name: str, body: dict[str, Any]) -> bool:
    """True when the container of that name is the one that is wanted; False when the way is clear now.

    A container that ended is never taken over: what it left (a crash, an old release) is not what was asked.
    """
    present = client.inspect(name)
    if present is None:
        return False
    state = present["State"]["Status"]
    if not _is_ours(present, stack):
        raise StepFailed(
            f"the name {name} is taken by a container that is not part of this project",
            hint=f"docker inspect {name}; rename or remove it",
        )
    image = client.find(f"/images/{segment(service.image)}/json") or {}
    marks, wanted = present["Config"].get("Labels") or {}, body["Labels"]
    same = image.get("Id") == present["Image"] and all(
        marks.get(label, "") == wanted[label]
        for label in (labels.SERVICE, labels.ONE_OFF, labels.FINGERPRINT, labels.SECRETS_VERSION)
    )
    if same and state not in _ENDED:
        return True
    if state in ("created", *_ENDED):
        remove(client, name)
        return False
    raise StepFailed(
        f"the name {name} is taken by a container of this project that runs with other settings",
        hint="chatbot plan shows what is there",
    )


def _is_ours(inspected: dict[str, Any], stack: Stack) -> bool:
    found = (inspected["Config"].get("Labels") or {}).get(labels.PROJECT)
    return bool(found == stack.project)
