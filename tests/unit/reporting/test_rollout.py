"""Rows of a plan that is carried out, and of builds that go on."""

from __future__ import annotations

import io
from typing import Any

from deploytool.images.progress import ImageBuilt, StepFinished, StepLog, StepStarted
from deploytool.plan import operations as steps
from deploytool.plan.model import Plan
from deploytool.reporting.builds import Builds, what
from deploytool.reporting.progress import Lines
from deploytool.reporting.rollout import Rollout
from deploytool.reporting.screen import Screen
from deploytool.stack.model import Network, Resources, Service, Volume

SECOND = 1_000_000_000


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def screen(width: int = 80) -> Screen:
    return Screen(io.StringIO(), colour=False, width=width, unicode=True, is_terminal=False)


def service(name: str) -> Service:
    return Service(name=name, image=f"{name}:1", limits=Resources())


def replace(number: int, old: int) -> list[Any]:
    """A rolling replacement of one replica of the backend."""
    new, before = f"p-backend-{number}", f"p-backend-{old}"
    backend = service("backend")
    return [
        steps.CreateContainer(service="backend", container=new, number=number, specification=backend),
        steps.StartContainer(service="backend", container=new),
        steps.AwaitHealthy(service="backend", container=new, timeout=60 * SECOND),
        steps.WriteRoutes(service="proxy", upstreams=(("backend", new),)),
        steps.Drain(service="backend", container=before, timeout=60 * SECOND),
        steps.StopContainer(service="backend", container=before, timeout=60 * SECOND),
        steps.RemoveContainer(service="backend", container=before),
    ]


def carry_out(rollout: Rollout, operations: list[Any], seconds: float) -> None:
    for operation in operations:
        rollout.started(operation)
        rollout.done(operation, seconds)


def test_a_rolling_replacement_is_one_row_per_replica() -> None:
    rollout = Rollout(Clock())
    plan = Plan("p", operations=(*replace(3, 1), *replace(4, 2)))
    rollout.expect(plan)
    carry_out(rollout, replace(3, 1), 1.1)
    assert rollout.lines(screen(100)) == [
        "  backend  1/2  created 1.1 s · started 1.1 s · healthy 1.1 s · traffic · drained 1.1 s ·",
        "                old one stopped 1.1 s",
    ]
    carry_out(rollout, replace(4, 2), 0.01)
    assert rollout.lines(screen(100))[2:] == [
        "  backend  2/2  started · healthy · traffic · drained · old one stopped"
    ]


def test_what_goes_on_is_said_with_its_seconds() -> None:
    clock = Clock()
    rollout = Rollout(clock)
    create, start, healthy, *_ = replace(1, 0)
    rollout.expect(Plan("p", operations=(create, start, healthy)))
    carry_out(rollout, [create, start], 0.01)
    rollout.started(healthy)
    clock.now += 3.24
    assert rollout.lines(screen()) == ["  backend  1/1  started · not healthy yet 3.2 s …"]
    rollout.said(healthy, "answers 503")
    assert rollout.lines(screen()) == ["  backend  1/1  started · answers 503 3.2 s …"]
    rollout.broke(healthy, 20.0)
    assert rollout.lines(screen()) == ["  backend  1/1  started · ✖ not healthy after 20 s"]


def test_what_comes_before_is_counted_and_migrations_have_a_row() -> None:
    rollout = Rollout(Clock())
    volume = Volume(key="data", name="p_data", purpose="data")
    carry_out(
        rollout,
        [
            steps.CreateNetwork(network=Network(key="net", name="p_net")),
            steps.CreateVolume(volume=volume),
            steps.CreateVolume(volume=volume),
            steps.WriteSecrets(service="backend", volume=volume, names=("JWT_SECRET",), version="1"),
            steps.RunRelease(service="backend", specification=service("backend"), container="p-release"),
        ],
        0.8,
    )
    assert rollout.lines(screen()) == [
        "  prepare           1 network · 2 volumes · secrets of 1 service",
        "  release  backend  done 0.8 s",
    ]


def test_taking_back_has_a_row_of_its_own() -> None:
    rollout = Rollout(Clock())
    create, start, healthy, *_ = replace(3, 1)
    carry_out(rollout, [create, start], 0.01)
    rollout.started(healthy)
    rollout.broke(healthy, 2.0)
    rollout.undo("it ended with code 1")
    stop = steps.StopContainer(service="backend", container="p-backend-3", timeout=SECOND)
    carry_out(rollout, [stop], 0.2)
    assert rollout.lines(screen()) == [
        "  backend      1/1  started · ✖ not healthy after 2 s",
        "  taking back       stop p-backend-3 0.2 s",
    ]


def test_down_has_a_row_per_container() -> None:
    rollout = Rollout(Clock())
    for name in ("backend", "proxy"):
        for kind in (steps.StopContainer, steps.RemoveContainer):
            more = {"timeout": SECOND} if kind is steps.StopContainer else {}
            carry_out(rollout, [kind(service=name, container=f"p-{name}-1", **more)], 0.01)
    carry_out(rollout, [steps.RemoveNetwork(name="p_net")], 0.01)
    assert rollout.lines(screen()) == [
        "  backend  stopped · removed",
        "  proxy    stopped · removed",
        "  remove   network removed",
    ]


def test_builds() -> None:
    clock = Clock()
    builds = Builds(clock)
    builds.see(StepStarted("backend", "i", "[internal] load build definition"))
    builds.see(StepFinished("backend", "a", "[build 1/4] FROM python", True, 0.0))
    builds.see(StepFinished("backend", "b", "[build 2/4] COPY  a \\\n  b", True, 0.0))
    builds.see(StepStarted("backend", "c", "[build 3/4] RUN   pip install"))
    builds.see(StepLog("backend", "c", ("one", "Collecting \x1b[1mfastapi")))
    clock.now += 4.1
    assert builds.lines(screen()) == [
        "  build  backend  ████████░░░░░░░░ 2/4  4.1 s   (2 cached)",
        "         RUN pip install",
        "         Collecting fastapi",
    ]
    builds.see(StepFinished("backend", "c", "[build 3/4] RUN   pip install", False, 4.0))
    builds.see(ImageBuilt("backend", "backend:1", "sha256:0", 5.0, 2, 4))
    assert builds.lines(screen()) == ["  build  backend  ████████████████ 4/4  5 s   (2 cached)"]


def test_a_failed_build_names_the_step() -> None:
    builds = Builds(Clock())
    builds.see(StepStarted("frontend", "a", "[1/2] RUN npm ci"))
    builds.see(StepFinished("frontend", "a", "[1/2] RUN npm ci", False, 1.0, "exit code: 1"))
    assert builds.lines(screen())[1] == "         ✖ RUN npm ci"


def test_a_step_of_many_words_stays_on_one_line() -> None:
    assert what("[stage-1 3/7] RUN set -eu; \\\n    apk add \x1b[31mnode") == "RUN set -eu; \\ apk add node"


def test_lines_for_a_pipe() -> None:
    shown = screen(60)
    lines = Lines(shown)
    create, _start, healthy, *_ = replace(3, 1)
    lines.expect(Plan("p"))
    lines.step_started(create)
    lines.step_done(create, 0.01)
    lines.step_words(healthy, "not yet")
    lines.step_failed(healthy, 20.0)
    lines.undo_started("it never answered")
    lines.build_event("backend", StepFinished("backend", "a", "[1/2] RUN " + "x " * 60, False, 12.3))
    lines.build_event("backend", StepFinished("backend", "b", "[2/2] RUN quick", False, 0.2))
    lines.build_event("backend", ImageBuilt("backend", "backend:1", "sha256:0", 13.0, 6, 9))
    lines.note("base image python: made from packages")
    text = shown.stream.getvalue()  # type: ignore[attr-defined]
    assert text.splitlines() == [
        "  ✔ create p-backend-3",
        "  ✖ wait until p-backend-3 is healthy, ≤ 1 min  20 s",
        "  taking back what was done: it never answered",
        "  build backend: RUN x x x x x x x x x x x x x x x x …  12 s",
        "  ✔ built backend  13 s, 6 of 9 steps cached",
        "  base image python: made from packages",
    ]


def test_a_long_sentence_of_an_engine_is_cut() -> None:
    clock = Clock()
    rollout = Rollout(clock)
    create, _, healthy, *_ = replace(1, 0)
    carry_out(rollout, [create], 0.01)
    rollout.started(healthy)
    rollout.said(healthy, "answers 503: " + "x" * 100)
    shown = rollout.lines(screen(60))
    assert max(len(entry) for entry in shown) <= 60
    assert shown[-1].endswith("…")
