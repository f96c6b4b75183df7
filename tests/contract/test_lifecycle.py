"""Containers, networks and volumes come and go, and doing a thing twice is no error."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from support.engines import World

from deploytool.engines.protocol import FileEntry
from deploytool.errors import ImageMissing, PortTaken, StepFailed
from deploytool.plan import operations as op
from deploytool.stack.model import Network, Port, Resources, Volume


def test_a_container_from_creation_to_removal(world: World) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    name = world.create(service)
    assert world.seen(name).state == "created"
    world.apply(op.StartContainer(container=name))
    assert world.seen(name).running
    world.stop(name)
    stopped = world.seen(name)
    assert stopped.state == "exited"
    assert stopped.finished_at >= stopped.started_at > 0
    world.apply(op.RemoveContainer(container=name))
    assert world.names() == []


def test_each_step_may_be_done_twice(world: World) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    world.prepare()
    name = world.create(service)
    first = world.seen(name).id
    assert world.create(service) == name
    assert world.seen(name).id == first, "the same container is adopted"
    for _ in range(2):
        world.apply(op.StartContainer(container=name))
    assert world.create(service) == name
    assert world.seen(name).id == first, "also while it runs"
    for _ in range(2):
        world.stop(name)
    for _ in range(2):
        world.apply(op.RemoveContainer(container=name))
    for _ in range(2):
        world.apply(op.RemoveNetwork(name=world.stack.networks[0].name))
        world.apply(op.RemoveVolume(name=world.stack.volumes[0].name))
    observed = world.observe()
    assert (observed.containers, observed.networks, observed.volumes) == ((), (), ())


def test_stopping_what_is_gone_is_no_error(world: World) -> None:
    world.stop(f"{world.project}-nobody-1")


@pytest.mark.parametrize("change", ["settings", "secrets"])
def test_a_leftover_that_differs_is_replaced(world: World, change: str) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    name = world.create(service, version="one")
    first = world.seen(name).id
    if change == "settings":
        world.create(replace(service, environment=(("A", "1"),)), version="one")
    else:
        world.create(service, version="two")
    assert world.seen(name).id != first


def test_a_leftover_that_ended_is_not_taken_over(world: World) -> None:
    service = world.service("sh", "-c", "exit 3")
    first = world.up(service)
    world.until(first.name, lambda c: c.state == "exited")
    world.create(service)
    assert world.seen(first.name).state == "created"


def test_a_running_container_with_other_settings_is_not_touched(world: World) -> None:
    service = world.service()
    first = world.up(service)
    with pytest.raises(StepFailed, match=first.name):
        world.create(replace(service, environment=(("A", "1"),)))
    assert world.seen(first.name).id == first.id
    assert world.seen(first.name).running


def test_a_running_container_is_not_removed(world: World) -> None:
    running = world.up(world.service())
    with pytest.raises(StepFailed, match="runs"):
        world.apply(op.RemoveContainer(container=running.name))
    assert world.seen(running.name).running


def test_a_missing_image_is_named(world: World) -> None:
    service = world.service(image="chatbot-test/no-such-image:7")
    world.make_stack(service)
    world.prepare()
    with pytest.raises(ImageMissing, match="chatbot-test/no-such-image:7"):
        world.create(service)
    assert world.names() == []


def test_a_missing_volume_is_not_created_silently(world: World) -> None:
    service = world.service()
    world.make_stack(service)
    world.apply(op.CreateNetwork(network=world.stack.networks[0]))
    with pytest.raises(StepFailed, match=f"{world.project}_data"):
        world.create(service)
    assert world.observe().volumes == ()


def test_a_missing_network_is_named_and_leaves_nothing(world: World) -> None:
    service = world.service()
    world.make_stack(service)
    world.apply(op.CreateVolume(volume=world.stack.volumes[0]))
    with pytest.raises(StepFailed, match=f"{world.project}_default"):
        world.create(service)
    assert world.names() == []


def test_an_external_volume_must_be_there(world: World) -> None:
    volume = Volume("data", f"{world.project}-from-elsewhere", external=True)
    world.make_stack(volumes=(volume,))
    with pytest.raises(StepFailed, match="external"):
        world.apply(op.CreateVolume(volume=volume))
    assert world.observe().volumes == ()


def test_several_networks_are_joined(world: World) -> None:
    networks = (Network("a", f"{world.project}_a"), Network("b", f"{world.project}_b", internal=True))
    service = world.service(networks=("a", "b"))
    seen = world.up(service, networks=networks)
    assert seen.networks == (f"{world.project}_a", f"{world.project}_b")


def test_a_used_network_or_volume_is_not_removed(world: World) -> None:
    running = world.up(world.service())
    with pytest.raises(StepFailed, match=running.name):
        world.apply(op.RemoveNetwork(name=world.stack.networks[0].name))
    with pytest.raises(StepFailed, match=running.name):
        world.apply(op.RemoveVolume(name=world.stack.volumes[0].name))
    assert world.observe().volumes == (world.stack.volumes[0].name,)


def test_removing_a_container_keeps_its_data(world: World) -> None:
    running = world.up(world.service())
    volume = world.stack.volumes[0]
    world.engine.write_volume(volume, [FileEntry("kept", b"yes")])
    world.stop(running.name)
    world.apply(op.RemoveContainer(container=running.name))
    entries = world.engine.read_volume(volume)
    assert [(entry.path, entry.content) for entry in entries] == [("kept", b"yes")]


def test_a_taken_port_names_the_container_that_has_it(world: World) -> None:
    port = Port(target=8000, published=_free_port(), host_ip="127.0.0.1")
    one, two = (world.service(name=name, ports=(port,)) for name in ("one", "two"))
    world.make_stack(one, two)
    world.prepare()
    holder = world.start(one)
    with pytest.raises(PortTaken, match=f"{port.published}.*{holder}"):
        world.start(two)
    assert not world.seen(world.name(two)).running
    world.stop(holder)
    world.apply(op.StartContainer(container=world.name(two)))
    assert world.seen(world.name(two)).running, "once the port is free, the same container starts"


def test_published_ports_are_observed(world: World) -> None:
    port = Port(target=8000, published=_free_port(), host_ip="127.0.0.1")
    seen = world.up(world.service(ports=(port,)))
    assert seen.ports == (("127.0.0.1", port.published, 8000, "tcp"),)


def test_a_program_that_does_not_exist_cannot_be_started(world: World) -> None:
    service = world.service("no-such-program", init=False)
    world.make_stack(service)
    world.prepare()
    with pytest.raises(StepFailed) as raised:
        world.start(service)
    assert world.name(service) in raised.value.message
    assert raised.value.details


def test_limits_changed_by_hand_are_put_back(world: World) -> None:
    service = world.service(limits=Resources(memory=64 * 2**20, pids=50, cpus=500_000_000))
    name = world.up(service).name
    assert world.seen(name).limits == service.limits
    world.set_memory(name, 128 * 2**20)
    assert world.seen(name).limits.memory == 128 * 2**20
    world.apply(op.UpdateLimits(container=name, specification=service))
    assert world.seen(name).limits == service.limits
    smaller = replace(service, limits=replace(service.limits, memory=32 * 2**20, pids=20))
    world.apply(op.UpdateLimits(container=name, specification=smaller))
    assert world.seen(name).limits == smaller.limits


def test_pulling_an_image_that_no_registry_has(world: World) -> None:
    with pytest.raises(ImageMissing, match="localhost:9/nothing:1"):
        world.apply(op.PullImage(image="localhost:9/nothing:1"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
