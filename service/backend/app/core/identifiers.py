"""Ids that cannot be guessed: 22 characters of base 32, the first nine of them growing with time."""

from __future__ import annotations

import re
import secrets

from app.core.clock import now_ms

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ID_PATTERN = r"^[0-9a-hjkmnp-tv-z]{22}$"
_SHAPE = re.compile(ID_PATTERN[1:-1])


def _encode(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))


def new_id() -> str:
    """A fresh id: 45 bits of time in milliseconds, then 65 random bits."""
    return _encode(now_ms(), 9) + _encode(secrets.randbits(65), 13)


def is_id(text: str) -> bool:
    """Whether `text` could be an id; anything else never reaches the database."""
    return _SHAPE.fullmatch(text) is not None
