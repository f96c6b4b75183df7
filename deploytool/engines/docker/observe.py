"""What of a project runs: one list, then everything else at once."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from deploytool.engines.docker import memory_kills
from deploytool.engines.docker.client import Client, segment
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.stack import labels, routes
from deploytool.stack.model import Pairs, Resources, Stack

WORKERS = 8
"""Threads for inspecting: the engine answers in about a millisecond, more would wait for the interpreter."""


def observe(client: Client, stack: Stack) -> Observed:
    """Containers, networks, volumes, images and routes of one project."""
    mine = {"label": [f"{labels.PROJECT}={stack.project}"]}
    client.session  # noqa: B018 - connect (and fail) here rather than in a thread
    with ThreadPoolExecutor(WORKERS) as pool:
        listed = pool.submit(client.get, "/containers/json", all=True, filters=mine)
        networks = pool.submit(client.get, "/networks", filters=mine)
        volumes = pool.submit(client.get, "/volumes", filters=mine)
        images = pool.submit(client.get, "/images/json")
        entries = listed.result()
        proxy = _proxy(entries, stack)
        folder = posixpath.dirname(stack.routes_path)
        routed = pool.submit(read_files, client, proxy, folder) if proxy else None
        containers = pool.map(client.inspect, [entry["Id"] for entry in entries])
        network_names = _present(client, networks.result(), stack.networks, "/networks/")
        volume_names = _present(client, volumes.result()["Volumes"] or [], stack.volumes, "/volumes/")
        return Observed(
            # A container may go between the list and the look at it.
            containers=tuple(
                sorted(
                    (
                        container(c, oom_killed=memory_kills.killed(client, c))
                        for c in containers
                        if c and c["State"]["Status"] != "removing"
                    ),
                    key=lambda c: c.name,
                )
            ),
            networks=network_names,
            volumes=volume_names,
            images=_images(images.result(), stack),
            routes=routes.current(routed.result()) if routed else None,
        )


def container(inspected: Mapping[str, Any], *, oom_killed: bool) -> ObservedContainer:
    """One container from the engine's own description."""
    config, state, host = inspected["Config"], inspected["State"], inspected["HostConfig"]
    mark = config.get("Labels") or {}
    attached = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return ObservedContainer(
        id=inspected["Id"],
        name=inspected["Name"].removeprefix("/"),
        service=mark.get(labels.SERVICE, ""),
        number=_whole(mark.get(labels.NUMBER)),
        image=config["Image"],
        image_id=inspected["Image"],
        state=state["Status"],
        health=_health(state),
        one_off=mark.get(labels.ONE_OFF, "").lower() == "true",
        exit_code=state.get("ExitCode", 0),
        oom_killed=oom_killed,
        restarts=inspected.get("RestartCount", 0),
        created_at=seconds(inspected.get("Created", "")),
        started_at=seconds(state.get("StartedAt", "")),
        finished_at=seconds(state.get("FinishedAt", "")),
        fingerprint=mark.get(labels.FINGERPRINT, ""),
        configuration=mark.get(labels.CONFIGURATION, ""),
        release=_whole(mark.get(labels.RELEASE)),
        secrets_version=mark.get(labels.SECRETS_VERSION, ""),
        limits=limits(host),
        networks=tuple(sorted(attached)),
        ports=_ports(inspected),
    )


def limits(host: Mapping[str, Any]) -> Resources:
    """The limits in force, from a container's HostConfig."""
    cpus = host.get("NanoCpus") or 0
    if not cpus and (host.get("CpuQuota") or 0) > 0:
        cpus = host["CpuQuota"] * 1_000_000_000 // (host.get("CpuPeriod") or 100_000)
    return Resources(cpus=cpus, memory=host.get("Memory") or 0, pids=max(host.get("PidsLimit") or 0, 0))


def seconds(text: str) -> float:
    """Seconds since the epoch of the engine's timestamps; 0 for "never" (the year 1)."""
    if not text or text.startswith("0001-"):
        return 0.0
    main, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.fromisoformat(main).replace(tzinfo=UTC).timestamp()
    return moment + (float(f"0.{fraction}") if fraction.isdigit() else 0.0)


def read_files(client: Client, container_id: str, folder: str) -> dict[str, bytes]:
    """The small files of a folder of a container, running or not, by name; empty when it is not there."""
    answer = client.call(
        "GET", f"/containers/{segment(container_id)}/archive", parameters={"path": folder}, expect=(404,)
    )
    if answer.status_code == 404:
        return {}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream:
                found[posixpath.basename(member.name)] = stream.read()
    return found


def _proxy(entries: Iterable[Mapping[str, Any]], stack: Stack) -> str:
    """Id of the proxy's container, a running one first; "" when there is none."""
    if not (stack.proxy_service and stack.routes_path):
        return ""
    found = [entry for entry in entries if entry["Labels"].get(labels.SERVICE) == stack.proxy_service]
    found.sort(key=lambda entry: (entry["State"] != "running", -entry["Created"]))
    return str(found[0]["Id"]) if found else ""


def _present(
    client: Client, listed: list[dict[str, Any]], wanted: Iterable[Any], path: str
) -> tuple[str, ...]:
    """Names that carry the project's label, and those the stack names that exist without it."""
    names = {entry["Name"] for entry in listed}
    names |= {e.name for e in wanted if e.name not in names and client.find(path + segment(e.name))}
    return tuple(sorted(names))


def _images(listed: list[dict[str, Any]], stack: Stack) -> Pairs:
    """Every tag and digest; and the stack's references as they are written, when the engine knows them so."""
    found: dict[str, str] = {}
    for image in listed:
        for reference in (image.get("RepoTags") or []) + (image.get("RepoDigests") or []):
            if not reference.startswith("<none>"):
                found[reference] = image["Id"]
    for service in stack.services:
        if service.image not in found:
            for spelling in spellings(service.image):
                if spelling in found:
                    found[service.image] = found[spelling]
    return tuple(sorted(found.items()))


def spellings(reference: str) -> list[str]:
    """How the engine may list a reference: without Docker Hub's prefix, with `:latest`, by digest alone."""
    name = reference
    for prefix in ("docker.io/library/", "docker.io/", "library/"):
        name = name.removeprefix(prefix)
    before, at, digest = name.partition("@")
    last = before.rsplit("/", 1)[-1]
    if at:
        return [name, f"{before[: len(before) - len(last)]}{last.partition(':')[0]}@{digest}"]
    return [name if ":" in last else f"{name}:latest"]


def _health(state: Mapping[str, Any]) -> str:
    status = str((state.get("Health") or {}).get("Status", ""))
    return "" if status == "none" else status


def _ports(inspected: Mapping[str, Any]) -> tuple[tuple[str, int, int, str], ...]:
    """Published ports; those asked for while the container does not run."""
    settings = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    bound = {port: entries for port, entries in settings.items() if entries}
    wanted = bound or inspected["HostConfig"].get("PortBindings") or {}
    found = set()
    for port, entries in wanted.items():
        target, _, protocol = port.partition("/")
        for entry in entries or []:
            found.add(
                (entry.get("HostIp", ""), _whole(entry.get("HostPort")), int(target), protocol or "tcp")
            )
    return tuple(sorted(found))


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def image_labels(client: Client, references: Sequence[str]) -> dict[str, dict[str, str]]:
    """The labels of each image that is there, by reference; one call for all."""
    wanted = set(references)
    return {
        reference: dict(image.get("Labels") or {})
        for image in client.get("/images/json")
        for reference in image.get("RepoTags") or ()
        if reference in wanted
    }
