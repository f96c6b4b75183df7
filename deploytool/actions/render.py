"""`chatbot render`: write the bundle that a deploy would run. Needs no engine, holds no secret value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploytool.actions.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was written: sizes in bytes and SHA-256 by path; `changed` names files whose bytes are new."""

    directory: Path
    files: dict[str, tuple[int, str]]
    changed: tuple[str, ...]


def default_directory(prepared: Prepared) -> Path:
    """Where a bundle goes without --out."""
    return prepared.project_dir / ".chatbot" / "bundles" / prepared.facts.environment


def render(prepared: Prepared, directory: Path | None = None) -> Rendered:
    """Write the bundle. Files of an older bundle that are not part of this one are removed."""
    import hashlib

    from deploytool.render import write_bundle

    target = directory or default_directory(prepared)
    before = {
        path: (target / path).read_bytes() for path in prepared.bundle.files if (target / path).is_file()
    }
    write_bundle(prepared.bundle, target)
    return Rendered(
        directory=target,
        files={
            path: (len(content), hashlib.sha256(content).hexdigest())
            for path, content in sorted(prepared.bundle.files.items())
        },
        changed=tuple(
            sorted(path for path, content in prepared.bundle.files.items() if before.get(path) != content)
        ),
    )
