"""What holds for every test of the project."""

from __future__ import annotations

import pytest

# Tests that share one thing of this machine run one after the other, on one of pytest-xdist's workers, while
# the others go on beside them: the engine (its ports, its processor time) and the PostgreSQL server.
SHARED = {"docker": "engine", "browser": "engine", "postgresql": "postgresql"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = next((SHARED[mark.name] for mark in item.iter_markers() if mark.name in SHARED), None)
        if group is not None and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
