"""What `chatbot render` wrote."""

from __future__ import annotations

from typing import Any

from deploytool.actions.render import Rendered
from deploytool.reporting.screen import out
from deploytool.stack import words


def as_data(result: Rendered) -> dict[str, Any]:
    """Files with size and hash."""
    return {
        "directory": str(result.directory),
        "files": [
            {"path": path, "bytes": size, "sha256": digest, "changed": path in result.changed}
            for path, (size, digest) in result.files.items()
        ],
    }


def show(result: Rendered) -> None:
    """One line per file."""
    screen = out()
    width = max((len(path) for path in result.files), default=0)
    for path, (size, digest) in result.files.items():
        mark = "~" if path in result.changed else "="
        screen.line(f"  {mark} {path:<{width}}  {words.size(size):>9}  {screen.style(digest[:12], 'dim')}")
    changed = len(result.changed)
    said = "unchanged" if not changed else f"{changed} new or changed"
    screen.line(f"{len(result.files)} files in {result.directory}, {said}")
