"""Lines for people: styles add and never carry the meaning; ASCII where the locale has nothing better."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

from deploytool.reporting import terminal

WIDEST = 120
"""Columns beyond which text is not spread: longer lines are hard to read."""

_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_ASCII = str.maketrans(
    {
        "✔": "+",
        "✖": "x",
        "⚠": "!",
        "●": "*",
        "○": "o",
        "→": ">",
        "≤": "<",
        "≥": ">",
        "…": "~",
        "·": "-",
        "█": "#",
        "░": ".",
        "–": "-",
        "—": "-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "│": "|",
        "─": "-",
        "×": "x",
    }
)
"""One character for one, so that columns stay columns."""
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")
_CSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


class Screen:
    """One stream, with what it can show."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool | None = None,
        width: int | None = None,
        unicode: bool | None = None,
        is_terminal: bool | None = None,
    ) -> None:
        self.stream = stream
        self.is_terminal = terminal.is_terminal(stream) if is_terminal is None else is_terminal
        self.colour = terminal.colour_wanted(stream) if colour is None else colour
        self.width = terminal.width(stream) if width is None else width
        self.unicode = terminal.unicode_works(stream) if unicode is None else unicode

    def style(self, text: str, *names: str) -> str:
        """The text in colour, or as it is."""
        if not self.colour or not names or not text:
            return text
        codes = ";".join(_STYLES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def fit(self, text: str) -> str:
        """The text in characters that the stream can show."""
        if self.unicode:
            return text
        return text.translate(_ASCII).encode("ascii", "replace").decode()

    def line(self, text: str = "") -> None:
        """One line, now."""
        self.stream.write(self.fit(text).rstrip(" ") + "\n")
        self.stream.flush()

    def lines(self, texts: Iterable[str]) -> None:
        """Several lines at once."""
        block = "".join(f"{self.fit(text).rstrip(' ')}\n" for text in texts)
        if block:
            self.stream.write(block)
            self.stream.flush()

    def wrap(self, text: str, indent: str = "", following: str | None = None) -> list[str]:
        """The text in lines of at most the stream's width; words are never broken, so commands stay whole."""
        found: list[str] = []
        for part in text.splitlines() or [""]:
            found += textwrap.wrap(
                part,
                min(self.width, WIDEST),
                initial_indent=indent if not found else (following if following is not None else indent),
                subsequent_indent=indent if following is None else following,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        return found


def out() -> Screen:
    """Standard output."""
    return Screen(sys.stdout)


def err() -> Screen:
    """Standard error: errors, questions."""
    return Screen(sys.stderr)


def visible(text: str) -> int:
    """Columns that a text takes, colours left out."""
    plain = _ESCAPES.sub("", text) if "\x1b" in text else text
    return len(plain) if plain.isascii() else sum(_columns(character) for character in plain)


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """The text filled with blanks to that many columns."""
    blanks = " " * max(columns - visible(text), 0)
    return blanks + text if right else text + blanks


def shorten(text: str, columns: int) -> str:
    """The text, its end replaced by `…` when it is longer; for text without colours."""
    if visible(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used > columns - 1:
            break
        kept += character
    return f"{kept}…"


def harmless(text: str) -> str:
    """Foreign text (a container's output) without what would steer the terminal."""
    return _UNSAFE.sub("", _CSI.sub("", text).expandtabs(4)).replace("\x1b", "")
