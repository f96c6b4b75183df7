"""Opaque cursors for pagination: where the last page ended, bound to the order it was sorted by."""

from __future__ import annotations

import base64
import binascii
import json
import math

from app.problems import Problem


def encode(order: str, *values: str | int | float) -> str:
    """Pack the sort values of the last row on a page."""
    packed = json.dumps([order, *values], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(cursor: str, order: str, *kinds: type) -> list[str | int | float]:
    """Unpack what `encode` packed. Raises a 422 problem for anything else."""
    invalid = Problem(422, "invalid-cursor", "The cursor does not belong to this list.")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        raise invalid from None
    if not isinstance(found, list) or len(found) != len(kinds) + 1 or found[0] != order:
        raise invalid
    for value, kind in zip(found[1:], kinds, strict=True):
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise invalid
        if isinstance(value, str) and "\0" in value:
            raise invalid
        if isinstance(value, int) and abs(value) >= 2**63:
            raise invalid
        if isinstance(value, float) and not math.isfinite(value):
            raise invalid
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise invalid from None
    values: list[str | int | float] = found[1:]
    return values
