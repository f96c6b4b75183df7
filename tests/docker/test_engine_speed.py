"""Looking must be cheap: a deploy with nothing to do is one look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from support import engines, tiny_image

from deploytool.engines.docker.engine import DockerEngine

pytestmark = pytest.mark.docker


@pytest.fixture
def world() -> Iterator[engines.World]:
    engine = DockerEngine()
    made = engines.World(engine, tiny_image.ensure(engine.client))
    try:
        yield made
    finally:
        made.remove()
        engine.close()


def _best(action: Callable[[], object], times: int = 7) -> float:
    """The best of several: what the work takes when nothing else runs on the machine."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return min(found)


def test_observing_few_and_many_containers(world: engines.World) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    for number in range(1, 5):
        world.create(service, number)
    assert len(world.names()) == 4
    assert _best(world.observe) < 0.060
    for number in range(5, 51):
        world.create(service, number)
    assert len(world.names()) == 50
    assert _best(world.observe) < 0.250


def test_measuring_takes_little_longer_than_its_two_samples(world: engines.World) -> None:
    service = world.service()
    world.make_stack(service)
    world.prepare()
    containers = [world.seen(world.start(service, number)) for number in range(1, 5)]
    assert _best(lambda: world.engine.measure(containers, deadline=5), 3) < 0.6
