"""What `chatbot down` will take away, and did."""

from __future__ import annotations

from typing import Any

from deploytool.actions.down import Downed
from deploytool.plan import text
from deploytool.plan.model import Plan
from deploytool.plan.operations import RemoveContainer, RemoveNetwork, RemoveVolume
from deploytool.reporting.screen import out


def as_data(result: Downed) -> dict[str, Any]:
    """What was taken away."""
    return {"changed": result.changed, "volumes": result.volumes, "plan": text.as_data(result.plan)}


def consequences(plan: Plan, *, volumes: bool) -> tuple[str, ...]:
    """What goes, in sentences."""
    containers = [o.container for o in plan.operations if isinstance(o, RemoveContainer)]
    networks = [o.name for o in plan.operations if isinstance(o, RemoveNetwork)]
    gone = [o.name for o in plan.operations if isinstance(o, RemoveVolume)]
    found = []
    if containers:
        found.append(f"containers: {', '.join(containers)}")
    if networks:
        found.append(f"networks: {', '.join(networks)}")
    if gone:
        found.append(f"volumes with their data: {', '.join(gone)}")
    if volumes:
        found.append("the release history")
    return tuple(found)


def show_plan(plan: Plan, environment: str, *, volumes: bool) -> None:
    """Before it happens."""
    screen = out()
    screen.line(f"taking {environment} down removes")
    for sentence in consequences(plan, volumes=volumes):
        screen.lines(screen.wrap(sentence, "  - ", "    "))


def show(result: Downed, environment: str) -> None:
    """After it happened."""
    screen = out()
    mark = screen.style("✔", "green", "bold")
    if not result.changed:
        screen.line(f"{mark} nothing to do: {environment} does not run")
        return
    rest = "its data went with it" if result.volumes else "its data stays"
    screen.line(f"{mark} {environment} is down, {rest}")
    screen.line(f"  back up again: {screen.style(f'chatbot deploy {environment}', 'cyan')}")
