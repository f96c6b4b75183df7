"""What the doctor found: one line per check, its remedy below when something is to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from deploytool.actions.doctor import Checked, Examination, Verdict
from deploytool.reporting.screen import Screen, err, out, pad, visible

_MARKS = {
    Verdict.PASS: ("✔", "pass", "green"),
    Verdict.WARN: ("!", "warn", "yellow"),
    Verdict.FAIL: ("✖", "fail", "red"),
    Verdict.SKIP: ("·", "skip", "dim"),
}


def as_data(examination: Examination) -> dict[str, Any]:
    """All answers and their count."""
    return {
        "checks": [
            {
                "name": check.name,
                "title": check.title,
                "verdict": check.finding.verdict.value,
                "value": check.finding.value,
                "remedy": check.finding.remedy,
                "seconds": round(check.seconds, 3),
            }
            for check in examination.checks
        ],
        "counts": {verdict.value: examination.count(verdict) for verdict in Verdict},
    }


def show(examination: Examination, environment: str) -> None:
    """The whole list."""
    screen = out()
    screen.lines(lines(examination, environment, screen))


def lines(examination: Examination, environment: str, screen: Screen) -> list[str]:
    """One line per check, a remedy where there is one, and a count."""
    width = max((visible(check.title) for check in examination.checks), default=0)
    found: list[str] = []
    for check in examination.checks:
        sign, word, colour = _MARKS[check.finding.verdict]
        start = f"  {sign} {word}  {pad(check.title, width)}  "
        wrapped = screen.wrap(f"{start}{check.finding.value}", "", " " * visible(start))
        styled = f"  {screen.style(f'{sign} {word}', colour)}"
        wrapped[0] = styled + wrapped[0][visible(f"  {sign} {word}") :]
        found += wrapped
        if check.finding.remedy and check.finding.verdict is not Verdict.PASS:
            found += [
                screen.style(line, "cyan") for line in screen.wrap(check.finding.remedy, " " * 10, " " * 10)
            ]
    counts = {verdict: examination.count(verdict) for verdict in Verdict}
    said = f"{counts[Verdict.PASS]} passed, {counts[Verdict.WARN]} to look at, {counts[Verdict.FAIL]} failed"
    if counts[Verdict.SKIP]:
        said += f", {counts[Verdict.SKIP]} skipped"
    good = not counts[Verdict.FAIL]
    mark = screen.style("✔", "green", "bold") if good else screen.style("✖", "red", "bold")
    verdict = f"{environment} can be deployed here" if good else f"{environment} cannot be deployed here yet"
    return [*found, "", f"{mark} {screen.style(verdict, 'bold')}: {said}"]


@contextmanager
def waiting(*, silent: bool) -> Iterator[Callable[[Checked], None] | None]:
    """While the checks run: on a terminal a line that counts them, nothing elsewhere."""
    screen = err()
    if silent or not screen.is_terminal:
        yield None
        return
    lock, done = Lock(), 0

    def finished(check: Checked) -> None:  # noqa: ARG001
        nonlocal done
        with lock:
            done += 1
            screen.stream.write(f"\r  {done} checked ...")
            screen.stream.flush()

    try:
        yield finished
    finally:
        screen.stream.write("\r\x1b[K")
        screen.stream.flush()
