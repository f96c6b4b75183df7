"""Names for the shell's completion, from file names and a glance at the YAML text: it must be quick."""

from __future__ import annotations

import re
from pathlib import Path

_SERVICES = re.compile(r"^services:\s*(?:#.*)?$")
_KEY = re.compile(r"^ {2}([A-Za-z0-9][\w-]*):")


def environment_names(incomplete: str = "") -> list[str]:
    """The environments that have a file."""
    names = (path.stem for path in _folder().glob("*.yaml"))
    return sorted(name for name in names if name != "base" and name.startswith(incomplete))


def service_names(incomplete: str = "") -> list[str]:
    """The services that any environment's file names."""
    found: set[str] = set()
    for path in _folder().glob("*.yaml"):
        inside = False
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line[:1].strip():
                inside = bool(_SERVICES.match(line))
            elif inside and (key := _KEY.match(line)):
                found.add(key[1])
    return sorted(name for name in found if name.startswith(incomplete))


def _folder() -> Path:
    here = Path.cwd()
    return next(
        (folder / "environments" for folder in (here, *here.parents) if (folder / "environments").is_dir()),
        here / "environments",
    )
