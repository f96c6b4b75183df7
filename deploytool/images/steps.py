"""From trace messages to events: each step begins once, ends once, and its output comes as whole lines."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from deploytool.images.progress import Event, StepFinished, StepLog, StepStarted
from deploytool.images.trace import Log, Vertex

_KEPT_LINES = 15
# A step of the Dockerfile: `[2/5] RUN …` or `[build 2/5] RUN …`; the rest is BuildKit's own housekeeping,
# and a base image that is there is no work.
_COUNTED = re.compile(r"\[([^\]]* )?\d+/\d+\] (?!FROM )")
# Colours and cursor movements of the programs a step runs.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1a\x1c-\x1f]")


class Steps:
    """Follows one image's build."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.finished = 0
        self.cached = 0
        self._names: dict[str, str] = {}
        self._done: set[str] = set()
        self._open_lines: dict[str, bytes] = {}
        self._last: dict[str, deque[str]] = {}
        self._failed = ""
        self._failure = ""

    def see(self, vertexes: tuple[Vertex, ...], logs: tuple[Log, ...]) -> Iterator[Event]:
        """The events that a message amounts to."""
        for vertex in vertexes:
            if vertex.started and vertex.digest not in self._names:
                self._names[vertex.digest] = vertex.name
                yield StepStarted(self.image, vertex.digest, vertex.name)
        for log in logs:
            lines = self._lines(log)
            if lines:
                yield StepLog(self.image, log.vertex, lines)
        for vertex in vertexes:
            if vertex.completed and vertex.digest not in self._done:
                yield from self._finish(vertex)

    def failing_step(self) -> str:
        """The name of the step that failed; empty when none did."""
        return self._failed and self._names.get(self._failed, "")

    def failure(self) -> str:
        """What BuildKit says of the failing step."""
        return self._failure

    def last_lines(self) -> tuple[str, ...]:
        """The failing step's last 15 lines of output."""
        lines = list(self._last.get(self._failed, ()))
        rest = self._open_lines.get(self._failed, b"")
        return tuple([*lines, *_clean(rest)][-_KEPT_LINES:])

    def _finish(self, vertex: Vertex) -> Iterator[Event]:
        self._done.add(vertex.digest)
        self._names.setdefault(vertex.digest, vertex.name)
        rest = _clean(self._open_lines.pop(vertex.digest, b""))
        if rest:
            self._keep(vertex.digest, rest)
            yield StepLog(self.image, vertex.digest, rest)
        # Steps beside the failing one end as cancelled: they are not what went wrong.
        if vertex.error and not self._failed and "context canceled" not in vertex.error:
            self._failed, self._failure = vertex.digest, vertex.error
        if _COUNTED.match(vertex.name):
            self.finished += 1
            self.cached += vertex.cached
        seconds = max(0.0, vertex.completed - vertex.started) if vertex.started else 0.0
        yield StepFinished(self.image, vertex.digest, vertex.name, vertex.cached, seconds, vertex.error)

    def _lines(self, log: Log) -> tuple[str, ...]:
        *whole, rest = (self._open_lines.get(log.vertex, b"") + log.message).split(b"\n")
        self._open_lines[log.vertex] = rest
        lines = tuple(line for piece in whole for line in _clean(piece))
        self._keep(log.vertex, lines)
        return lines

    def _keep(self, step: str, lines: tuple[str, ...]) -> None:
        self._last.setdefault(step, deque(maxlen=_KEPT_LINES)).extend(lines)


def _clean(piece: bytes) -> tuple[str, ...]:
    """A line as a terminal would show it in the end: what a carriage return overwrites is gone."""
    text = piece.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
    text = _CONTROLS.sub("", text).rstrip()
    return (text,) if text else ()
