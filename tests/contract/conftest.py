"""Every test here runs on every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import engines


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def world(request: pytest.FixtureRequest) -> Iterator[engines.World]:
    if request.param == "fake":
        yield engines.fake_world()
        return
    with engines.docker_world() as made:
        yield made
