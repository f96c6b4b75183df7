"""Every test here runs on every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import engines, tiny_image


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def world(request: pytest.FixtureRequest) -> Iterator[engines.World]:
    if request.param == "fake":
        yield engines.fake_world()
        return
    from deploytool.engines.docker.engine import DockerEngine

    engine = DockerEngine()
    made = engines.World(engine, tiny_image.ensure(engine.client))
    try:
        yield made
    finally:
        made.remove()
        engine.close()
