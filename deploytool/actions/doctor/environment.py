"""Checks of one environment: its settings, its secrets, its ports, what earlier deploys have left."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.actions.prepare import Prepared, require_secrets
from deploytool.engines.protocol import LockHolder
from deploytool.errors import SecretMissing
from deploytool.plan.observed import Observed
from deploytool.secrets import files as secret_files
from deploytool.stack.model import Stack

STALE_LOCK = 3600.0
"""Seconds after which a lock is more likely forgotten than held: no deploy takes an hour."""


def settings(prepared: Prepared) -> Finding:
    """Settings, templates and bundle are valid; getting here means they are."""
    services = ", ".join(service.name for service in prepared.stack.services)
    return passed(f"{prepared.facts.environment}: {services}")


def secrets(prepared: Prepared) -> Finding:
    """Every secret that a service needs has a value."""
    try:
        require_secrets(prepared)
    except SecretMissing as error:
        if prepared.facts.environment == "local":
            return passed(f"{error.message}: made up by the first deploy")
        return failed(error.message, error.hint)
    count = len(prepared.facts.secret_names)
    return passed(f"{count} needed, {count} given" if count else "none needed")


def secret_permissions(project_dir: Path) -> Finding:
    """No environment's secrets file can be read by others."""
    found = sorted((project_dir / "environments").glob("*.env.docker"))
    found = [path for path in found if path.name != "example.env.docker"]
    if not found:
        return passed("no secrets files yet")
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            return failed(
                f"environments/{path.name} is open to others (mode {mode:04o})",
                f"chmod 600 environments/{path.name}",
            )
        secret_files.names(path.name.removesuffix(".env.docker"), project_dir)
    return passed(f"{', '.join(path.name for path in found)}: readable by their owner only")


def ports(stack: Stack, observed: Observed | None, held_by: Callable[[str, int, str], str]) -> Finding:
    """Every port that the environment publishes is free, or held by this very stack."""
    wanted = [
        (port.host_ip, port.published, port.protocol)
        for service in stack.services
        for port in service.ports
        if port.published
    ]
    if not wanted:
        return passed("none published")
    own = {port[1] for c in (observed.containers if observed else ()) if c.running for port in c.ports}
    taken = [
        f"{port} by {holder}"
        for address, port, protocol in wanted
        if port not in own and (holder := held_by(address, port, protocol))
    ]
    if taken:
        return failed(
            f"held: {', '.join(taken)}",
            f"stop it, or publish other ports (proxy.entry_points in environments/{stack.environment}.yaml)",
        )
    shown = ", ".join(str(port) for _, port, _ in wanted)
    return passed(f"{shown}: {'served by this stack' if own & {p for _, p, _ in wanted} else 'free'}")


def leftovers(stack: Stack, observed: Observed) -> Finding:
    """Stopped containers of failed or interrupted deploys; they hold disk, not service."""
    names = [
        container.name
        for container in observed.containers
        if container.state in ("exited", "dead", "created") and not container.one_off
    ]
    if names:
        return warned(
            f"{len(names)} stopped: {', '.join(sorted(names)[:4])}{', …' if len(names) > 4 else ''}",
            f"chatbot logs {stack.environment}  says why; the next deploy clears them",
        )
    return passed("none")


def lock(stack: Stack, holder: LockHolder | None, *, now: float | None = None) -> Finding:
    """Whether somebody deploys now, or a lock was forgotten. `now` in epoch seconds."""
    if holder is None:
        return passed("free")
    age = (time.time() if now is None else now) - holder.since
    value = f"held by {holder.who} for {holder.purpose}, since {age / 60:.0f} min"
    if age > STALE_LOCK:
        return warned(
            value, f"when nobody deploys: docker rm of the container that holds it ({stack.project})"
        )
    return warned(value, "wait for it to end")


def unsupported(sentences: Sequence[str]) -> Finding:
    """Whether the engine can honour everything that the stack asks for."""
    if sentences:
        return failed(" · ".join(sentences), "change the settings named, or take another engine")
    return passed("everything")


def not_known(reason: str) -> Finding:
    """The check needs something that is not there."""
    return skipped(reason)
