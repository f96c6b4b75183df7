"""What a check is, and how many run at once, none of them for longer than its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread

from deploytool.errors import ChatbotError, ExitCode

TIME_LIMIT = 10.0
"""Seconds a check has, where it names no other limit."""


class Verdict(StrEnum):
    """How a check ended. skip: it does not apply, or what it needs is missing (as another check says)."""

    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `value` in a few words, `remedy` ready to paste where something is to be done."""

    verdict: Verdict
    value: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `title` is what it is about; `find` answers; `time_limit` in seconds."""

    name: str
    title: str
    find: Callable[[], Finding]
    time_limit: float = TIME_LIMIT


@dataclass(frozen=True, slots=True)
class Checked:
    """An answered question; `seconds` is how long the answer took."""

    name: str
    title: str
    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True)
class Examination:
    """All answers, in the order of the questions."""

    checks: tuple[Checked, ...]

    def count(self, verdict: Verdict) -> int:
        """How many checks ended that way."""
        return sum(check.finding.verdict is verdict for check in self.checks)

    @property
    def exit_code(self) -> ExitCode:
        """0 when nothing failed (warnings do not count), else 3: some of what is needed is there, not all."""
        return ExitCode.PARTLY if self.count(Verdict.FAIL) else ExitCode.DONE


def passed(value: str) -> Finding:
    """All is well."""
    return Finding(Verdict.PASS, value)


def warned(value: str, remedy: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(Verdict.WARN, value, remedy)


def failed(value: str, remedy: str) -> Finding:
    """A deploy will not work."""
    return Finding(Verdict.FAIL, value, remedy)


def skipped(reason: str) -> Finding:
    """Nothing to be said, because of `reason`."""
    return Finding(Verdict.SKIP, reason)


def run_checks(
    checks: Sequence[Check], *, workers: int = 12, finished: Callable[[Checked], None] | None = None
) -> Examination:
    """Answer all questions at once; `finished` hears each answer as it comes.

    A check that takes longer than its limit is given up (its thread may go on until the process ends), and
    one that raises has failed with the error's words: no check can stop another.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:

        def answer(check: Check) -> Checked:
            checked = _answer(check)
            if finished is not None:
                finished(checked)
            return checked

        return Examination(tuple(pool.map(answer, checks)))


def _answer(check: Check) -> Checked:
    began = time.monotonic()
    found: list[Finding] = []
    # A daemon thread: one that hangs on a dead network must not keep the command from ending.
    thread = Thread(target=lambda: found.append(_find(check)), daemon=True, name=f"check-{check.name}")
    thread.start()
    thread.join(check.time_limit)
    finding = (
        found[0]
        if found
        else failed(
            f"no answer within {check.time_limit:.0f} s", "try again; if it stays so, look at the load"
        )
    )
    return Checked(check.name, check.title, finding, time.monotonic() - began)


def _find(check: Check) -> Finding:
    try:
        return check.find()
    except ChatbotError as error:
        where = f"{error.where}: " if error.where else ""
        return failed(f"{where}{error.message}", error.hint)
    except OSError as error:
        return failed(f"{type(error).__name__}: {error}", "")
    except Exception as error:
        return failed(
            f"the check itself broke: {type(error).__name__}: {error}", "report it: this is a defect"
        )
