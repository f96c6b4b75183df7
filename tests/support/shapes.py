"""The JSON shapes of docs/commands.md as JSON Schema: tests hold the output against the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
PLAIN = {"string", "integer", "number", "boolean"}


def shapes() -> dict[str, Any]:
    """Every ```yaml block with a name, as JSON Schema by that name."""
    blocks = re.findall(r"^```yaml (\S[^\n]*)\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    raw = {name: yaml.safe_load(text) for name, text in blocks}
    return {name: schema(shape, raw) for name, shape in raw.items()}


def schema(shape: Any, known: dict[str, Any]) -> dict[str, Any]:
    """One shape; unknown fields are not allowed, so that the documentation stays whole."""
    if isinstance(shape, str):
        return _named(shape, known)
    if isinstance(shape, list):
        return {"type": "array", "items": schema(shape[0], known)}
    if set(shape) == {"const"}:
        return dict(shape)
    if set(shape) == {"*"}:
        return {"type": "object", "additionalProperties": schema(shape["*"], known)}
    fields = {name: schema(inner, known) for name, inner in shape.items()}
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _named(name: str, known: dict[str, Any]) -> dict[str, Any]:
    plain, nullable, _ = name.partition(" or null")
    if plain == "any":
        return {}
    if plain.startswith("<"):
        found = schema(known[plain.strip("<>")], known)
    else:
        assert plain in PLAIN, name
        found = {"type": plain}
    return {"anyOf": [found, {"type": "null"}]} if nullable else found
