"""Values as YAML text: every text survives every YAML reader, and plain words stay plain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Words that some YAML version reads as something else than text.
_TAKEN = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*", re.ASCII)
_NEEDS_ESCAPE = re.compile(
    "[^\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)


def to_yaml(value: Any) -> str:
    """One line of YAML for a value: text, number, boolean, list or map."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{to_yaml(str(key))}: {to_yaml(entry)}" for key, entry in value.items()) + "}"
    return "[" + ", ".join(to_yaml(entry) for entry in value) + "]"


def to_compose(value: Any) -> str:
    """Like `to_yaml`, for a file that Compose interpolates: `$` is written `$$` in every text."""
    return to_yaml(escape_dollars(value))


def escape_dollars(value: Any) -> Any:
    """The value with `$$` for `$`; keys of maps are never interpolated and stay."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: escape_dollars(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [escape_dollars(entry) for entry in value]
    return value


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.casefold() not in _TAKEN:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _NEEDS_ESCAPE.sub(_escape, quoted)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
