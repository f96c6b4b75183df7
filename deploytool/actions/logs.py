"""`chatbot logs` and `chatbot exec`: looking at and into containers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from deploytool.actions.powers import require
from deploytool.actions.prepare import Prepared
from deploytool.engines.protocol import Engine, LogLine, RunsCommands, StreamsLogs
from deploytool.errors import ServiceUnknown
from deploytool.plan.observed import Observed, ObservedContainer


def logs(
    prepared: Prepared,
    engine: Engine,
    services: Sequence[str],
    *,
    follow: bool = False,
    since: float | None = None,
    tail: int | None = None,
    release: int | None = None,
) -> Iterator[LogLine]:
    """Lines of the named services (all without names), interleaved by time.

    `since` is seconds since the epoch; `release` limits them to containers of that release. Raises
    ServiceUnknown naming the nearest service.
    """
    observed = engine.observe(prepared.stack)
    known = _known(prepared, observed)
    for name in services:
        if name not in known:
            raise _unknown(name, known)
    chosen = [
        container
        for container in observed.containers
        if (not services or container.service in services)
        and (release is None or container.release == release)
    ]
    return require(engine, StreamsLogs, "show logs").logs(chosen, follow=follow, since=since, tail=tail)


def replica(prepared: Prepared, engine: Engine, service: str, number: int | None = None) -> ObservedContainer:
    """A running replica of a service: the one with that number, else the first. Raises ServiceUnknown."""
    observed = engine.observe(prepared.stack)
    known = _known(prepared, observed)
    if service not in known:
        raise _unknown(service, known)
    running = [c for c in observed.of_service(service) if c.running and number in (None, c.number)]
    if not running:
        raise ServiceUnknown(
            f"no running replica{f' {number}' if number else ''} of {service}",
            hint=f"chatbot status {prepared.facts.environment}",
        )
    return running[0]


def execute(
    prepared: Prepared, engine: Engine, service: str, command: Sequence[str], *, tty: bool, number: int | None
) -> int:
    """Run a command in a replica with this process's terminal; its exit code."""
    container = replica(prepared, engine, service, number)
    return require(engine, RunsCommands, "run commands").execute_interactively(container, command, tty=tty)


def execute_captured(
    prepared: Prepared, engine: Engine, service: str, command: Sequence[str], *, number: int | None
) -> tuple[int, bytes]:
    """The same with the output captured, for --json."""
    container = replica(prepared, engine, service, number)
    return require(engine, RunsCommands, "run commands").execute(container, command)


def _known(prepared: Prepared, observed: Observed) -> list[str]:
    return sorted({s.name for s in prepared.stack.services} | {c.service for c in observed.containers})


def _unknown(name: str, known: Sequence[str]) -> ServiceUnknown:
    near = difflib.get_close_matches(name, known, 1)
    return ServiceUnknown(
        f"there is no service `{name}`",
        hint=f"did you mean `{near[0]}`?" if near else f"services: {', '.join(known)}",
    )
