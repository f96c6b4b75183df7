"""Rules between settings, checked when each value by itself is right."""

from __future__ import annotations

from collections.abc import Iterator

from deploytool.settings.model import Settings
from deploytool.settings.problems import Problem


def broken_rules(settings: Settings) -> list[Problem]:
    """Every rule that the settings break, in the order of the services."""
    return list(_all(settings))


def _all(settings: Settings) -> Iterator[Problem]:
    yield from ()
