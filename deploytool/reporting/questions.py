"""Questions to a person: on standard error, so that standard output stays clean."""

from __future__ import annotations

import sys

from deploytool.reporting import terminal
from deploytool.reporting.screen import err


def possible(*, json: bool = False) -> bool:
    """True when there is somebody to ask."""
    return not json and terminal.somebody_answers()


def yes_or_no(question: str) -> bool:
    """True for y or yes; the default is no."""
    return _ask(f"{question} [y/N] ").lower() in ("y", "yes")


def typed(question: str, wanted: str) -> bool:
    """True when exactly that word was typed."""
    return _ask(f"{question} Type {wanted} to go on: ") == wanted


def _ask(text: str) -> str:
    screen = err()
    screen.stream.write(screen.fit(text))
    screen.stream.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise EOFError
    return answer.strip()
