"""YAML files: what is read, on which line, and what is said when they are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.errors import SettingsError
from deploytool.settings.documents import parse_document

from .conftest import Project


def test_every_key_and_list_entry_knows_its_line() -> None:
    document = parse_document("a: 1\nb:\n  c: [x,\n      y]\n  d:\n    - e: 1\n", "f.yaml")
    assert document.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", "0"): 3,
        ("b", "c", "1"): 4,
        ("b", "d"): 5,
        ("b", "d", "0"): 6,
        ("b", "d", "0", "e"): 6,
    }
    assert document.data == {"a": 1, "b": {"c": ("x", "y"), "d": ({"e": 1},)}}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "null\n", "~", "\ufeff"])
def test_an_empty_file_is_an_empty_map(text: str) -> None:
    assert parse_document(text.removeprefix("\ufeff"), "f.yaml").data == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012", "012"),
        ("1:30", "1:30"),
        ("22:22", "22:22"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", 1000),
        ("yes", True),
        ("'3'", "3"),
        ("3.10", 3.1),
        ("0", 0),
        ("0x1F", "0x1F"),
        ("!!binary aGk=", "aGk="),
    ],
)
def test_values(text: str, value: object) -> None:
    assert parse_document(f"a: {text}", "f.yaml").data == {"a": value}


def test_text_maps_keep_what_was_written() -> None:
    written = parse_document(
        "environment: {A: 1.10, B: yes, C: 012, D: '', E: null, F: 2024-01-01}", "f.yaml"
    ).data
    assert written["environment"] == {
        "A": "1.10",
        "B": "yes",
        "C": "012",
        "D": "",
        "E": None,
        "F": "2024-01-01",
    }


def test_anchors_and_merge_keys() -> None:
    text = "x-common: &common {a: 1, b: 2}\none: {<<: *common, b: 3}\ntwo:\n  <<: [*common, {c: 4}]\n"
    assert parse_document(text, "f.yaml").data == {"one": {"a": 1, "b": 3}, "two": {"a": 1, "b": 2, "c": 4}}


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        (b"a: 1\nb: 2\na: 3\n", ":3", "`a` stands twice (first on line 1)", "keep one"),
        (b"a:\n  b: 1\n  b: 2\n", ":3", "`b` stands twice", ""),
        (b"services:\n\tweb: 1\n", ":2", "the YAML is broken", "replace the tab"),
        (b"a: [1, 2\n", ":2", "the YAML is broken", ""),
        (b"a: 'x\n", ":2", "the YAML is broken", ""),
        (b"a: 1\n b: 2\n", ":2", "the YAML is broken", ""),
        (b"- a\n- b\n", ":1", "wants a map of settings at the top, not a list", ""),
        (b"just text\n", ":1", "wants a map of settings at the top, not a single value", ""),
        (b"a: 1\nb: \xff\xfe\n", ":2", "not UTF-8", "iconv"),
        (b"a: 1\n---\nb: 2\n", ":2", "the YAML is broken", ""),
        (b"? [a, b]\n: 1\n", ":1", "a setting's name is a word, not a list", ""),
        (b"a: &x [*x]\n", ":1", "contains itself", ""),
        (b"a: \x07\n", ":1", "the YAML is broken", ""),
        (b"a: *nobody\n", ":1", "the YAML is broken", ""),
        (b"a:\n  <<: 3\n", ":2", "`<<` wants a map, not a single value", ""),
    ],
)
def test_broken_files(project: Project, text: bytes, where: str, message: str, hint: str) -> None:
    error = project.error(text)
    assert error.where == f"environments/test.yaml{where}"
    assert message in error.message
    assert hint in error.hint
    assert error.exit_code == 2


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(SettingsError, match="more than"):
        parse_document("\n".join(lines), "f.yaml")


def test_a_file_that_cannot_be_read(project: Project) -> None:
    (project.directory / "environments" / "base.yaml").unlink()
    (project.directory / "environments" / "base.yaml").symlink_to("base.yaml")
    (project.directory / "environments" / "test.yaml").unlink()
    (project.directory / "environments" / "test.yaml").mkdir()
    assert project.error().code == "environment-missing"


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_settings_error(text: str) -> None:
    found: object = {}
    try:
        found = parse_document(text, "f.yaml").data
    except SettingsError as error:
        found = {error.where: error.message} if error.where.startswith("f.yaml") else None
    assert isinstance(found, dict)
