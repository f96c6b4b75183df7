"""What a stand-in is: its inputs, the address computed from them, and the call that makes its file tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STAND_IN_LABEL = "io.chatbot.stand-in"
RECIPE_LABEL = "io.chatbot.recipe"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of a Python package index, pinned by the SHA-256 of its bytes."""

    project: str
    version: str
    sha256: str
    # pip's platform tag, for a wheel that is not made for the interpreter running this.
    platform: str


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a recipe works and with whom it talks."""

    directory: Path
    wheels: Path
    report: Report


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one stand-in is made; everything that decides its content is in `inputs`."""

    name: str
    # The tag without the recipe's hash: `chatbot-base/python:3.11`.
    repository: str
    version: str
    # Machine (as `docker info` names it) → wheels. A machine that is not listed cannot have this stand-in.
    wheels: Mapping[str, tuple[Wheel, ...]]
    # What else decides the content: package lists, versions of our own steps.
    inputs: Mapping[str, object]
    # Dockerfile instructions the image is imported with.
    changes: tuple[str, ...]
    # Writes the file tree as an uncompressed tar to the path given and returns nothing.
    make: Callable[[Workshop, tuple[Path, ...], Path], None] = field(repr=False)
    # Host commands the recipe calls, with the apt package that holds each.
    commands: Mapping[str, str] = field(default_factory=dict)
    # Whether it runs or handles the target's machine code, so that both machines must be of one kind.
    native: bool = False

    def digest(self, machine: str) -> str:
        """SHA-256 of everything that decides the image's content on this machine, as 64 hex digits."""
        facts = {
            "name": self.name,
            "machine": machine,
            "wheels": [
                [wheel.project, wheel.version, wheel.sha256] for wheel in self.wheels.get(machine, ())
            ],
            "inputs": dict(self.inputs),
            "changes": list(self.changes),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def reference(self, machine: str) -> str:
        """The tag the stand-in gets: `chatbot-base/node:20-<first 12 hex digits of the recipe>`."""
        return f"{self.repository}:{self.version}-{self.digest(machine)[:12]}"
