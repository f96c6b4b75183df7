"""Gates notice readiness soon, and failure at once, with the evidence."""

from __future__ import annotations

import time

import pytest
from support.engines import SECOND, World

from deploytool.engines.protocol import FileEntry
from deploytool.errors import NotHealthy, StepFailed
from deploytool.plan import operations as op
from deploytool.stack.model import Healthcheck


def test_healthy_long_before_the_first_interval(world: World) -> None:
    name = world.up(world.checked("true")).name
    began = time.monotonic()
    world.await_healthy(name)
    assert time.monotonic() - began < 5, "the interval is 30 s"
    assert any("healthy" in words for words in world.said)


def test_a_shell_check_is_run_too(world: World) -> None:
    check = Healthcheck(("CMD-SHELL", "test -e /data/ready || exit 1"))
    name = world.up(world.service(healthcheck=check)).name
    with pytest.raises(NotHealthy):
        world.await_healthy(name, 0.5)
    world.engine.write_volume(world.stack.volumes[0], [FileEntry("ready", b"")])
    world.await_healthy(name)


def test_never_healthy_says_what_the_check_and_the_program_said(world: World) -> None:
    service = world.checked(
        "sh", "-c", "echo no database; exit 1", command=("sh", "-c", "echo starting; sleep 100000")
    )
    name = world.up(service).name
    with pytest.raises(NotHealthy) as raised:
        world.await_healthy(name, 1)
    assert name in raised.value.message
    assert "1 s" in raised.value.message
    assert any("starting" in line for line in raised.value.details)
    if not world.fake:
        assert "health check: no database" in raised.value.details
    assert world.seen(name).running, "it is left for inspection"


def test_a_container_that_ends_is_noticed_at_once(world: World) -> None:
    service = world.checked("true", command=("sh", "-c", "echo cannot read the settings >&2; exit 3"))
    name = world.up(service).name
    world.until(name, lambda c: c.state == "exited")
    began = time.monotonic()
    with pytest.raises(NotHealthy, match="exit code 3") as raised:
        world.await_healthy(name, 60)
    assert time.monotonic() - began < 5
    assert "cannot read the settings" in raised.value.details


def test_a_restart_loop_is_noticed(world: World) -> None:
    service = world.checked("false", command=("sh", "-c", "echo crash; exit 1"), restart="unless-stopped")
    name = world.up(service).name
    began = time.monotonic()
    with pytest.raises(NotHealthy, match="restarts in a loop") as raised:
        world.await_healthy(name, 60)
    assert time.monotonic() - began < 20
    assert "crash" in raised.value.details


def test_without_a_check_it_must_run_for_a_second(world: World) -> None:
    world.await_healthy(world.up(world.service()).name)
    short = world.service("sh", "-c", "sleep 0.4; exit 2", name="short")
    world.make_stack(short)
    world.prepare()
    name = world.start(short)
    with pytest.raises(NotHealthy, match="exit code 2"):
        world.await_healthy(name)


def test_a_container_that_was_never_started_is_no_success(world: World) -> None:
    service = world.checked("true")
    world.make_stack(service)
    world.prepare()
    with pytest.raises(NotHealthy, match="never started"):
        world.await_healthy(world.create(service), 1)


def test_waiting_for_a_container_that_is_gone(world: World) -> None:
    with pytest.raises(StepFailed, match="nobody"):
        world.await_healthy(f"{world.project}-nobody-1", 1)


def test_out_of_memory_is_said(world: World) -> None:
    service = world.service("tail", "/dev/zero")
    name = world.up(service).name
    world.until(name, lambda c: c.state == "exited")
    killed = world.seen(name)
    assert killed.oom_killed
    assert killed.exit_code == 137
    with pytest.raises(NotHealthy, match="memory"):
        world.await_healthy(name)


def test_completed(world: World) -> None:
    name = world.up(world.service("sh", "-c", "sleep 0.3; exit 0", name="good")).name
    world.apply(op.AwaitCompleted(container=name, timeout=20 * SECOND))
    bad = world.service("sh", "-c", "echo broken; exit 4", name="bad")
    world.make_stack(bad)
    name = world.start(bad)
    with pytest.raises(StepFailed, match="exit code 4") as raised:
        world.apply(op.AwaitCompleted(container=name, timeout=20 * SECOND))
    assert "broken" in raised.value.details


def test_not_completed_in_time(world: World) -> None:
    name = world.up(world.service()).name
    with pytest.raises(StepFailed, match="did not end"):
        world.apply(op.AwaitCompleted(container=name, timeout=SECOND // 2))


def test_watching_a_steady_container(world: World) -> None:
    name = world.up(world.service()).name
    world.apply(op.Watch(container=name, duration=SECOND // 2))


def test_watching_one_that_ends(world: World) -> None:
    name = world.up(world.service("sh", "-c", "sleep 0.5; exit 5")).name
    with pytest.raises(NotHealthy, match="exit code 5"):
        world.apply(op.Watch(container=name, duration=20 * SECOND))


def test_watching_one_that_turns_unhealthy(world: World) -> None:
    check = Healthcheck(("CMD", "false"), interval=SECOND // 5, timeout=SECOND, retries=1)
    name = world.up(world.service(healthcheck=check)).name
    with pytest.raises(NotHealthy, match="unhealthy"):
        world.apply(op.Watch(container=name, duration=20 * SECOND))


def test_draining_a_quiet_container_ends_early(world: World) -> None:
    name = world.up(world.service()).name
    began = time.monotonic()
    world.apply(op.Drain(container=name, timeout=60 * SECOND))
    assert time.monotonic() - began < 15
    world.apply(op.Drain(container=f"{world.project}-nobody-1", timeout=60 * SECOND))


def test_a_release_step_runs_to_its_end_and_leaves_nothing(world: World) -> None:
    service = world.checked("false", release_command=("sh", "-c", "echo migrated; exit 0"))
    world.make_stack(service)
    world.prepare()
    world.apply(_release(world, service))
    assert world.names() == []


def test_a_failed_release_step_stays_for_inspection_and_gives_way(world: World) -> None:
    bad = world.service(release_command=("sh", "-c", "echo no such table; exit 6"))
    world.make_stack(bad)
    world.prepare()
    with pytest.raises(StepFailed, match="exit code 6") as raised:
        world.apply(_release(world, bad))
    assert "no such table" in raised.value.details
    left = world.seen(f"{world.project}-web-release")
    assert left.one_off
    assert left.exit_code == 6
    assert world.observe().of_service("web") == (), "it is no replica"
    good = world.service(release_command=("true",))
    world.apply(_release(world, good))
    assert world.names() == []


def _release(world: World, service: object) -> op.RunRelease:
    return op.RunRelease(specification=service, container=f"{world.project}-web-release", service="web")
