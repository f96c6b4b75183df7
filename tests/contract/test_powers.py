"""Logs, commands, figures."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from support.engines import World

from deploytool.engines.protocol import (
    Engine,
    HoldsFiles,
    KeepsState,
    Measures,
    RunsCommands,
    StreamsLogs,
)
from deploytool.errors import StepFailed


@pytest.mark.parametrize("power", [StreamsLogs, RunsCommands, Measures, HoldsFiles, KeepsState])
def test_every_power_is_there(world: World, power: type) -> None:
    engine: Engine = world.engine
    assert isinstance(engine, power)


def test_logs_of_two_containers_are_interleaved(world: World) -> None:
    ticks = "; sleep 0.2; ".join(f"echo {number}" for number in range(6))
    services = [
        world.service("sh", "-c", f"{ticks}; sleep 100000", name=name) for name in ("first", "second")
    ]
    world.make_stack(*services)
    world.prepare()
    containers = [world.seen(world.start(service)) for service in services]
    lines = _lines(world, containers, 12)
    apart = [line for container in containers for line in world.engine.logs([container])]
    assert lines == sorted(apart, key=lambda line: line.timestamp)
    for container in containers:
        assert [line.text for line in lines if line.container == container.name] == list("012345")
    assert all(len(line.timestamp) == len("2026-01-01T00:00:00.000000000Z") for line in lines)


def test_both_streams_are_told_apart(world: World) -> None:
    seen = world.up(world.service("sh", "-c", "echo out; echo err >&2; sleep 100000"))
    lines = _lines(world, [seen], 2)
    assert {(line.service, line.stream, line.text) for line in lines} == {
        ("web", "stdout", "out"),
        ("web", "stderr", "err"),
    }


def test_tail_and_since(world: World) -> None:
    seen = world.up(world.service("sh", "-c", "echo a; echo b; sleep 0.5; echo c; sleep 100000"))
    assert [line.text for line in _lines(world, [seen], 3)] == ["a", "b", "c"]
    tail = list(world.engine.logs([seen], tail=2))
    assert [line.text for line in tail] == ["b", "c"]
    assert [line.text for line in world.engine.logs([seen], since=seen.started_at + 0.35)] == ["c"]
    assert list(world.engine.logs([seen], tail=0)) == []


def test_logs_of_an_ended_container(world: World) -> None:
    seen = world.up(world.service("sh", "-c", "echo last words; exit 1"))
    world.until(seen.name, lambda c: c.state == "exited")
    assert [line.text for line in world.engine.logs([seen])] == ["last words"]


def test_a_command_gives_its_code_and_output(world: World) -> None:
    seen = world.up(world.service())
    code, output = world.engine.execute(seen, ("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert code == 3
    assert sorted(output.splitlines()) == [b"err", b"out"], "the two streams have no common order"
    assert world.engine.execute(seen, ("true",)) == (0, b"")


def test_a_command_that_does_not_exist(world: World) -> None:
    code, _ = world.engine.execute(world.up(world.service()), ("no-such-program",))
    assert code in (126, 127)


def test_a_command_in_a_container_that_does_not_run(world: World) -> None:
    seen = world.up(world.service())
    world.stop(seen.name)
    with pytest.raises(StepFailed, match=seen.name):
        world.engine.execute(seen, ("true",))


def test_usage_of_what_runs_and_of_what_does_not(world: World) -> None:
    running = world.up(world.service(name="runs"))
    other = world.service(name="stopped")
    world.make_stack(other)
    stopped = world.seen(world.create(other))
    usage = world.engine.measure([running, stopped], deadline=5)
    assert set(usage) == {running.id, stopped.id}
    assert usage[stopped.id].memory is None
    found = usage[running.id]
    assert found.cpus is not None
    assert 0 <= found.cpus < 8
    assert found.memory is not None
    assert 0 < found.memory < 64 * 2**20
    assert found.memory_limit == 64 * 2**20
    assert found.processes is not None
    assert found.processes >= 1
    assert found.network_received is not None
    assert found.network_sent is not None


def test_a_container_that_is_gone_has_no_usage_and_delays_nobody(world: World) -> None:
    running = world.up(world.service())
    gone = replace(running, id="f" * 64, name="gone")
    began = time.monotonic()
    usage = world.engine.measure([running, gone], deadline=3)
    assert time.monotonic() - began < 3.5
    assert usage[gone.id].memory is None
    assert usage[running.id].memory


def test_probing_tells_starting_from_healthy(world: World) -> None:
    good = world.checked("true", name="good")
    bad = world.checked("false", name="bad")
    plain = world.service(name="plain")
    world.make_stack(good, bad, plain)
    world.prepare()
    containers = [world.seen(world.start(service)) for service in (good, bad, plain)]
    found = world.engine.probe(containers, deadline=10)
    assert found == {containers[0].id: "healthy", containers[1].id: "starting"}


def test_sizes(world: World) -> None:
    world.prepare()
    name = world.stack.volumes[0].name
    sizes = world.engine.volume_sizes([name, f"{world.project}-nothing"], deadline=10)
    assert sizes[name] is not None
    assert sizes[f"{world.project}-nothing"] is None
    images = world.engine.image_sizes([world.image, "chatbot-test/nothing:1"])
    assert (images[world.image] or 0) > 1_000_000
    assert images["chatbot-test/nothing:1"] is None


def _lines(world: World, containers: list, count: int) -> list:
    """The lines as soon as there are so many."""
    end = time.monotonic() + 15
    while True:
        lines = list(world.engine.logs(containers))
        if len(lines) >= count:
            return lines
        assert time.monotonic() < end, lines
        if world.fake:
            world.engine.pass_time(0.2)
        else:
            time.sleep(0.1)
