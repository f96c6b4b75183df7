"""What the fake engine adds to the contract: failures on order, time on order, everything counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.engines import SECOND, fake_world

from deploytool.engines.fake import programs
from deploytool.errors import EngineUnreachable, NotHealthy, PortTaken, StepFailed
from deploytool.plan import operations as op
from deploytool.stack.model import Port


def test_an_operation_fails_as_often_as_asked() -> None:
    world = fake_world()
    service = world.service()
    world.make_stack(service)
    world.prepare()
    world.engine.fail(op.StartContainer, world.name(service), times=2)
    name = world.create(service)
    for _ in range(2):
        with pytest.raises(StepFailed, match="injected: StartContainer"):
            world.apply(op.StartContainer(container=name))
        assert world.seen(name).state == "created"
    world.apply(op.StartContainer(container=name))
    assert world.seen(name).running
    kinds = [type(operation).__name__ for operation in world.engine.applied]
    assert kinds.count("StartContainer") == 3


def test_a_failure_for_one_subject_leaves_others_alone() -> None:
    world = fake_world()
    services = [world.service(name=name) for name in ("one", "two")]
    world.make_stack(*services)
    world.prepare()
    world.engine.fail(op.CreateContainer, "two", NotHealthy("no"))
    world.create(services[0])
    with pytest.raises(NotHealthy, match="no"):
        world.create(services[1])


def test_calls_fail_too_and_are_counted() -> None:
    world = fake_world()
    world.engine.fail("observe", error=EngineUnreachable("gone"))
    with pytest.raises(EngineUnreachable):
        world.observe()
    world.observe()
    assert world.engine.calls["observe"] == 2


def test_readiness_takes_the_time_it_is_told_to() -> None:
    world = fake_world()
    name = world.up(world.checked("true")).name
    world.engine.healthy_after["web"] = 3.0
    began = world.engine.now
    world.await_healthy(name)
    assert 2.9 < world.engine.now - began < 3.3
    world.engine.never_healthy.add(name)
    with pytest.raises(NotHealthy):
        world.await_healthy(name, 5)


def test_time_only_passes_when_something_waits() -> None:
    world = fake_world()
    began = world.engine.now
    world.up(world.service())
    world.observe()
    assert world.engine.now == began
    world.apply(op.Pause(duration=5 * SECOND))
    assert world.engine.now == began + 5


def test_the_engines_own_health_comes_after_the_first_interval() -> None:
    world = fake_world()
    name = world.up(world.checked("true")).name
    assert world.seen(name).health == "starting"
    world.engine.pass_time(30)
    assert world.seen(name).health == "healthy"
    world.engine.never_healthy.add("web")
    assert world.seen(name).health == "unhealthy"


def test_ports_held_outside() -> None:
    world = fake_world()
    service = world.service(ports=(Port(target=80, published=8080),))
    world.make_stack(service)
    world.prepare()
    world.engine.ports_held[8080] = "nginx (process 12)"
    with pytest.raises(PortTaken, match="nginx"):
        world.start(service)


def test_a_crash_brings_the_restart_policy_into_play() -> None:
    world = fake_world()
    for policy, state in (("no", "exited"), ("unless-stopped", "running")):
        service = world.service(name=f"svc-{policy}", restart=policy)
        name = world.up(service).name
        world.engine.containers[name].crash(world.engine.now, 9, oom_killed=True)
        world.engine.pass_time(1)
        seen = world.seen(name)
        assert (seen.state, seen.oom_killed) == (state, True)
        assert seen.restarts == (1 if state == "running" else 0)


def test_a_container_stopped_by_hand_stays_down() -> None:
    world = fake_world()
    name = world.up(world.service(restart="always")).name
    world.stop(name)
    world.engine.pass_time(100)
    assert world.seen(name).state == "exited"


@pytest.mark.parametrize(
    ("script", "code", "lines"),
    [
        ("echo a; echo b >&2; exit 3", 3, ["a", "b"]),
        ("true && echo yes || echo no", 0, ["yes"]),
        ("false && echo yes || echo no", 0, ["no"]),
        ("test -e /data/x || exit 4", 4, []),
        ("sleep 0.5; false", 1, []),
        ("no-such-program", 127, []),
    ],
)
def test_the_tiny_shell(script: str, code: int, lines: list[str]) -> None:
    done = programs.run(["sh", "-c", script], lambda _: None)
    assert (done.code, [line for _, _, line in done.output]) == (code, lines)
    assert not done.endless


def test_unknown_programs_are_servers() -> None:
    assert programs.run(["uvicorn", "app"], lambda _: None).endless
    assert programs.run(["sleep", "100000"], lambda _: None).endless


def test_two_projects_share_an_engine_without_meeting() -> None:
    world = fake_world()
    world.up(world.service())
    other = replace(world.stack, project="other")
    with pytest.raises(StepFailed, match="belongs to the project"):
        world.engine.apply(op.CreateNetwork(network=world.stack.networks[0]), other, release=1)
