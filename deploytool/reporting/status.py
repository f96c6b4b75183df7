"""`chatbot status`: a headline, a table of services, volumes and images, and what is not as it should be."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from deploytool.actions.status import ContainerStatus, ServiceStatus, Status
from deploytool.reporting import deployed, documents
from deploytool.reporting.screen import Screen, out, visible
from deploytool.reporting.status_data import as_data
from deploytool.reporting.tables import Column, table
from deploytool.stack import words

if TYPE_CHECKING:
    from rich.console import RenderableType

NEAR_LIMIT = 0.9
"""Share of the memory limit from which a replica is named: the kernel kills it at 1.0."""


def show(status: Status) -> None:
    """Once."""
    screen = out()
    screen.lines(lines(status, screen))


def watch(
    look: Callable[[], Status], interval: float, *, json: bool, envelope: Callable[[object], object]
) -> None:
    """Again and again until Ctrl-C: in place on a terminal, one after the other elsewhere."""
    screen = out()
    try:
        if json:
            while True:
                documents.write(envelope(as_data(look())), compact=True)
                time.sleep(interval)
        elif not screen.is_terminal:
            while True:
                screen.lines([*lines(look(), screen), ""])
                time.sleep(interval)
        else:
            _in_place(look, interval)
    except KeyboardInterrupt:
        return


def _in_place(look: Callable[[], Status], interval: float) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def picture() -> RenderableType:
        screen = out()
        shown = [*lines(look(), screen), "", screen.style(f"every {interval:g} s, Ctrl-C ends", "dim")]
        return Text.from_ansi(screen.fit("\n".join(shown)), no_wrap=True)

    live = Live(picture(), console=Console(), screen=True, auto_refresh=False)
    try:
        # Not a `with`: Ctrl-C may come while it starts, and the screen must be given back then too.
        live.start(refresh=True)
        while True:
            time.sleep(interval)
            live.update(picture(), refresh=True)
    finally:
        live.stop()


def lines(status: Status, screen: Screen, now: float | None = None) -> list[str]:
    """The whole screen."""
    moment = time.time() if now is None else now
    found = [headline(status, screen, moment), ""]
    if not any(service.containers for service in status.services):
        command = screen.style(f"chatbot deploy {status.environment}", "cyan")
        found += [f"  nothing runs here; start it with  {command}"]
        return found + _volumes(status, screen) + _notices(status, screen, moment)
    found += _services(status, screen, moment)
    found += _volumes(status, screen)
    found += _images(status, screen)
    if status.urls:
        found += ["", *deployed.addresses(status.urls, screen)]
    return found + _notices(status, screen, moment)


def headline(status: Status, screen: Screen, now: float) -> str:
    """Environment, release, since when, and the two things one wants to know."""
    parts = [screen.style(status.environment, "bold")]
    if status.release:
        parts += [f"release {status.release.number}", words.duration(max(now - status.release.at, 0))]
    else:
        parts.append("not deployed")
    if any(service.containers for service in status.services):
        parts.append(_overall(status, screen))
    if status.release:
        drifted = ", ".join(change.service for change in status.drift)
        parts.append(screen.style(f"drifted: {drifted}", "yellow") if drifted else "no drift")
    engine = status.engine
    parts.append(f"{engine.kind} {engine.version}")
    while len(parts) > 2 and visible(" · ".join(parts)) > screen.width:
        parts.pop()
    return " · ".join(parts)


def _overall(status: Status, screen: Screen) -> str:
    if status.healthy:
        return screen.style("healthy", "green")
    up = [c for service in status.services for c in service.containers if c.state == "running"]
    everything_up = all(service.running >= service.wanted for service in status.services)
    if everything_up and not any(c.health == "unhealthy" for c in up):
        return screen.style("starting", "yellow")
    return screen.style("not healthy", "red", "bold")


def _services(status: Status, screen: Screen, now: float) -> list[str]:
    services = status.services
    columns = [
        Column("service", tuple(s.service for s in services)),
        Column("up", tuple(f"{s.running}/{s.wanted}" for s in services)),
        Column("health", tuple(_health(s, screen) for s in services)),
        Column("CPU", tuple(_cpu(s) for s in services), weight=2),
        Column("memory", tuple(_memory(s) for s in services), weight=1),
        Column(
            "restarts",
            tuple(_restarts(s) for s in services),
            weight=3,
            right=True,
        ),
        Column("uptime", tuple(_uptime(s, now) for s in services), weight=4, right=True),
        Column("release", tuple(str(s.release or "") for s in services), weight=6, right=True),
        Column("net in/out", tuple(_pair(s, "network_received", "network_sent") for s in services), weight=5),
        Column("disk r/w", tuple(_pair(s, "disk_read", "disk_written") for s in services), weight=7),
        Column("processes", tuple(_processes(s) for s in services), weight=8, right=True),
    ]
    return table(columns, screen)


def _health(service: ServiceStatus, screen: Screen) -> str:
    up = [c for c in service.containers if c.state == "running"]
    if not up:
        return screen.style("✖ down", "red", "bold") if service.wanted else "○ off"
    if any(c.health == "unhealthy" for c in up):
        return screen.style("✖ unhealthy", "red", "bold")
    if any(c.health == "starting" for c in up):
        return screen.style("○ starting", "yellow")
    if service.healthy < service.wanted:
        return screen.style(f"⚠ {service.wanted - service.healthy} missing", "yellow")
    unchecked = all(c.health == "none" for c in up)
    return screen.style("● running" if unchecked else "● healthy", "green")


def _cpu(service: ServiceStatus) -> str:
    known = [c.usage.cpus for c in service.containers if c.usage.cpus is not None]
    if not known:
        return ""
    used = sum(known)
    if not service.cpu_limit:
        return f"{used:.2f} CPU"
    limit = service.cpu_limit * len(known)
    return f"{used * 1e9 / limit:.0%} of {words.cpus(limit)}".replace("%", " %")


def _memory(service: ServiceStatus) -> str:
    known = [c.usage.memory for c in service.containers if c.usage.memory is not None]
    if not known:
        return ""
    limit = service.memory_limit * len(known)
    return f"{words.size(sum(known))} of {words.size(limit)}" if limit else words.size(sum(known))


def _pair(service: ServiceStatus, first: str, second: str) -> str:
    totals = []
    for name in (first, second):
        known = [value for c in service.containers if (value := getattr(c.usage, name)) is not None]
        if not known:
            return ""
        totals.append(words.size(sum(known)))
    return " / ".join(totals)


def _processes(service: ServiceStatus) -> str:
    known = [c.usage.processes for c in service.containers if c.usage.processes is not None]
    return str(sum(known)) if known else ""


def _restarts(service: ServiceStatus) -> str:
    return str(sum(c.restarts for c in service.containers if c.state != "exited"))


def _uptime(service: ServiceStatus, now: float) -> str:
    started = [c.started_at for c in service.containers if c.state == "running" and c.started_at]
    return words.duration(max(round(now - max(started)), 0)) if started else ""


def _volumes(status: Status, screen: Screen) -> list[str]:
    columns = [
        Column("volume", tuple(v.name for v in status.volumes)),
        Column("holds", tuple(v.purpose for v in status.volumes), weight=1),
        Column(
            "size", tuple("?" if v.size is None else words.size(v.size) for v in status.volumes), right=True
        ),
    ]
    rows = table(columns, screen) if status.volumes else []
    return ["", *rows] if rows else []


def _images(status: Status, screen: Screen) -> list[str]:
    columns = [
        Column("image", tuple(image.reference for image in status.images)),
        Column("of", tuple(image.service for image in status.images), weight=1),
        Column(
            "size",
            tuple(
                "not there yet" if not i.present else "?" if i.size is None else words.size(i.size)
                for i in status.images
            ),
            right=True,
        ),
    ]
    rows = table(columns, screen) if status.images else []
    return ["", *rows] if rows else []


def _notices(status: Status, screen: Screen, now: float) -> list[str]:
    said: list[tuple[str, str]] = []
    left = {container.name for container in status.leftovers}
    for service in status.services:
        for container in service.containers:
            if container.name not in left:
                said += [("!", sentence) for sentence in _troubles(container, now)]
    for change in status.drift:
        said += [
            ("!", f"{change.service} drifted: {sentence}") for sentence in change.drift or (_changed(change),)
        ]
    for container in status.leftovers:
        since = (
            f", {words.duration(max(round(now - container.finished_at), 0))} ago"
            if container.finished_at
            else ""
        )
        said.append(
            ("·", f"left over: {container.name} ({_ended(container)}{since}); the next deploy takes it away")
        )
    if status.stand_ins:
        said.append(("·", f"base images made from packages: {deployed.without_digests(status.stand_ins)}"))
    if status.pending:
        said.append(
            ("·", f"the settings ask for something else than what runs:  chatbot plan {status.environment}")
        )
    found: list[str] = []
    for sign, sentence in said:
        wrapped = screen.wrap(sentence, f"  {sign} ", "    ")
        if sign == "!":
            wrapped[0] = f"  {screen.style('!', 'yellow', 'bold')}{wrapped[0][3:]}"
        found += wrapped
    return ["", *found] if found else []


def _changed(change: object) -> str:
    settings = [entry.setting for entry in getattr(change, "changes", ())]
    return f"{', '.join(settings)} differ from what was deployed" if settings else "not as it was deployed"


def _troubles(container: ContainerStatus, now: float) -> list[str]:
    found = []
    if container.oom_killed:
        found.append(f"{container.name}: a process went over the memory limit and was killed (out of memory)")
    if container.restarts:
        times = "once" if container.restarts == 1 else f"{container.restarts} times"
        found.append(f"{container.name} was restarted {times} after it had ended by itself")
    if container.state in ("exited", "dead", "restarting", "paused"):
        since = (
            f" {words.duration(max(round(now - container.finished_at), 0))} ago"
            if container.finished_at
            else ""
        )
        found.append(f"{container.name} {_ended(container)}{since if container.state != 'paused' else ''}")
    usage = container.usage
    if usage.memory and usage.memory_limit and usage.memory > NEAR_LIMIT * usage.memory_limit:
        found.append(
            f"{container.name} uses {usage.memory / usage.memory_limit:.0%} of its memory limit".replace(
                "%", " %"
            )
        )
    return found


def _ended(container: ContainerStatus) -> str:
    if container.state == "created":
        return "never started"
    if container.state == "restarting":
        return f"keeps ending (code {container.exit_code}) and is started again"
    if container.state == "paused":
        return "is paused"
    reason = {137: ", killed", 143: ", terminated"}.get(container.exit_code, "")
    return f"ended with code {container.exit_code}{', out of memory' if container.oom_killed else reason}"


__all__ = ["as_data", "headline", "lines", "show", "watch"]
