"""A plan, for people and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.actions.plan import Planned
from deploytool.engines.protocol import EngineDescription
from deploytool.plan import text
from deploytool.plan.model import ServiceChange
from deploytool.plan.operations import RunRelease
from deploytool.reporting.consequences import consequences
from deploytool.reporting.screen import Screen, out, pad, visible

_COLOURS = {"+": "green", "~": "yellow", "-": "red", "=": "dim", "!": "magenta"}


def as_data(planned: Planned, missing_secrets: Sequence[str] = ()) -> dict[str, Any]:
    """The plan with the numbers of the releases, the places of the settings, and what it interrupts."""
    data = text.as_data(planned.plan)
    for service in data["services"]:
        for change in service["changes"]:
            change["source"] = planned.sources.get(f"{service['service']}.{change['setting']}", "")
    previous = planned.previous.number if planned.previous else None
    found = consequences(planned.plan, planned.observed)
    return {
        "release": planned.release,
        "previous_release": previous,
        **data,
        "interrupts": list(found.interrupted),
        "removes": list(found.removed),
        "missing_secrets": list(missing_secrets),
    }


def show(
    planned: Planned,
    engine: EngineDescription | None = None,
    *,
    steps: bool = False,
    message: str = "",
    missing_secrets: Sequence[str] = (),
    more_follows: bool = False,
) -> None:
    """Header, service by service, count; with `steps` every operation."""
    screen = out()
    shown = lines(planned, screen, engine, steps=steps, message=message)
    if missing_secrets:
        sentence = f"before it can be deployed it needs the secrets {', '.join(missing_secrets)}"
        shown += ["", *screen.wrap(sentence, "  ! ", "    ")]
    screen.lines([*shown, ""] if more_follows else shown)


def lines(
    planned: Planned,
    screen: Screen,
    engine: EngineDescription | None = None,
    *,
    steps: bool = False,
    message: str = "",
) -> list[str]:
    """The whole plan in blocks with an empty line between them."""
    header = _header(planned, engine) + (f'   "{message}"' if message else "")
    blocks = [
        [screen.style(line, "bold") for line in screen.wrap(header, "", "  ")],
        _services(planned, screen),
        _before_and_after(planned, screen),
    ]
    if steps:
        blocks.append(
            [line for step in text.step_lines(planned.plan) for line in screen.wrap(step, "", "       ")]
        )
    blocks.append([screen.style(text.count(planned.plan), "bold")])
    found: list[str] = []
    for block in filter(None, blocks):
        found += [*([""] if found else []), *block]
    return found


def _before_and_after(planned: Planned, screen: Screen) -> list[str]:
    found: list[str] = []
    release = [o for o in planned.plan.operations if isinstance(o, RunRelease)]
    if release:
        commands = ", ".join(f"{o.service} ({' '.join(o.specification.release_command)})" for o in release)
        found += screen.wrap(f"release step: {commands}", "  ", "    ")
    if planned.plan.operations and planned.previous:
        found.append(f"  if a step fails: back to release {planned.previous.number} by itself")
    return found


def _services(planned: Planned, screen: Screen) -> list[str]:
    """Service by service, setting by setting."""
    plan = planned.plan
    interrupted = consequences(plan, planned.observed).interrupted
    found: list[str] = []
    names = max((len(change.service) for change in plan.services), default=0)
    for change in plan.services:
        sign = text.SIGNS[change.action]
        words = text.headline(change)
        if change.service in interrupted:
            words += " · service is interrupted"
        elif change.action == "replace" and change.replicas_before:
            words += " · no downtime"
        wrapped = screen.wrap(f"  {sign} {change.service:<{names}}  {words}", "", " " * (names + 6))
        wrapped[0] = f"  {screen.style(sign, _COLOURS[sign])}{wrapped[0][3:]}"
        found += [screen.style(line, "dim") for line in wrapped] if sign == "=" else wrapped
        found += _settings(change, screen, planned.sources)
        for sentence in change.drift:
            wrapped = screen.wrap(sentence, "  ! ", "    ")
            wrapped[0] = f"  {screen.style('!', _COLOURS['!'])}{wrapped[0][3:]}"
            found += wrapped
    return found


def _settings(change: ServiceChange, screen: Screen, sources: Mapping[str, str]) -> list[str]:
    rows = [
        (e.setting, _from_to(e.before, e.after), sources.get(f"{change.service}.{e.setting}", ""))
        for e in change.changes
    ]
    first = max((len(row[0]) for row in rows), default=0)
    second = max((visible(row[1]) for row in rows), default=0)
    found: list[str] = []
    for setting, values, source in rows:
        line = f"      {pad(setting, first)}  {values}"
        if source and 6 + first + 2 + second + 3 + len(source) <= screen.width:
            line = f"      {pad(setting, first)}  {pad(values, second)}   {screen.style(source, 'dim')}"
            found.append(line)
            continue
        found += screen.wrap(line, "", " " * (first + 8)) if visible(line) > screen.width else [line]
        if source:
            found.append(" " * (first + 8) + screen.style(source, "dim"))
    return found


def _from_to(before: str, after: str) -> str:
    """Both values; of two tags of one image the name stands once."""
    name, colon, _ = before.rpartition(":")
    same_image = colon and "/" in name and after.startswith(f"{name}:") and " " not in before
    return f"{before} → {after.removeprefix(f'{name}:')}" if same_image else f"{before} → {after}"


def _header(planned: Planned, engine: EngineDescription | None) -> str:
    before = f"{planned.previous.number} → " if planned.previous else ""
    header = f"release {before}{planned.release}"
    if planned.plan.empty and planned.previous:
        header = f"release {planned.previous.number}"
    if engine is not None:
        header += f"   engine {engine.kind} ({short_address(engine.address)}, {engine.version})"
    return header


def short_address(address: str) -> str:
    """An engine's address for a header."""
    return "unix socket" if address.startswith("unix://") else address
