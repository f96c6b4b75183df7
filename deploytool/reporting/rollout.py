"""A plan that is carried out, as rows: one per replica, one for what comes before, one per release step.

Pure but for the clock it is given: operations go in, lines come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from deploytool.plan import operations as steps
from deploytool.plan import text
from deploytool.plan.model import Plan
from deploytool.plan.operations import Operation
from deploytool.reporting.screen import Screen, pad, shorten, visible
from deploytool.stack import words

BRIEF = 0.05
"""A step this short (seconds) is named without its time."""
_PREPARING = (steps.CreateNetwork, steps.CreateVolume, steps.WriteSecrets, steps.PullImage)
_NOW = {
    steps.CreateContainer: "creating",
    steps.StartContainer: "starting",
    steps.AwaitHealthy: "not healthy yet",
    steps.AwaitCompleted: "running",
    steps.WriteRoutes: "switching traffic",
    steps.Drain: "old one drains",
    steps.Watch: "watching",
    steps.Pause: "waiting",
    steps.StopContainer: "stopping",
    steps.RemoveContainer: "removing",
    steps.UpdateLimits: "putting back limits",
    steps.RunRelease: "running",
}


@dataclass(slots=True)
class Row:
    """One line: a title, a part, what was done, and what is being done since when."""

    title: str
    part: str = ""
    done: list[str] = field(default_factory=list)
    now: str = ""
    since: float = 0.0
    said: str = ""
    failed: bool = False
    container: str = ""
    waiting: bool = False
    """True until the replica gets traffic."""


class Rollout:
    """The rows of one plan."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.rows: list[Row] = []
        self.undoing = ""
        self._replicas: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()
        self._prepared: Counter[str] = Counter()

    def expect(self, plan: Plan) -> None:
        """What will come: how many replicas of each service."""
        self._replicas = Counter(o.service for o in plan.operations if isinstance(o, steps.CreateContainer))

    def started(self, operation: Operation) -> None:
        """An operation begins."""
        row = self._row(operation)
        row.now = described(operation) if self.undoing else _NOW.get(type(operation), described(operation))
        ends = isinstance(operation, steps.StopContainer | steps.RemoveContainer)
        if ends and not self.undoing and row.container not in ("", getattr(operation, "container", "")):
            row.now = f"{row.now} the old one"
        row.since, row.said = self.clock(), ""

    def said(self, operation: Operation, sentence: str) -> None:
        """The operation told something."""
        self._row(operation).said = sentence

    def done(self, operation: Operation, seconds: float) -> None:
        """It succeeded."""
        row = self._row(operation)
        row.now = row.said = ""
        took = f" {words.duration(seconds)}" if seconds >= BRIEF else ""
        if isinstance(operation, _PREPARING) and not self.undoing:
            self._prepare(row, operation)
            return
        if isinstance(operation, steps.WriteRoutes) and not self.undoing:
            self._traffic(operation)
            return
        old = row.container not in ("", getattr(operation, "container", ""))
        word = described(operation).partition(", ≤")[0] if self.undoing else _word(operation, old=old)
        if word == "started" and row.done == ["created"]:
            row.done = []
        if word:
            row.done.append(f"{word}{took}")

    def broke(self, operation: Operation, seconds: float) -> None:
        """It failed."""
        row = self._row(operation)
        row.failed, row.said = True, ""
        row.now = ""
        row.done.append(f"{_failure(operation)} after {words.duration(seconds)}")

    def undo(self, reason: str) -> None:
        """Steps that follow take back."""
        self.undoing = reason
        for row in self.rows:
            row.now = ""
        self.rows.append(Row(title="taking back", part="", done=[], container="undo"))

    def lines(self, screen: Screen) -> list[str]:
        """The rows as they stand."""
        titles = max((visible(row.title) for row in self.rows), default=0)
        parts = max((visible(row.part) for row in self.rows), default=0)
        found: list[str] = []
        for row in self.rows:
            if not row.done and not row.now:
                continue
            found += self._lines(row, screen, titles, parts)
        return found

    def _lines(self, row: Row, screen: Screen, titles: int, parts: int) -> list[str]:
        start = f"  {pad(row.title, titles)}  " + (f"{pad(row.part, parts)}  " if parts else "")
        pieces = list(row.done)
        if row.now:
            elapsed = self.clock() - row.since
            seconds = f" {words.duration(round(elapsed, 1))}" if elapsed >= 0.2 else ""
            pieces.append(f"{row.said or row.now}{seconds} …")
        pieces = [shorten(piece, screen.width - visible(start) - 2) for piece in pieces]
        lines = _wrapped(pieces, start, screen.width)
        if row.failed:
            lines = [screen.style(line, "red") for line in lines]
        elif row.now and screen.colour:
            lines = [line.replace(pieces[-1], screen.style(pieces[-1], "cyan")) for line in lines]
        return lines

    def _row(self, operation: Operation) -> Row:
        if self.undoing:
            return self.rows[-1]
        if isinstance(operation, _PREPARING):
            return self._find("prepare", "", "prepare")
        if isinstance(operation, steps.RunRelease):
            return self._find("release", operation.service, operation.container)
        if isinstance(operation, steps.WriteRoutes):
            return next((row for row in reversed(self.rows) if row.waiting), None) or self._find(
                "proxy", "", "routes"
            )
        if isinstance(operation, steps.RemoveNetwork | steps.RemoveVolume):
            return self._find("remove", "", "remove")
        container = getattr(operation, "container", "")
        known = next((row for row in self.rows if row.container == container), None)
        if known:
            return known
        if isinstance(operation, steps.CreateContainer):
            return self._replica(operation, container)
        # What happens to an old container belongs to the row of the one that took its place.
        successor = next(
            (row for row in reversed(self.rows) if row.title == operation.service and row.part), None
        )
        return successor or self._find(operation.service, "", container)

    def _replica(self, operation: Operation, container: str) -> Row:
        self._seen[operation.service] += 1
        seen, expected = self._seen[operation.service], self._replicas[operation.service]
        row = Row(operation.service, f"{seen}/{max(seen, expected)}", container=container, waiting=True)
        self.rows.append(row)
        return row

    def _find(self, title: str, part: str, key: str) -> Row:
        for row in self.rows:
            if row.container == key:
                return row
        row = Row(title, part, container=key)
        self.rows.append(row)
        return row

    def _prepare(self, row: Row, operation: Operation) -> None:
        kind = {
            steps.CreateNetwork: "network",
            steps.CreateVolume: "volume",
            steps.WriteSecrets: "secrets of",
            steps.PullImage: "image",
        }[type(operation)]
        self._prepared[kind] += 1
        row.done = [_counted(name, count) for name, count in self._prepared.items()]

    def _traffic(self, operation: steps.WriteRoutes) -> None:
        served = {container for _, container in operation.upstreams}
        for row in self.rows:
            if row.waiting and row.container in served:
                row.waiting = False
                row.done.append("traffic")


def _wrapped(pieces: list[str], start: str, width: int) -> list[str]:
    """The pieces with dots between them, broken between pieces only."""
    lines, indent = [start + pieces[0]], " " * visible(start)
    for piece in pieces[1:]:
        if visible(lines[-1]) + visible(piece) + 5 <= width:
            lines[-1] += f" · {piece}"
        else:
            lines[-1] += " ·"
            lines.append(indent + piece)
    return lines


def _counted(kind: str, count: int) -> str:
    if kind == "secrets of":
        return f"secrets of {count} service{'s' if count > 1 else ''}"
    return f"{count} {kind}{'s' if count > 1 else ''}"


def _word(operation: Operation, *, old: bool) -> str:
    if isinstance(operation, steps.RemoveContainer):
        return "" if old else "removed"
    if isinstance(operation, steps.StopContainer):
        return "old one stopped" if old else "stopped"
    return {
        steps.CreateContainer: "created",
        steps.StartContainer: "started",
        steps.AwaitHealthy: "healthy",
        steps.AwaitCompleted: "completed",
        steps.Drain: "drained",
        steps.Watch: "watched",
        steps.Pause: "waited",
        steps.UpdateLimits: "limits put back",
        steps.RunRelease: "done",
        steps.RemoveNetwork: "network removed",
        steps.RemoveVolume: "volume removed",
        steps.WriteRoutes: "routes",
    }.get(type(operation), described(operation))


def _failure(operation: Operation) -> str:
    return {
        steps.AwaitHealthy: "✖ not healthy",
        steps.StartContainer: "✖ did not start",
        steps.CreateContainer: "✖ could not be created",
        steps.RunRelease: "✖ failed",
        steps.Watch: "✖ did not stay up",
    }.get(type(operation), f"✖ {_NOW.get(type(operation), 'failed')}: failed")


def described(operation: Operation) -> str:
    """The operation as a line, without its cause."""
    return text.step(replace(operation, cause=""))
