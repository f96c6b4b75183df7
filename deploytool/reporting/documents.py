"""JSON: one envelope for every command, one for every error. docs/commands.md describes the shapes."""

from __future__ import annotations

import json
import sys
from typing import Any

FORMAT = 1
"""Raised when a field is renamed or removed; added fields do not count."""


def envelope(command: str, environment: str | None, data: Any) -> dict[str, Any]:
    """What a command found or did. `environment` is None for commands that have none."""
    return {"format": FORMAT, "command": command, "environment": environment, "data": data}


def write(document: Any, *, compact: bool = False) -> None:
    """One document on standard output; compact: on one line."""
    text = json.dumps(
        document, ensure_ascii=True, separators=(",", ":") if compact else None, indent=None if compact else 2
    )
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
