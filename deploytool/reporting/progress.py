"""What goes on during a deploy: redrawn in place on a terminal, line by line elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deploytool.actions.progress import Listener, Silent
from deploytool.plan import text
from deploytool.plan.operations import Operation
from deploytool.reporting.screen import Screen, out
from deploytool.stack import words

QUIET = 0.05
"""Steps that are as short as this (seconds) get no time of their own."""


class Lines:
    """A listener that writes a line when something has ended."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.undoing = False

    def step_started(self, operation: Operation) -> None:
        """Nothing: the end says it."""

    def step_words(self, operation: Operation, words: str) -> None:
        """Nothing: the end says it."""

    def step_done(self, operation: Operation, seconds: float) -> None:
        """What was done, and how long it took."""
        self._line("✔", "green", operation, seconds)

    def step_failed(self, operation: Operation, seconds: float) -> None:
        """What failed."""
        self._line("✖", "red", operation, seconds)

    def _line(self, mark: str, colour: str, operation: Operation, seconds: float) -> None:
        took = f"  {words.duration(seconds)}" if seconds >= QUIET else ""
        self.screen.line(f"  {self.screen.style(mark, colour)} {text.step(_without_cause(operation))}{took}")

    def undo_started(self, reason: str) -> None:
        """Say that it is being taken back."""
        self.undoing = True
        for line in self.screen.wrap(f"taking back what was done: {reason}", "  ", "    "):
            self.screen.line(line)

    def build_event(self, image: str, event: Any) -> None:
        """Builds: only what has ended."""

    def note(self, text: str) -> None:
        """A sentence."""
        for line in self.screen.wrap(text, "  ", "    "):
            self.screen.line(line)


def _without_cause(operation: Operation) -> Operation:
    from dataclasses import replace

    return replace(operation, cause="")


@contextmanager
def listener(*, silent: bool = False) -> Iterator[Listener]:
    """The listener that fits standard output; `silent` for --json."""
    if silent:
        yield Silent()
        return
    yield Lines(out())
