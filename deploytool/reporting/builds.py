"""Image builds that are going on, as rows: a bar of steps, seconds, how many came from the cache."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from deploytool.images.progress import Event, ImageBuilt, StepFinished, StepLog, StepStarted
from deploytool.reporting.screen import Screen, harmless, pad, shorten, visible
from deploytool.stack import words

BAR = 16
# "[builder 3/7] RUN …", as BuildKit names the steps of a Dockerfile; "[2/4] …" where there is one stage.
_PLACE = re.compile(r"^\[(?:(?P<stage>\S+) +)?(?P<number>\d+)/(?P<count>\d+)\] (?P<what>.*)", re.DOTALL)


@dataclass(slots=True)
class _Build:
    image: str
    started: float
    totals: dict[str, int] = field(default_factory=dict)
    """Steps by stage."""
    finished: int = 0
    cached: int = 0
    running: dict[str, str] = field(default_factory=dict)
    """Names of steps that go on, by id, in the order in which they began."""
    last_line: str = ""
    failed: str = ""
    built: ImageBuilt | None = None

    @property
    def total(self) -> int:
        return max(sum(self.totals.values()), self.finished)


class Builds:
    """The rows of all images that are built."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._builds: dict[str, _Build] = {}

    def see(self, event: Event) -> None:
        """Something happened in a build."""
        build = self._builds.setdefault(event.image, _Build(event.image, self.clock()))
        if isinstance(event, StepStarted):
            _count(build, event.name)
            if not _internal(event.name):
                build.running[event.step] = event.name
        elif isinstance(event, StepLog):
            build.last_line = harmless(event.lines[-1]) if event.lines else build.last_line
        elif isinstance(event, StepFinished):
            _count(build, event.name)
            build.running.pop(event.step, None)
            build.last_line = ""
            if event.error and "canceled" not in event.error:
                build.failed = event.name
            elif _PLACE.match(event.name):
                build.finished += 1
                build.cached += event.cached
        else:
            build.built = event

    def lines(self, screen: Screen) -> list[str]:
        """The rows as they stand."""
        names = max((visible(build.image) for build in self._builds.values()), default=0)
        found: list[str] = []
        for build in self._builds.values():
            found += self._lines(build, screen, names)
        return found

    def _lines(self, build: _Build, screen: Screen, names: int) -> list[str]:
        built = build.built
        seconds = built.seconds if built else self.clock() - build.started
        total = build.total
        share = 1.0 if built else build.finished / total if total else 0.0
        full = round(BAR * share)
        bar = screen.style("█" * full, "red" if build.failed else "green") + screen.style(
            "░" * (BAR - full), "dim"
        )
        done = total if built else build.finished
        cached = f"   ({build.cached} cached)" if build.cached else ""
        counted = f"{done}/{total}  {words.duration(round(seconds, 1))}{cached}"
        line = f"  build  {pad(build.image, names)}  {bar} {counted}"
        if build.failed:
            return [line, *_below(f"✖ {what(build.failed)}", screen, "red")]
        if built or not build.running:
            return [line]
        current = what(list(build.running.values())[-1])
        found = [line, *_below(current, screen, "cyan")]
        return found + (_below(build.last_line, screen, "dim") if build.last_line else [])


def _below(text: str, screen: Screen, colour: str) -> list[str]:
    return [f"         {screen.style(shorten(text, screen.width - 10), colour)}"]


def _count(build: _Build, name: str) -> None:
    place = _PLACE.match(name)
    if place:
        build.totals[place["stage"] or ""] = int(place["count"])


def _internal(name: str) -> bool:
    return name.startswith("[internal]")


def what(name: str) -> str:
    """A step's instruction on one line, without its place."""
    place = _PLACE.match(name)
    return harmless(" ".join((place["what"] if place else name).split()))
