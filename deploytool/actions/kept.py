"""The last rendered bundle of an environment, used again as long as nothing it was made from has changed.

A deploy that has nothing to do spends most of its time on importing what validates settings and renders
templates. Rendering is a function of its inputs, so its result is kept under the hash of all of them: the
environment files, the templates, the `CHATBOT__` variables, the names of the secrets that have values, and
this tool's own code. Images' tags are worked out anew each time from the sources.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from deploytool import __version__
from deploytool.actions.facts import BuildInput, Facts
from deploytool.render.files import Bundle, packaged_directory, templates_directory
from deploytool.settings import process

_FORMAT = 1


def key_of(environment: str, project_dir: Path, secret_names: Iterable[str]) -> str:
    """SHA-256 over everything that a bundle is made from, the images' sources left out."""
    total = hashlib.sha256()

    def add(*words: object) -> None:
        total.update(json.dumps([str(word) for word in words]).encode())

    package = Path(__file__).resolve().parents[1]
    add(_FORMAT, __version__, environment, *sorted(secret_names))
    for path in sorted(package.rglob("*.py")):
        facts = path.stat()
        add(path.relative_to(package), facts.st_size, facts.st_mtime_ns)
    packaged = packaged_directory()
    for folder, pattern in (
        (project_dir / "environments", "*.yaml"),
        (packaged.parent / "environments", "*.yaml"),
        (templates_directory(project_dir), "**/*"),
        (packaged, "**/*"),
    ):
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                add(folder, path.relative_to(folder), hashlib.sha256(path.read_bytes()).hexdigest())
    for name, value in sorted(process.overrides().items()):
        add(name, value)
    return total.hexdigest()


def read(path: Path, key: str) -> tuple[Facts, list[BuildInput], dict[str, str], Bundle] | None:
    """Facts, build inputs, tags and bundle that were kept under this key; None when there are none."""
    try:
        kept = json.loads(path.read_bytes())
        if kept["key"] != key:
            return None
        return (
            Facts(**kept["facts"]),
            [BuildInput(**entry) for entry in kept["builds"]],
            dict(kept["tags"]),
            Bundle({name: text.encode() for name, text in kept["files"].items()}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # nothing kept, or by another version: it is made anew


def write(
    path: Path, key: str, facts: Facts, builds: list[BuildInput], tags: dict[str, str], bundle: Bundle
) -> None:
    """Keep a bundle; where nothing can be written, nothing is kept."""
    content = json.dumps(
        {
            "key": key,
            "facts": asdict(facts),
            "builds": [asdict(entry) for entry in builds],
            "tags": tags,
            "files": {name: content.decode() for name, content in bundle.files.items()},
        }
    )
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        Path(name).replace(path)
