"""What goes on during a deploy: redrawn in place on a terminal, line by line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from deploytool.actions.progress import Listener, Silent
from deploytool.plan.model import Plan
from deploytool.plan.operations import Operation
from deploytool.reporting.rollout import BRIEF, Rollout, described
from deploytool.reporting.screen import Screen, out, shorten
from deploytool.stack import words

if TYPE_CHECKING:
    from rich.live import Live

SLOW_STEP = 1.0
"""Seconds from which a build step gets a line of its own in a log."""
PER_SECOND = 8


class Progress(Listener, Protocol):
    """A listener that is told the plan before it is carried out."""

    def expect(self, plan: Plan) -> None:
        """What will be done."""


class Quiet(Silent):
    """Says nothing, for --json."""

    def expect(self, plan: Plan) -> None:
        """Ignored."""


class Lines:
    """Writes a line when something has ended: for logs and pipes."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._lock = RLock()

    def expect(self, plan: Plan) -> None:
        """Nothing to prepare."""

    def step_started(self, operation: Operation) -> None:
        """Nothing: the end says it."""

    def step_words(self, operation: Operation, words: str) -> None:
        """Nothing: the end says it."""

    def step_done(self, operation: Operation, seconds: float) -> None:
        """What was done, and how long it took."""
        self._end("✔", "green", operation, seconds)

    def step_failed(self, operation: Operation, seconds: float) -> None:
        """What failed."""
        self._end("✖", "red", operation, seconds)

    def undo_started(self, reason: str) -> None:
        """Say that it is being taken back."""
        self._say(f"taking back what was done: {reason}")

    def build_event(self, image: str, event: Any) -> None:
        """What has ended: slow steps, and images."""
        from deploytool.images.progress import ImageBuilt, StepFinished
        from deploytool.reporting.builds import what

        if isinstance(event, StepFinished) and event.error and "canceled" not in event.error:
            self._say(f"✖ build {image}: {what(event.name)}")
        elif isinstance(event, StepFinished) and event.seconds >= SLOW_STEP and not event.cached:
            self._say(f"build {image}: {what(event.name)}  {words.duration(event.seconds)}", cut=True)
        elif isinstance(event, ImageBuilt):
            cached = f", {event.cached_steps} of {event.steps} steps cached" if event.cached_steps else ""
            self._say(f"✔ built {image}  {words.duration(round(event.seconds, 1))}{cached}")

    def note(self, text: str) -> None:
        """A sentence."""
        self._say(text)

    def _end(self, mark: str, colour: str, operation: Operation, seconds: float) -> None:
        took = f"  {words.duration(seconds)}" if seconds >= BRIEF else ""
        with self._lock:
            self.screen.line(f"  {self.screen.style(mark, colour)} {described(operation)}{took}")

    def _say(self, sentence: str, *, cut: bool = False) -> None:
        with self._lock:
            if cut:
                head, _, tail = sentence.rpartition("  ")
                self.screen.line(f"  {shorten(head, self.screen.width - len(tail) - 4)}  {tail}")
            else:
                self.screen.lines(self.screen.wrap(sentence, "  ", "    "))


class InPlace:
    """Redraws rows on a terminal. Nothing is drawn before the first event, so that questions come first."""

    def __init__(self, screen: Screen) -> None:
        from deploytool.reporting.builds import Builds

        self.screen = screen
        self._lock = RLock()
        self._builds = Builds(time.monotonic)
        self._rollout = Rollout(time.monotonic)
        self._notes: dict[str, str] = {}
        self._live: Live | None = None

    def expect(self, plan: Plan) -> None:
        """How many replicas there will be."""
        self._rollout.expect(plan)

    def step_started(self, operation: Operation) -> None:
        """Its row says what is being done."""
        self._change(lambda: self._rollout.started(operation))

    def step_words(self, operation: Operation, words: str) -> None:
        """Its row says it."""
        self._change(lambda: self._rollout.said(operation, words))

    def step_done(self, operation: Operation, seconds: float) -> None:
        """Its row says what was done."""
        self._change(lambda: self._rollout.done(operation, seconds))

    def step_failed(self, operation: Operation, seconds: float) -> None:
        """Its row turns red and says so."""
        self._change(lambda: self._rollout.broke(operation, seconds))

    def undo_started(self, reason: str) -> None:
        """A row for what is taken back."""
        self._change(lambda: self._rollout.undo(reason))

    def build_event(self, image: str, event: Any) -> None:  # noqa: ARG002
        """The image's row."""
        self._change(lambda: self._builds.see(event))

    def note(self, text: str) -> None:
        """The last sentence on each subject (what stands before the colon)."""
        self._change(lambda: self._notes.__setitem__(text.partition(":")[0], text))

    def close(self) -> None:
        """Leave the last picture on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def lines(self) -> list[str]:
        """The picture."""
        with self._lock:
            notes = [line for note in self._notes.values() for line in self.screen.wrap(note, "  ", "    ")]
            return [*notes, *self._builds.lines(self.screen), *self._rollout.lines(self.screen)]

    def _change(self, change: Any) -> None:
        with self._lock:
            change()
            if self._live is None:
                self._start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._live = Live(
            console=Console(),
            refresh_per_second=PER_SECOND,
            get_renderable=lambda: Text.from_ansi(self.screen.fit("\n".join(self.lines())), no_wrap=True),
        )
        self._live.start()


@contextmanager
def listener(*, silent: bool = False) -> Iterator[Progress]:
    """The listener that fits standard output; `silent` for --json."""
    screen = out()
    if silent:
        yield Quiet()
    elif not screen.is_terminal:
        yield Lines(screen)
    else:
        drawing = InPlace(screen)
        try:
            yield drawing
        finally:
            drawing.close()
