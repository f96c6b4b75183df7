"""The release history as files of the engine's state volume.

`history.json` lists the records, newest last; `releases/<number>/…` holds each release's bundle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

HISTORY_FILE = "history.json"
FORMAT = 1
KEEP = 10
"""How many releases keep their bundle; the record of an older one stays."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `at` is seconds since the epoch, `seconds` how long the deploy took."""

    number: int
    at: float
    by: str
    message: str
    seconds: float
    images: dict[str, str]
    """Image id by service."""
    secrets: dict[str, str]
    """Version of the secrets by service."""
    tool: str = ""


def releases(state: Mapping[str, bytes]) -> tuple[Release, ...]:
    """The records, oldest first; empty when nothing was deployed."""
    raw = state.get(HISTORY_FILE)
    if not raw:
        return ()
    return tuple(Release(**entry) for entry in json.loads(raw)["releases"])


def next_number(state: Mapping[str, bytes]) -> int:
    """The number of the release to come."""
    known = releases(state)
    return known[-1].number + 1 if known else 1


def bundle_of(state: Mapping[str, bytes], number: int) -> dict[str, bytes]:
    """The files of one release's bundle; empty when they are not kept any more."""
    prefix = f"releases/{number}/"
    return {path.removeprefix(prefix): content for path, content in state.items() if path.startswith(prefix)}


def with_release(
    state: Mapping[str, bytes], release: Release, bundle: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The files to be written so that the history holds this release too."""
    entries = [asdict(entry) for entry in (*releases(state), release)]
    files = {f"releases/{release.number}/{path}": content for path, content in bundle.items()}
    files[HISTORY_FILE] = json.dumps({"format": FORMAT, "releases": entries}, indent=1).encode()
    return files
