"""Versions of secrets: equal values have equal versions, and a version says nothing about the values.

A version is a truncated HMAC-SHA256 under a random key that is kept with the engine (in the state volume), so
that all operators of one stack agree and a label or a plan gives no hash to guess against.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets as random_source
from collections.abc import Mapping

KEY_FILE = "secrets.key"
_KEY_BYTES = 32
_SHOWN = 16


def new_key() -> bytes:
    """A fresh random key, 32 bytes."""
    return random_source.token_bytes(_KEY_BYTES)


def version(key: bytes, values: Mapping[str, str]) -> str:
    """The version of one service's secrets, 16 hexadecimal digits; "" when it has none."""
    if not values:
        return ""
    text = json.dumps(dict(sorted(values.items())), separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:_SHOWN]
