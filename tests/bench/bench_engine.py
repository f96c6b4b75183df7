"""Looking must be cheap: a deploy with nothing to do is one look."""

from __future__ import annotations

from support import engines, tiny_image

from deploytool.engines.docker.engine import DockerEngine
from tests.bench.report import Row, median_seconds


def observe() -> list[Row]:
    """Observing 4 and 50 containers of one project."""
    engine = DockerEngine()
    world = engines.World(engine, tiny_image.ensure(engine.client))
    try:
        service = world.service()
        world.make_stack(service)
        world.prepare()
        for number in range(1, 5):
            world.create(service, number)
        few = median_seconds(world.observe, runs=9, warm_up=2)
        for number in range(5, 51):
            world.create(service, number)
        many = median_seconds(world.observe, runs=9, warm_up=2)
    finally:
        world.remove()
        engine.close()
    return [
        Row("observe 4 containers", few, "s", 0.06),
        Row("observe 50 containers", many, "s", 0.25, note=f"{many / few:.1f} × that of 4"),
    ]


BENCHMARKS = [observe]
