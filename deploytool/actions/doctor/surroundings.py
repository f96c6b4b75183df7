"""What several checks need, found out once: settings, engine, what runs. What is missing is an error kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from deploytool.actions.doctor.check import Finding, skipped
from deploytool.actions.prepare import Prepared, prepare
from deploytool.engines.protocol import Engine, EngineDescription, KeepsState, LockHolder
from deploytool.errors import ChatbotError
from deploytool.plan.observed import Observed

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Values, or the errors that stood in their way."""

    project_dir: Path
    engine: Engine
    prepared: Prepared | ChatbotError
    description: EngineDescription | ChatbotError
    observed: Observed | ChatbotError
    lock_holder: LockHolder | None

    @property
    def local(self) -> bool:
        """True when the engine shares this machine."""
        return not isinstance(self.description, ChatbotError) and self.description.address.startswith(
            "unix://"
        )


def look_around(environment: str, project_dir: Path, engine: Engine) -> Surroundings:
    """Ask settings and engine at once. Never raises a ChatbotError: each is kept for its own check."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        preparing = pool.submit(_or_error, lambda: prepare(environment, project_dir))
        describing = pool.submit(_or_error, engine.describe)
        prepared, description = preparing.result(), describing.result()
    observed: Observed | ChatbotError
    holder = None
    if isinstance(prepared, ChatbotError):
        observed = prepared
    elif isinstance(description, ChatbotError):
        observed = description
    else:
        stack = prepared.stack
        observed = _or_error(lambda: engine.observe(stack))
        if isinstance(engine, KeepsState):
            keeper = engine
            found = _or_error(lambda: keeper.lock_holder(stack.project))
            holder = None if isinstance(found, ChatbotError) else found
    return Surroundings(project_dir, engine, prepared, description, observed, holder)


def _or_error(function: Callable[[], Value]) -> Value | ChatbotError:
    try:
        return function()
    except ChatbotError as error:
        return error


def with_value(value: Value | ChatbotError, missing: str, find: Callable[[Value], Finding]) -> Finding:
    """The finding from a value; with an error the check is skipped: another one reports it."""
    if isinstance(value, ChatbotError):
        return skipped(missing)
    return find(value)
