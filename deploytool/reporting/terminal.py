"""What the terminal can do, and what its user asked of it. The only place here that reads the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

NARROWEST = 40
WIDTH_WITHOUT_TERMINAL = 100
"""Columns of lines that go to a file or a pipe."""


def variable(name: str) -> str:
    """One variable of the process's environment, "" when it is not set."""
    return os.environ.get(name, "")


def is_terminal(stream: TextIO) -> bool:
    """True when a person reads the stream as it is written."""
    try:
        return stream.isatty() and variable("TERM") != "dumb"
    except ValueError:  # the stream was closed
        return False


def interactive() -> bool:
    """True when this process's own terminal can be handed to a program."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def somebody_answers() -> bool:
    """True when a question can be asked: a terminal on both sides."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def colour_wanted(stream: TextIO) -> bool:
    """Colour only on a terminal, and never with NO_COLOR (no-color.org: set and not empty)."""
    return is_terminal(stream) and not variable("NO_COLOR")


def width(stream: TextIO) -> int:
    """Columns: COLUMNS, then the terminal's own, then 100."""
    wanted = variable("COLUMNS")
    if wanted.isdigit() and int(wanted) > 0:
        return max(int(wanted), NARROWEST)
    if not is_terminal(stream):
        return WIDTH_WITHOUT_TERMINAL
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, NARROWEST)
    except (OSError, ValueError):
        return 80


def unicode_works(stream: TextIO, variables: Mapping[str, str] | None = None) -> bool:
    """False when the stream's encoding or the locale (LC_ALL, LC_CTYPE, LANG) has no room for `✔`."""
    encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
    if not encoding.startswith("utf"):
        return False
    known = os.environ if variables is None else variables
    # Python turns on UTF-8 by itself where the locale is C (PEP 540); a terminal there cannot show it.
    chosen = next((known[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if known.get(name)), "")
    return chosen not in ("C", "POSIX") and ("." not in chosen or "utf" in chosen.lower())
