"""Sizes, CPUs and durations as people write them, and their one canonical text.

Sizes follow Docker (`github.com/docker/go-units`, RAMInBytes): every prefix is binary, so `1M`, `1MB`, `1Mi`
and `1MiB` are all 1,048,576 bytes. Durations follow Go (`time.ParseDuration`), CPUs are decimal numbers.
Every function raises ValueError with words for the operator; `format_x(parse_x(text))` is exact.
"""

from __future__ import annotations

import re
from fractions import Fraction

NANO = 1_000_000_000
LARGEST = 2**63 - 1
"""Docker's API holds sizes, CPUs and durations in signed 64-bit numbers."""

_SIZE_PREFIXES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}
_SIZE = re.compile(r"(\d{1,25}(?:\.\d{1,25})?) ?([kmgtp]?)(i?)(b?)", re.IGNORECASE | re.ASCII)
_CPUS = re.compile(r"\d{1,25}(?:\.\d{1,25})?|\.\d{1,25}", re.ASCII)
_DURATION_UNITS = {
    "h": 3600 * NANO,
    "m": 60 * NANO,
    "s": NANO,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}
_DURATION_PART = re.compile(r"(\d{1,25}(?:\.\d{1,25})?)(h|ms|us|µs|ns|m|s)", re.ASCII)


def _bounded(amount: Fraction, text: object) -> int:
    if amount > LARGEST:
        raise ValueError(f"{text} is larger than Docker can hold")
    return int(amount)


def parse_bytes(value: object) -> int:
    """Bytes of `512M`, `1.5G`, `1GiB`, `1gb` or a whole number of bytes; a fraction of a byte is cut off."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"wants a size with a unit, such as 512M or 1.5G, not {describe(value)}")
    match = _SIZE.fullmatch(str(value).strip())
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"wants a size such as 512M or 1.5G (units K, M, G, T), not `{value}`")
    return _bounded(Fraction(match[1]) * _SIZE_PREFIXES[match[2].lower()], value)


def format_bytes(amount: int) -> str:
    """The shortest exact text with one of Compose's units: 1073741824 -> `1G`, 1000 -> `1000`."""
    for prefix in ("P", "T", "G", "M", "K"):
        unit = _SIZE_PREFIXES[prefix.lower()]
        if amount and amount % unit == 0:
            return f"{amount // unit}{prefix}"
    return str(amount)


def parse_cpus(value: object) -> int:
    """Nano-CPUs (1 CPU = 1,000,000,000) of `1.5`, `"0.25"` or `2`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"wants a number of CPUs such as 1.5, not {describe(value)}")
    text = str(value).strip()
    if _CPUS.fullmatch(text) is None:
        example = _milli_example(text)
        raise ValueError(f"wants a number of CPUs such as 1.5, without a unit, not `{value}`{example}")
    amount = Fraction(text) * NANO
    if amount.denominator != 1:
        raise ValueError(f"`{value}` is finer than a billionth of a CPU")
    return _bounded(amount, value)


def _milli_example(text: str) -> str:
    """`500m` is Kubernetes' word; say what it is here."""
    if re.fullmatch(r"\d{1,7}m", text, re.ASCII) is None:
        return ""
    return f" (500m of Kubernetes is 0.5 here: write {format_cpus(int(text[:-1]) * 1_000_000)})"


def format_cpus(amount: int) -> str:
    """Decimal text without trailing zeros: 1_500_000_000 -> `1.5`."""
    whole, rest = divmod(amount, NANO)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def parse_duration(value: object) -> int:
    """Nanoseconds of `30s`, `1m30s`, `1.5h`, `500ms` or `0`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0
        raise ValueError(f"wants a duration with a unit, such as {value}s, not the bare number {value}")
    if not isinstance(value, str):
        raise ValueError(f"wants a duration such as 30s or 1m30s, not {describe(value)}")
    text = value.strip()
    if text == "0":
        return 0
    total, position = Fraction(0), 0
    while match := _DURATION_PART.match(text, position):
        total += Fraction(match[1]) * _DURATION_UNITS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise ValueError(f"wants a duration such as 30s or 1m30s (units h, m, s, ms), not `{value}`")
    return _bounded(total, value)


def format_duration(amount: int) -> str:
    """Whole numbers of each unit, largest first: 90_000_000_000 -> `1m30s`, 0 -> `0s`."""
    if amount == 0:
        return "0s"
    parts = []
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        count, amount = divmod(amount, _DURATION_UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def describe(value: object) -> str:
    """A value's kind in the operator's words, the value itself where it is short and plain."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text `{value}`" if len(value) <= 60 else "a long text"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a {type(value).__name__}"
