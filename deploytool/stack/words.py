"""Canonical quantities in the words people use: "1 GiB", "1.5", "30 s"."""

from __future__ import annotations

_STEPS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def size(count: float) -> str:
    """Bytes with three significant digits at the most: "512 MiB", "1.5 GiB", "0 B"."""
    for unit, step in _STEPS:
        if count >= step:
            value = count / step
            return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
    return f"{count:.0f} B"


def cpus(nano: int) -> str:
    """Nano-CPUs as CPUs: "1", "0.5"."""
    return f"{nano / 1_000_000_000:g}"


def duration(seconds: float) -> str:
    """Seconds for reading: "0.4 s", "41 s", "3 min 5 s", "3 h 12 min", "2 d 4 h"."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 10:
        text = f"{seconds:.1f}".removesuffix(".0")
        return f"{text} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for large, small, large_name, small_name in (
        (60, 1, "min", "s"),
        (3600, 60, "h", "min"),
        (86400, 3600, "d", "h"),
    ):
        if whole < large * (60 if large < 3600 else 24) or large == 86400:
            first, rest = divmod(whole, large)
            second = rest // small
            return f"{first} {large_name} {second} {small_name}" if second else f"{first} {large_name}"
    return f"{whole} s"


def nanoseconds(count: int) -> str:
    """A canonical duration for reading."""
    return duration(count / 1_000_000_000)
