"""Names for the shell's completion, from file names and a glance at the YAML text: it must be quick."""

from __future__ import annotations

import re
from pathlib import Path

import typer

_SERVICES = re.compile(r"^services:\s*(?:#.*)?$")
_KEY = re.compile(r"^ {2}([A-Za-z0-9][\w-]*):")


def environment_names(context: typer.Context, incomplete: str) -> list[str]:
    """Completions of an environment's name."""
    return [name for name in environments_in(_project(context)) if name.startswith(incomplete)]


def service_names(context: typer.Context, incomplete: str) -> list[str]:
    """Completions of a service's name."""
    return [name for name in services_in(_project(context)) if name.startswith(incomplete)]


def environments_in(project: Path) -> list[str]:
    """The environments that have a file."""
    return sorted(path.stem for path in (project / "environments").glob("*.yaml") if path.stem != "base")


def services_in(project: Path) -> list[str]:
    """The services that any environment's file names."""
    found: set[str] = set()
    for path in (project / "environments").glob("*.yaml"):
        inside = False
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line[:1].strip():
                inside = bool(_SERVICES.match(line))
            elif inside and (key := _KEY.match(line)):
                found.add(key[1])
    return sorted(found)


def nearest_project(here: Path) -> Path:
    """The nearest folder upwards with `environments/`, else the one given."""
    return next((folder for folder in (here, *here.parents) if (folder / "environments").is_dir()), here)


def _project(context: typer.Context) -> Path:
    given = context.params.get("project_dir")
    return Path(given) if given else nearest_project(Path.cwd())
