"""Throwaway projects for the tests that change things; `deployed_stack` is for those that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import projects


@pytest.fixture
def project(tmp_path: Path) -> Iterator[projects.Project]:
    """A project that is not deployed yet."""
    made = projects.make(tmp_path)
    yield made
    made.remove()
