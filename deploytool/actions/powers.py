"""Asking an engine for a power it may not have."""

from __future__ import annotations

from typing import Any, TypeVar

from deploytool.engines.protocol import Engine
from deploytool.errors import NotSupported

Power = TypeVar("Power")


def require(engine: Engine, power: type[Power], what: str) -> Power:
    """The engine as that power. Raises NotSupported saying what cannot be done."""
    candidate: Any = engine
    if not isinstance(candidate, power):
        raise NotSupported(
            f"the {engine.kind} engine cannot {what}",
            hint="chatbot doctor lists what each engine can do",
        )
    return candidate
