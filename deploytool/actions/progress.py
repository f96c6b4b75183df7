"""How an action tells what it is doing while it does it. Reporting implements it; `Silent` says nothing."""

from __future__ import annotations

from typing import Any, Protocol

from deploytool.plan.operations import Operation


class Listener(Protocol):
    """Called from the thread that carries a plan out; build events may come from other threads."""

    def step_started(self, operation: Operation) -> None:
        """An operation begins."""

    def step_words(self, operation: Operation, words: str) -> None:
        """Something worth showing happened within it."""

    def step_done(self, operation: Operation, seconds: float) -> None:
        """It succeeded."""

    def step_failed(self, operation: Operation, seconds: float) -> None:
        """It failed; the error follows through the action."""

    def undo_started(self, reason: str) -> None:
        """What was done is being taken back; steps that follow are undo steps."""

    def build_event(self, image: str, event: Any) -> None:
        """One event of images.buildkit for one image."""

    def note(self, text: str) -> None:
        """A sentence for the operator, such as that a stand-in is being made."""


class Silent:
    """A listener that ignores everything."""

    def step_started(self, operation: Operation) -> None:
        """Ignored."""

    def step_words(self, operation: Operation, words: str) -> None:
        """Ignored."""

    def step_done(self, operation: Operation, seconds: float) -> None:
        """Ignored."""

    def step_failed(self, operation: Operation, seconds: float) -> None:
        """Ignored."""

    def undo_started(self, reason: str) -> None:
        """Ignored."""

    def build_event(self, image: str, event: Any) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""
