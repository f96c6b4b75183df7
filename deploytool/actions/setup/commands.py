"""Runs other programs for set-up: as root when needed, with words instead of a traceback when they fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploytool.errors import RootNeeded, SetupFailed

LAST_LINES = 15
"""How many lines of a failed command's output an error carries."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended; `lines` is its output, standard error included."""

    code: int
    lines: tuple[str, ...]


def run(arguments: Sequence[str], *, timeout: float = 1800.0) -> Outcome:
    """Run to the end without standard input. `timeout` in seconds; 124 and 127 as shells use them."""
    try:
        done = subprocess.run(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        return Outcome(127, (f"{arguments[0]}: not found",))
    except subprocess.TimeoutExpired:
        return Outcome(124, (f"{arguments[0]} did not end within {timeout:.0f} s",))
    return Outcome(done.returncode, tuple(done.stdout.decode(errors="replace").splitlines()))


def sudo_works() -> str:
    """How this user becomes root: "silent" (no password), "asks" (a terminal is there), "" (not at all)."""
    if shutil.which("sudo") is None:
        return ""
    if run(["sudo", "-n", "true"], timeout=15).code == 0:
        return "silent"
    return "asks" if sys.stdin.isatty() else ""


def as_root(arguments: Sequence[str], *, root: bool, sudo: str, what: str = "") -> list[str]:
    """The arguments with sudo in front where it is needed.

    Raises RootNeeded when there is no way; `what` says what root is needed for.
    """
    if root:
        return list(arguments)
    if not sudo:
        raise RootNeeded(
            f"root is needed to {what or ' '.join(arguments)}, and sudo is not there, not allowed, "
            "or asks for a password without a terminal",
            hint="run it as root, or from a terminal as a user who may use sudo:  chatbot setup",
        )
    return ["sudo", *(["-n"] if sudo == "silent" else []), *arguments]


def require(outcome: Outcome, what: str, *, hint: str = "") -> Outcome:
    """The outcome, or SetupFailed with the command's last lines when it is not 0."""
    if outcome.code != 0:
        raise SetupFailed(
            f"{what} failed (exit {outcome.code})", hint=hint, details=outcome.lines[-LAST_LINES:]
        )
    return outcome
