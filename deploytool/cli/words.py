"""Words of the command line that stand for something else: points in time."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from deploytool.errors import UsageError

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment(text: str, now: float | None = None) -> float:
    """Epoch seconds of "10m" (ago), "1h30m" or an RFC 3339 time; one without a zone is local time.

    Raises UsageError.
    """
    present = time.time() if now is None else now
    if re.fullmatch(r"(?:\d+(?:\.\d+)?[smhd])+", text):
        return present - sum(float(number) * _SECONDS[unit] for number, unit in _SPAN.findall(text))
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(
            f"`{text}` is no point in time", hint="--since 10m, --since 1h30m or --since 2026-01-31T12:00:00Z"
        ) from None
