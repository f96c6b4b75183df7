"""What an interrupted command leaves behind gets in nobody's way."""

from __future__ import annotations

import pytest
from support import engines

from deploytool.engines.docker import helper, state
from deploytool.engines.docker.engine import DockerEngine
from deploytool.engines.protocol import FileEntry, LockHolder
from deploytool.errors import EngineRefused, Locked, StepFailed
from deploytool.plan import operations as op
from deploytool.stack import labels

pytestmark = pytest.mark.docker


def test_a_forgotten_helper_does_not_hold_its_volume(world: engines.World) -> None:
    world.prepare()
    name = world.stack.volumes[0].name
    helper.create(world.engine.client, f"chatbot-files-{world.project}", {labels.ROLE: "files"}, volume=name)
    world.apply(op.RemoveVolume(name=name))
    assert world.observe().volumes == ()
    assert world.engine.client.inspect(f"chatbot-files-{world.project}") is None


def test_no_helper_stays_after_reading_or_writing(world: engines.World) -> None:
    world.prepare()
    volume = world.stack.volumes[0]
    world.engine.write_volume(volume, [FileEntry("a", b"1")])
    world.engine.read_volume(volume)
    listed = world.engine.client.get("/containers/json", all=True, filters={"volume": [volume.name]})
    assert listed == []


def test_history_survives_a_pruned_handle(world: engines.World) -> None:
    world.engine.write_state(world.project, {"a": b"1"})
    helper.remove(world.engine.client, f"{world.project}-state")
    dry = DockerEngine(read_only=True)
    with pytest.raises(EngineRefused, match="history"):
        dry.read_state(world.project)
    assert world.engine.read_state(world.project) == {"a": b"1"}
    assert dry.read_state(world.project) == {"a": b"1"}
    dry.close()


def test_the_helper_image_comes_back_by_itself(world: engines.World) -> None:
    client = world.engine.client
    users = client.get("/containers/json", all=True, filters={"ancestor": [helper.IMAGE]})
    if not users:
        client.call("DELETE", f"/images/{helper.IMAGE}", expect=(404, 409))
    world.prepare()
    world.engine.write_volume(world.stack.volumes[0], [FileEntry("a", b"1")])
    assert client.find(f"/images/{helper.IMAGE}/json")


def test_a_lock_that_somebody_else_made_is_respected(world: engines.World) -> None:
    client = world.engine.client
    helper.create(client, f"{world.project}-lock", {labels.STATE_PROJECT: world.project})
    with pytest.raises(Locked, match="somebody else"):
        state.lock(client, world.project, LockHolder("me", "deploy", 0.0))


def test_names_of_other_peoples_containers_are_left_alone(world: engines.World) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    helper.create(world.engine.client, world.name(service), {labels.STATE_PROJECT: world.project})
    before = world.engine.client.inspect(world.name(service))
    with pytest.raises(StepFailed, match="not part of this project"):
        world.create(service)
    assert world.engine.client.inspect(world.name(service)) == before
