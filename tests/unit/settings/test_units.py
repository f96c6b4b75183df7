"""Sizes, CPUs and durations: what people write, and one exact text back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.settings.units import (
    LARGEST,
    format_bytes,
    format_cpus,
    format_duration,
    parse_bytes,
    parse_cpus,
    parse_duration,
)

AMOUNTS = st.integers(min_value=0, max_value=LARGEST)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("512M", 512 * 1024**2),
        ("512m", 512 * 1024**2),
        ("512Mi", 512 * 1024**2),
        ("512MB", 512 * 1024**2),
        ("512MiB", 512 * 1024**2),
        ("1.5G", 1536 * 1024**2),
        ("1GiB", 1024**3),
        ("1gb", 1024**3),
        ("1 g", 1024**3),
        ("10b", 10),
        ("10", 10),
        (10, 10),
        ("0", 0),
        ("0.5k", 512),
        ("1.0001K", 1024),
        ("7P", 7 * 1024**5),
    ],
)
def test_bytes(text: object, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.5", 1_500_000_000),
        (1.5, 1_500_000_000),
        (2, 2_000_000_000),
        ("0.25", 250_000_000),
        (".5", 500_000_000),
    ],
)
def test_cpus(text: object, amount: int) -> None:
    assert parse_cpus(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("30s", 30_000_000_000),
        ("1m30s", 90_000_000_000),
        ("500ms", 500_000_000),
        ("1.5h", 5_400_000_000_000),
        ("10us", 10_000),
        ("10µs", 10_000),
        ("7ns", 7),
        ("0", 0),
        (0, 0),
    ],
)
def test_durations(text: object, amount: int) -> None:
    assert parse_duration(text) == amount


@pytest.mark.parametrize(
    ("parse", "value", "words"),
    [
        (parse_bytes, "512X", "such as 512M"),
        (parse_bytes, "M", "such as 512M"),
        (parse_bytes, "-1G", "such as 512M"),
        (parse_bytes, "1i", "such as 512M"),
        (parse_bytes, "1G 5M", "such as 512M"),
        (parse_bytes, "", "such as 512M"),
        (parse_bytes, "٣G", "such as 512M"),
        (parse_bytes, 1.5, "with a unit"),
        (parse_bytes, True, "not `true`"),
        (parse_bytes, None, "not nothing"),
        (parse_bytes, ["1G"], "not a list"),
        (parse_bytes, "99999999P", "larger than Docker can hold"),
        (parse_cpus, "2 CPUs", "without a unit"),
        (parse_cpus, "500m", "write 0.5"),
        (parse_cpus, "-1", "such as 1.5"),
        (parse_cpus, -1, "such as 1.5"),
        (parse_cpus, float("nan"), "such as 1.5"),
        (parse_cpus, "0.0000000001", "billionth"),
        (parse_cpus, False, "not `false`"),
        (parse_duration, 30, "such as 30s"),
        (parse_duration, "30", "such as 30s"),
        (parse_duration, "1d", "units h, m, s, ms"),
        (parse_duration, "1m 30s", "units h, m, s, ms"),
        (parse_duration, "", "units h, m, s, ms"),
        (parse_duration, "-5s", "units h, m, s, ms"),
        (parse_duration, {"s": 1}, "not a map"),
        (parse_duration, "9999999999999h", "larger than Docker can hold"),
    ],
)
def test_what_is_refused(parse: Callable[[object], int], value: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse(value)


@given(AMOUNTS)
def test_bytes_round_trip(amount: int) -> None:
    assert parse_bytes(format_bytes(amount)) == amount


@given(AMOUNTS)
def test_cpus_round_trip(amount: int) -> None:
    assert parse_cpus(format_cpus(amount)) == amount


@given(AMOUNTS)
def test_durations_round_trip(amount: int) -> None:
    assert parse_duration(format_duration(amount)) == amount


@given(
    st.integers(0, 10**9),
    st.sampled_from(["k", "K", "m", "M", "g", "G"]),
    st.sampled_from(["", "b", "B", "i", "iB"]),
)
def test_every_spelling_of_a_size_is_binary(count: int, prefix: str, ending: str) -> None:
    factor = {"k": 1024, "m": 1024**2, "g": 1024**3}[prefix.lower()]
    assert parse_bytes(f"{count}{prefix}{ending}") == count * factor


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1024**3, "1G"), (1536 * 1024**2, "1536M"), (1000, "1000"), (0, "0"), (1024, "1K")],
)
def test_canonical_bytes(amount: int, text: str) -> None:
    assert format_bytes(amount) == text


def test_canonical_cpus_and_durations() -> None:
    assert [format_cpus(1_500_000_000), format_cpus(2_000_000_000), format_cpus(1)] == [
        "1.5",
        "2",
        "0.000000001",
    ]
    assert [format_duration(90_000_000_000), format_duration(0), format_duration(1_500_000_000)] == [
        "1m30s",
        "0s",
        "1s500ms",
    ]


@given(st.text(max_size=20))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for parse in (parse_bytes, parse_cpus, parse_duration):
        amount = 0
        with contextlib.suppress(ValueError):
            amount = parse(text)
        assert 0 <= amount <= LARGEST
