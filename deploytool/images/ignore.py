"""`.dockerignore`, read as the Docker Engine reads it.

Source of the rules: github.com/moby/patternmatcher (patternmatcher.go, ignorefile/ignorefile.go). The last
pattern that matches decides; `!` takes a path back in; a path is also matched through its parent folders;
only a `#` in a line's first column starts a comment.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from deploytool.errors import ContextMissing

FILE = ".dockerignore"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file."""

    text: str
    takes_back: bool
    expression: re.Pattern[str]

    def matches(self, path: str) -> bool:
        """Whether the pattern names this very path (parents are the matcher's business)."""
        return self.expression.fullmatch(path) is not None


class Ignore:
    """The patterns of one context."""

    def __init__(self, patterns: tuple[Pattern, ...] = ()) -> None:
        self.patterns = patterns
        self._taken_back = tuple(
            tuple(_segment(part) for part in pattern.text.split("/"))
            for pattern in patterns
            if pattern.takes_back
        )

    def excludes(self, path: str) -> bool:
        """Whether the path, written with `/` and relative to the context, is left out."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
        left_out = False
        for pattern in self.patterns:
            # A pattern that could not change the answer is not asked.
            if pattern.takes_back == left_out and any(pattern.matches(prefix) for prefix in prefixes):
                left_out = not pattern.takes_back
        return left_out

    def may_take_back_below(self, folder: str) -> bool:
        """Whether something in a left-out folder could come back in: if not, nobody need look there."""
        parts = folder.split("/")
        return any(_leads_below(segments, parts) for segments in self._taken_back)


def _leads_below(segments: tuple[re.Pattern[str] | None, ...], parts: list[str]) -> bool:
    """Whether a path that begins with these folders and goes on can match; None: any number of folders."""
    for segment, part in zip(segments, parts, strict=False):
        if segment is None:
            return True
        if segment.fullmatch(part) is None:
            return False
    return len(segments) > len(parts)


def _segment(text: str) -> re.Pattern[str] | None:
    try:
        return None if "**" in text else re.compile(_expression(text), re.DOTALL)
    except re.error:
        return None  # a class that holds a slash, cut in two here


def parse(text: str, *, where: str = FILE) -> Ignore:
    """The patterns of a `.dockerignore`'s text. Raises ContextMissing naming the line of a malformed one."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        pattern = line.strip()
        takes_back = pattern.startswith("!")
        body = pattern.removeprefix("!").strip() if takes_back else pattern
        if not body:
            raise ContextMissing("an exclamation mark needs a pattern", where=f"{where}:{number}")
        cleaned = posixpath.normpath(body)
        if len(cleaned) > 1:
            cleaned = cleaned.lstrip("/")
        try:
            expression = re.compile(_expression(cleaned), re.DOTALL)
        except re.error as error:
            raise ContextMissing(
                f"cannot read the pattern {pattern!r}: {error}", where=f"{where}:{number}"
            ) from error
        patterns.append(Pattern(cleaned, takes_back, expression))
    return Ignore(tuple(patterns))


def _expression(pattern: str) -> str:
    """The pattern as a regular expression for a whole path."""
    # Two forms the matcher treats as plain prefix and suffix: `foo**` and `**foo` cross folders.
    if pattern.endswith("**") and _plain(pattern[:-2]):
        return re.escape(pattern[:-2]) + ".*"
    if pattern.startswith("**") and _plain(pattern[2:]):
        rest = pattern[2:]
        ending = ".*" + re.escape(rest)
        return f"(?:{ending}|{re.escape(rest[1:])})" if rest.startswith("/") else ending
    found = []
    position = 0
    in_class = False
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if in_class:
            in_class = letter != "]"
            if letter == "\\" and position < len(pattern):
                letter += pattern[position]
                position += 1
            # Python warns of set operations that Go does not know.
            found.append("\\[" if letter == "[" else letter)
        elif pattern.startswith("**", position - 1):
            position += 1
            if pattern.startswith("/", position):
                position += 1
            found.append(".*" if position == len(pattern) else "(?:.*/)?")
        elif letter == "*":
            found.append("[^/]*")
        elif letter == "?":
            found.append("[^/]")
        elif letter == "[":
            in_class = True
            found.append("[")
        elif letter == "\\" and position < len(pattern):
            found.append(re.escape(pattern[position]))
            position += 1
        else:
            found.append(re.escape(letter))
    return "".join(found)


def _plain(text: str) -> bool:
    return not any(letter in text for letter in "*?[]\\")
