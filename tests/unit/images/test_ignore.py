"""`.dockerignore`: a table of what Moby's matcher says, and properties against a slow, obvious matcher."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.errors import ContextMissing
from deploytool.images.ignore import parse

# (lines, path, left out?). Of the kinds in patternmatcher_test.go, with outcomes of the engine's
# own rules; tests/docker/test_images_context.py holds them to a real one.
TABLE = [
    ("", "a", False),
    ("a", "a", True),
    ("a", "a/b/c", True),
    ("a", "b/a", False),
    ("/a", "a", True),
    ("a/", "a/b", True),
    ("./a", "a", True),
    ("a/../b", "b", True),
    ("  a  ", "a", True),
    ("\ufeffa", "a", True),
    ("# a\na", "a", True),
    ("#a", "#a", False),
    (" #a", "#a", True),
    ("a # not a comment", "a", False),
    ("a # not a comment", "a # not a comment", True),
    ("*", "a", True),
    ("*", "a/b", True),
    ("*.md", "a.md", True),
    ("*.md", "b/a.md", False),
    ("*/a", "b/a", True),
    ("*/a", "a", False),
    ("*/a", "c/b/a", False),
    ("a?", "ab", True),
    ("a?", "a/", False),
    ("a?", "a", False),
    ("**", "a/b/c", True),
    ("**/a", "a", True),
    ("**/a", "b/c/a", True),
    ("**/a", "b/ca", False),
    ("**/a", "b/a/d", True),
    ("**a", "b/ca", True),
    ("a/**", "a", False),
    ("a/**", "a/b", True),
    ("a/**", "a/b/c", True),
    ("a**", "ab/c", True),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/c/d/b", True),
    ("a/**/b", "a/cb", False),
    ("**/*.pyc", "x.pyc", True),
    ("**/*.pyc", "a/b/x.pyc", True),
    ("**/__pycache__", "a/__pycache__/x.pyc", True),
    ("a/**/*.txt", "a/x.txt", True),
    ("[ab]c", "ac", True),
    ("[ab]c", "cc", False),
    ("[a-c]", "b", True),
    ("[^a]", "b", True),
    ("[^a]", "a", False),
    ("a.b", "axb", False),
    ("a+b(c){d}$|", "a+b(c){d}$|", True),
    (r"\*", "*", True),
    (r"\*", "a", False),
    (r"\!a", "!a", True),
    ("*\n!a", "a", False),
    ("*\n!a", "a/b", False),
    ("*\n!a", "b", True),
    ("*\n!a/b", "a/b", False),
    ("*\n!a/b", "a/c", True),
    ("!a\n*", "a", True),
    ("a\n!a/b\na/b/c", "a/b/c", True),
    ("a\n!a/b\na/b/c", "a/b/d", False),
    ("*\n!  a", "a", False),
    ("*.md\n!README.md", "README.md", False),
    ("*\n!**/keep", "x/y/keep", False),
]


@pytest.mark.parametrize(("lines", "path", "left_out"), TABLE)
def test_table(lines: str, path: str, left_out: bool) -> None:
    assert parse(lines).excludes(path) is left_out


@pytest.mark.parametrize("lines", ["a\n!", "!  ", "x\n\n[a"])
def test_a_malformed_line_is_named(lines: str) -> None:
    with pytest.raises(ContextMissing) as error:
        parse(lines, where="app/.dockerignore")
    last = len(lines.splitlines())
    assert error.value.where == f"app/.dockerignore:{last}"


names = st.sampled_from(["a", "b", "ab", "a.b", "ba"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
segments = st.sampled_from(["a", "b", "ab", "a.b", "*", "?", "a*", "*b", "a?", "**"])
patterns = st.lists(segments, min_size=1, max_size=4).map("/".join)
lines = st.tuples(st.booleans(), patterns)


def obvious(pattern: list[str], path: list[str]) -> bool:
    """Segment by segment: `**` stands for any number of folders, at the end for at least one more name."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(path)
        return any(obvious(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and obvious(pattern[1:], path[1:])


def obvious_excludes(rules: list[tuple[bool, str]], path: str) -> bool:
    parts = path.split("/")
    outcome = False
    for takes_back, pattern in rules:
        if any(obvious(pattern.split("/"), parts[:count]) for count in range(1, len(parts) + 1)):
            outcome = not takes_back
    return outcome


@given(st.lists(lines, max_size=5), paths)
def test_agrees_with_the_obvious_matcher(rules: list[tuple[bool, str]], path: str) -> None:
    text = "\n".join(("!" if takes_back else "") + pattern for takes_back, pattern in rules)
    assert parse(text).excludes(path) is obvious_excludes(rules, path)


@given(st.lists(lines, max_size=5), paths, paths)
def test_a_folder_that_is_not_entered_holds_nothing_wanted(
    rules: list[tuple[bool, str]], folder: str, rest: str
) -> None:
    ignore = parse("\n".join(("!" if takes_back else "") + pattern for takes_back, pattern in rules))
    if ignore.excludes(folder) and not ignore.may_take_back_below(folder):
        assert ignore.excludes(f"{folder}/{rest}")


@given(st.text(max_size=40), st.text(min_size=1, max_size=10))
def test_any_text_is_read_or_refused_with_its_line(text: str, path: str) -> None:
    try:
        ignore = parse(text)
    except ContextMissing as error:
        refused = error.where
    else:
        refused = ""
        assert ignore.excludes(path) in (True, False)
    assert not refused or refused.startswith(".dockerignore:")
