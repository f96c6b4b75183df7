"""A dry run cannot change anything, whichever call is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.engines import World

from deploytool.engines.protocol import FileEntry, LockHolder
from deploytool.errors import WriteRefused
from deploytool.plan import operations as op


@pytest.fixture
def dry(world: World) -> Iterator[Any]:
    """The same engine, read only, with one running container and some state."""
    service = world.checked("true")
    world.up(service)
    world.engine.write_state(world.project, {"a": b"1"})
    if world.fake:
        world.engine.read_only = True
        yield world.engine
        world.engine.read_only = False
    else:
        from deploytool.engines.docker.engine import DockerEngine

        engine = DockerEngine(read_only=True)
        yield engine
        engine.close()


WRITES: dict[str, Callable[[Any, World], object]] = {
    "create": lambda e, w: e.apply(
        op.CreateContainer(specification=w.stack.services[0], container=f"{w.project}-web-2", number=2),
        w.stack,
        release=1,
    ),
    "start": lambda e, w: e.apply(op.StartContainer(container=f"{w.project}-web-1"), w.stack, release=1),
    "stop": lambda e, w: e.apply(
        op.StopContainer(container=f"{w.project}-web-1", timeout=1), w.stack, release=1
    ),
    "remove": lambda e, w: e.apply(op.RemoveContainer(container=f"{w.project}-web-1"), w.stack, release=1),
    "limits": lambda e, w: e.apply(
        op.UpdateLimits(container=f"{w.project}-web-1", specification=w.stack.services[0]),
        w.stack,
        release=1,
    ),
    "volume": lambda e, w: e.write_volume(w.stack.volumes[0], [FileEntry("a", b"")]),
    "state": lambda e, w: e.write_state(w.project, {"b": b"2"}),
    "forget": lambda e, w: e.remove_state(w.project),
    "lock": lambda e, w: e.lock(w.project, LockHolder("me", "deploy", 0.0)),
    "unlock": lambda e, w: e.unlock(w.project),
    "execute": lambda e, w: e.execute(w.observe().containers[0], ("true",)),
    "pull": lambda e, w: e.apply(op.PullImage(image="localhost:9/x:1"), w.stack, release=1),
}


@pytest.mark.parametrize("write", WRITES)
def test_writes_are_refused(world: World, dry: Any, write: str) -> None:
    before = world.observe()
    with pytest.raises(WriteRefused):
        WRITES[write](dry, world)
    assert world.observe() == before


def test_reads_go_through(world: World, dry: Any) -> None:
    observed = dry.observe(world.stack)
    assert [c.name for c in observed.containers] == [f"{world.project}-web-1"]
    assert dry.read_state(world.project) == {"a": b"1"}
    assert dry.lock_holder(world.project) is None
    assert dry.read_volume(world.stack.volumes[0]) == ()
    assert dry.describe().kind == world.engine.kind
    assert dry.unsupported(world.stack) == ()
    assert list(dry.logs(observed.containers)) == []
    assert dry.measure(observed.containers, deadline=5)[observed.containers[0].id].memory
    assert dry.probe(observed.containers, deadline=5) == {observed.containers[0].id: "starting"}
    assert dry.image_sizes([world.image])[world.image]
