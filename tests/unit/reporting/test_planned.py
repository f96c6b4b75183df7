"""The plan's screen: what changes, from where, and what it means for service."""

from __future__ import annotations

import io

import pytest

from deploytool.actions.plan import Planned
from deploytool.engines.protocol import EngineDescription
from deploytool.plan.model import Plan, ServiceChange, SettingChange
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import (
    CreateContainer,
    RemoveContainer,
    RemoveVolume,
    RunRelease,
    StartContainer,
    StopContainer,
)
from deploytool.releases.history import Release
from deploytool.reporting.consequences import consequences
from deploytool.reporting.planned import as_data, lines
from deploytool.reporting.screen import Screen, visible
from deploytool.stack.model import Resources, Service

BACKEND = Service(
    name="backend",
    image="chatbot/backend:4be7a2",
    limits=Resources(),
    release_command=("python", "-m", "app.migrate"),
)
ENGINE = EngineDescription(kind="docker", version="20.10.24", api_version="1.41", address="unix:///run/x")


def running(service: str, number: int) -> ObservedContainer:
    return ObservedContainer(
        id=f"{service}{number}",
        name=f"p-{service}-{number}",
        service=service,
        number=number,
        image="x",
        image_id="y",
        state="running",
    )


def start(service: str, number: int) -> tuple[CreateContainer, StartContainer]:
    name = f"p-{service}-{number}"
    return (
        CreateContainer(service=service, container=name, number=number, specification=BACKEND),
        StartContainer(service=service, container=name),
    )


def stop(service: str, number: int) -> tuple[StopContainer, RemoveContainer]:
    name = f"p-{service}-{number}"
    return (
        StopContainer(service=service, container=name, timeout=1),
        RemoveContainer(service=service, container=name),
    )


def planned(*, start_first: bool = True) -> Planned:
    change = ServiceChange(
        "backend",
        "replace",
        1,
        1,
        changes=(
            SettingChange("image", "chatbot/backend:9f31c0", "chatbot/backend:4be7a2"),
            SettingChange("limits.memory", "1 GiB", "2 GiB"),
        ),
        how="rolling, start first, 1 at a time, drain ≤ 60 s",
    )
    drifted = ServiceChange("worker", "start", 2, 2, drift=("worker 2 was stopped by hand 4 min ago",))
    replacing = (
        [*start("backend", 2), *stop("backend", 1)]
        if start_first
        else [*stop("backend", 1), *start("backend", 2)]
    )
    release = RunRelease(service="backend", specification=BACKEND, container="p-release")
    return Planned(
        plan=Plan(
            "p",
            services=(change, drifted, ServiceChange("frontend", "none", 2, 2)),
            operations=(release, *replacing),
        ),
        observed=Observed(containers=(running("backend", 1), running("worker", 1))),
        state={},
        release=15,
        previous=Release(14, 0.0, "ana", "", 1.0, {}, {}),
        secrets_key=b"",
        secrets_versions={},
        sources={"backend.limits.memory": "environments/prod.yaml:18"},
    )


def shown(found: Planned, width: int = 80, *, colour: bool = False, steps: bool = False) -> list[str]:
    screen = Screen(io.StringIO(), colour=colour, width=width, unicode=True, is_terminal=colour)
    return lines(found, screen, ENGINE, steps=steps, message="shorter prompts")


def test_a_plan() -> None:
    assert shown(planned()) == [
        'release 14 → 15   engine docker (unix socket, 20.10.24)   "shorter prompts"',
        "",
        "  ~ backend   rolling, start first, 1 at a time, drain ≤ 60 s · no downtime",
        "      image          chatbot/backend:9f31c0 → 4be7a2",
        "      limits.memory  1 GiB → 2 GiB                     environments/prod.yaml:18",
        "  ~ worker    start what is stopped",
        "  ! worker 2 was stopped by hand 4 min ago",
        "  = frontend  unchanged (2 replicas)",
        "",
        "  release step: backend (python -m app.migrate)",
        "  if a step fails: back to release 14 by itself",
        "",
        "0 to create, 1 to change, 1 to repair, 0 to remove.",
    ]


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("colour", [False, True])
def test_it_fits(width: int, colour: bool) -> None:
    assert all(visible(line) <= width for line in shown(planned(), width, colour=colour, steps=True))


def test_steps_are_numbered() -> None:
    found = shown(planned(), steps=True)
    assert "  1  run python -m app.migrate in p-release" in found
    assert "  5  remove p-backend-1" in found


def test_stop_first_interrupts_and_start_first_does_not() -> None:
    first, last = planned(), planned(start_first=False)
    assert not consequences(first.plan, first.observed)
    found = consequences(last.plan, last.observed)
    assert found.interrupted == ("backend",)
    assert found.sentences == ("backend is interrupted",)
    assert "service is interrupted" in " ".join(" ".join(shown(last)).split())
    assert as_data(last)["interrupts"] == ["backend"]


def test_what_is_removed_is_said() -> None:
    plan = Plan(
        "p",
        services=(ServiceChange("worker", "remove", 1, 0),),
        operations=(*stop("worker", 1), RemoveVolume(name="p_data")),
    )
    found = consequences(plan, Observed(containers=(running("worker", 1),)))
    assert found.removed == ("service worker", "volume p_data and its data")
    assert found.interrupted == ()


def test_what_never_ran_cannot_be_interrupted() -> None:
    plan = Plan("p", services=(ServiceChange("backend", "replace", 1, 1),), operations=stop("backend", 1))
    assert not consequences(plan, Observed())
