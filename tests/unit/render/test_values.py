"""Any value as YAML, read back by a YAML reader."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploytool.render.values import escape_dollars, to_compose, to_yaml

from .conftest import TEXT, TRICKY_TEXTS

TEXTS = st.one_of(TEXT, TRICKY_TEXTS)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.none(), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_read_back(value: object) -> None:
    assert yaml.safe_load(f"key: {to_yaml(value)}\n") == {"key": value}
    assert yaml.load(f"- {to_yaml(value)}\n", Loader=yaml.CSafeLoader) == [value]
    assert "\n" not in to_yaml(value)


@given(TEXTS)
def test_compose_reads_dollars_back(text: str) -> None:
    written = yaml.safe_load(f"key: {to_compose(text)}\n")["key"]
    assert written.replace("$$", "$") == text
    assert written.replace("$$", "").count("$") == 0


@pytest.mark.parametrize(
    "text", ["app-network", "redis:7-alpine", "service/backend", "LOG_LEVEL", "start-first"]
)
def test_plain_words_stay_plain(text: str) -> None:
    assert to_yaml(text) == text


@pytest.mark.parametrize(
    "text", ["yes", "NULL", "1.5", "a: b", "", "-x", "12:30", "true", "1e3", "on", "a:", "=", ".inf"]
)
def test_what_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    assert to_yaml(text).startswith('"')


def test_keys_keep_their_dollars() -> None:
    assert escape_dollars({"$a": ("$b", ["$c"], 1)}) == {"$a": ["$$b", ["$$c"], 1]}
