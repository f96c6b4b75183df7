"""Time as the database keeps it: whole milliseconds since 1970 in UTC. Portable, sortable, cheap."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@lru_cache(16384)  # a page of tasks shows some forty of them, mostly the same ones again
def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, such as 2026-03-01T09:30:00.123Z."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def month_of(milliseconds: int) -> str:
    """The calendar month in UTC, such as 2026-03."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m}"


def next_month(month: str) -> str:
    """First moment of the month after `month`, in ISO 8601."""
    year, number = (int(part) for part in month.split("-"))
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    return f"{year:04d}-{number:02d}-01T00:00:00.000Z"
