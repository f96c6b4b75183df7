"""Throwaway projects for the tests that change things; `deployed_stack` is for those that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engines, projects


@pytest.fixture
def project(tmp_path: Path) -> Iterator[projects.Project]:
    """A project that is not deployed yet."""
    made = projects.make(tmp_path)
    yield made
    made.remove()


@pytest.fixture
def world() -> Iterator[engines.World]:
    """A project on the real engine, for the tests that talk to the engine itself."""
    with engines.docker_world() as made:
        yield made
