"""A plan, for people and as data."""

from __future__ import annotations

from typing import Any

from deploytool.actions.plan import Planned
from deploytool.engines.protocol import EngineDescription
from deploytool.plan import text
from deploytool.plan.model import Plan, ServiceChange
from deploytool.plan.operations import RunRelease
from deploytool.reporting.screen import Screen, out, pad, visible

_COLOURS = {"+": "green", "~": "yellow", "-": "red", "=": "dim", "!": "magenta"}


def as_data(planned: Planned) -> dict[str, Any]:
    """The plan with the numbers of the releases and the places of the settings."""
    data = text.as_data(planned.plan)
    for service in data["services"]:
        for change in service["changes"]:
            change["source"] = planned.sources.get(f"{service['service']}.{change['setting']}", "")
    previous = planned.previous.number if planned.previous else None
    return {"release": planned.release, "previous_release": previous, **data}


def show(planned: Planned, engine: EngineDescription | None = None, *, steps: bool = False) -> None:
    """Header, service by service, count; with `steps` every operation."""
    screen = out()
    screen.lines(lines(planned, screen, engine, steps=steps))


def lines(
    planned: Planned, screen: Screen, engine: EngineDescription | None = None, *, steps: bool = False
) -> list[str]:
    """The whole plan."""
    found = [screen.style(_header(planned, engine), "bold"), ""]
    found += overview(planned.plan, screen, planned.sources)
    found.append("")
    release = [o for o in planned.plan.operations if isinstance(o, RunRelease)]
    if release:
        commands = ", ".join(f"{o.service} ({' '.join(o.specification.release_command)})" for o in release)
        found += [*screen.wrap(f"release step: {commands}", "  ", "    ")]
    if planned.plan.operations and planned.previous:
        found.append(f"  if a step fails: back to release {planned.previous.number} by itself")
    if steps:
        found += [line for step in text.step_lines(planned.plan) for line in screen.wrap(step, "", "       ")]
    if found[-1] != "":
        found.append("")
    found.append(screen.style(text.count(planned.plan), "bold"))
    return [line for i, line in enumerate(found) if line or found[i - 1 : i] != [""]]


def overview(plan: Plan, screen: Screen, sources: Any = None) -> list[str]:
    """Service by service, setting by setting."""
    found: list[str] = []
    names = max((len(change.service) for change in plan.services), default=0)
    for change in plan.services:
        sign = text.SIGNS[change.action]
        coloured = screen.style(sign, _COLOURS[sign])
        head = f"{change.service:<{names}}  {text.headline(change)}"
        found.append(f"  {coloured} {screen.style(head, 'dim') if sign == '=' else head}")
        found += _settings(change, screen, sources or {})
        for sentence in change.drift:
            wrapped = screen.wrap(sentence, "  ! ", "    ")
            wrapped[0] = f"  {screen.style('!', _COLOURS['!'])}{wrapped[0][3:]}"
            found += wrapped
    return found


def _settings(change: ServiceChange, screen: Screen, sources: Any) -> list[str]:
    rows = [
        (e.setting, f"{e.before} → {e.after}", sources.get(f"{change.service}.{e.setting}", ""))
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
