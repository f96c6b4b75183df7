"""What a build tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the build began; `step` identifies it within its image."""

    image: str
    step: str
    name: str


@dataclass(frozen=True, slots=True)
class StepLog:
    """Output of a step, whole lines without their ends."""

    image: str
    step: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended: from the cache, by its own work in `seconds`, or with an error."""

    image: str
    step: str
    name: str
    cached: bool
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class ImageBuilt:
    """The image is on the engine under its tag; `identity` is its sha256 id."""

    image: str
    tag: str
    identity: str
    seconds: float
    cached_steps: int
    steps: int


Event = StepStarted | StepLog | StepFinished | ImageBuilt
OnEvent = Callable[[Event], None]


def discard(event: Event) -> None:
    """Nobody listens."""
