"""What rendering gives, and where templates stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = "templates"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rendered files by their path in the bundle, sorted; holds no secret value."""

    files: Mapping[str, bytes]


def templates_directory(project_dir: Path) -> Path:
    """The project's `templates/` if it has one, else the one that comes with the tool.

    A project's folder need not be complete: what it lacks comes from the tool.
    """
    own = project_dir / FOLDER
    return own if own.is_dir() else packaged_directory()


def packaged_directory() -> Path:
    """The `templates/` of the wheel or of the checkout."""
    package = Path(__file__).resolve().parents[1]
    bundled = package / "_bundled" / FOLDER
    return bundled if bundled.is_dir() else package.parent / FOLDER
