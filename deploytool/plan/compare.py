"""One service: what its containers are compared with what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.plan.model import SettingChange
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.stack import words
from deploytool.stack.fingerprint import configuration_values, fingerprint
from deploytool.stack.model import Service, Stack


@dataclass(frozen=True, slots=True)
class Comparison:
    """A service's containers by what becomes of them."""

    keep: tuple[ObservedContainer, ...]
    """Right and running."""
    start: tuple[ObservedContainer, ...]
    """Right, but stopped."""
    retire: tuple[ObservedContainer, ...]
    """Running, and to be replaced or taken away."""
    clear: tuple[ObservedContainer, ...]
    """Stopped and of no use: left from an older or a failed release."""
    relimit: tuple[ObservedContainer, ...]
    """Right, but with limits that were changed behind our back; part of keep."""
    missing: int
    """How many replicas must be created."""
    drift: tuple[str, ...]
    changes: tuple[SettingChange, ...]


def compare(service: Service, stack: Stack, observed: Observed, secrets_version: str) -> Comparison:
    """Sort the containers of one service. Unhealthy and crash-looping ones are to be replaced."""
    wanted = fingerprint(service)
    image_id = observed.image_id(service.image)
    networks = {network.name for network in stack.networks if network.key in service.networks}
    keep: list[ObservedContainer] = []
    start: list[ObservedContainer] = []
    retire: list[ObservedContainer] = []
    clear: list[ObservedContainer] = []
    drift: list[str] = []
    present = observed.of_service(service.name)
    for container in present:
        same = (
            container.fingerprint == wanted
            and image_id != ""
            and container.image_id == image_id
            and container.secrets_version == secrets_version
        )
        fault = _fault(container, networks) if same else ""
        if same and not fault and container.running:
            keep.append(container)
        elif same and container.state in ("exited", "created"):
            start.append(container)
        elif container.state in ("exited", "created", "dead"):
            clear.append(container)
        else:
            retire.append(container)
        if fault:
            drift.append(f"{service.name} {container.number} {fault}")
    keep.sort(key=lambda c: c.number)
    start.sort(key=lambda c: c.number)
    surplus = keep[service.replicas :]
    keep = keep[: service.replicas]
    room = service.replicas - len(keep)
    clear += start[room:]
    start = start[:room]
    relimit = [container for container in keep if container.limits != service.limits]
    drift += [
        f"{service.name} {container.number} runs with limits changed by hand: "
        + ", ".join(f"{change.setting} {change.before}" for change in _limit_changes(container, service))
        for container in relimit
    ]
    return Comparison(
        keep=tuple(keep),
        start=tuple(start),
        retire=tuple(retire + surplus),
        clear=tuple(clear),
        relimit=tuple(relimit),
        missing=room - len(start),
        drift=tuple(drift),
        changes=tuple(_changes(service, present, image_id, secrets_version)),
    )


def _fault(container: ObservedContainer, networks: set[str]) -> str:
    if container.state == "exited":
        if container.oom_killed:
            return "was killed: out of memory"
        return f"is stopped (exit code {container.exit_code})"
    if container.state in ("restarting", "paused", "dead", "created"):
        words_of = {"restarting": "restarts again and again", "created": "was never started"}
        return words_of.get(container.state, f"is {container.state}")
    if container.health == "unhealthy":
        return "is unhealthy"
    lost = networks - set(container.networks)
    return f"was taken off the network {', '.join(sorted(lost))}" if lost else ""


def _limit_changes(container: ObservedContainer, service: Service) -> Iterator[SettingChange]:
    for name, say in (("cpus", words.cpus), ("memory", words.size), ("pids", str)):
        before, after = getattr(container.limits, name), getattr(service.limits, name)
        if before != after:
            yield SettingChange(f"limits.{name}", say(before), say(after))


def _changes(
    service: Service, present: tuple[ObservedContainer, ...], image_id: str, secrets_version: str
) -> Iterator[SettingChange]:
    """Setting by setting, the newest container of the service against what is wanted."""
    ours = [container for container in present if container.fingerprint]
    if not ours:
        if present:
            yield SettingChange("container", "made by something else", "made by chatbot")
        return
    newest = max(ours, key=lambda c: (c.release, c.running, c.number))
    if newest.image_id != image_id or not image_id:
        if newest.image == service.image:
            yield SettingChange("image", f"{newest.image} ({_short(newest.image_id)})", "built anew")
        else:
            yield SettingChange("image", newest.image, service.image)
    before: dict[str, Any] = json.loads(newest.configuration) if newest.configuration else {}
    after: dict[str, Any] = json.loads(json.dumps(configuration_values(service)))
    old, new = dict(_leaves("", before)), dict(_leaves("", after))
    for setting in sorted(old.keys() | new.keys()):
        if old.get(setting) != new.get(setting):
            yield SettingChange(setting, _say(setting, old.get(setting)), _say(setting, new.get(setting)))
    if newest.secrets_version != secrets_version:
        yield SettingChange("secrets", "as deployed", "changed")


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), entry)
    elif path in ("environment", "labels", "sysctls"):
        for key, entry in value or ():
            yield f"{path}.{key}", entry
    else:
        yield path, value


_SIZES = ("limits.memory", "reservations.memory", "shm_size")
_DURATIONS = ("stop_grace_period", "healthcheck.interval", "healthcheck.timeout", "healthcheck.start_period")


def _say(setting: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return "none"
    if setting in _SIZES:
        return words.size(value) if value else "unlimited"
    if setting in _DURATIONS:
        return words.nanoseconds(value)
    if setting.endswith(".cpus"):
        return words.cpus(value) if value else "unlimited"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(_flat(entry) for entry in value)
    return str(value)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ":".join(str(entry) for entry in value.values() if entry not in ("", False))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]
