"""The content address of an image: what it is made from decides its tag.

Same Dockerfile, arguments and files give the same tag on every machine, so a deploy that changes nothing
builds nothing and a rollback finds its image by name. Times, owners and the host's certificates have no
part in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deploytool.images.files import Hashes, walk
from deploytool.images.hash_cache import KeptHashes

# Changes when the meaning of a tag does: then every image gets a new one.
_FORM = 1
_TAG_DIGITS = 12


def content_digest(
    *,
    dockerfile: str,
    context: Path | None,
    args: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    target: str = "",
    ignore: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    base_images: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    cache: Path | None = None,
) -> str:
    """SHA-256 (64 hex digits) over everything that decides the image's content.

    `context` is read through its `.dockerignore`; `files` are further files by name, as for a context that
    exists only in memory. Paths in `ignore`, and what lies below them, do not count. `cache` is a folder in
    which hashes of large files are kept from one run to the next. Raises ContextMissing.
    """
    total = hashlib.sha256()
    facts = {
        "form": _FORM,
        "dockerfile": dockerfile,
        "args": sorted(dict(args).items()),
        "target": target,
        "base_images": sorted(dict(base_images).items()),
    }
    total.update(json.dumps(facts, sort_keys=True).encode())
    skipped = tuple(name.strip("/") for name in ignore)
    if context is not None:
        hashes: Hashes = KeptHashes(cache) if cache is not None else Hashes()
        for entry in walk(context):
            if _skips(entry.name, skipped):
                continue
            # A folder counts by what is in it and, when empty, by being there.
            content = hashes.of(entry.path) if entry.kind == "file" else entry.target
            _add(total, entry.name, entry.kind, entry.executable, content)
        if isinstance(hashes, KeptHashes):
            hashes.save()
    for name, content_bytes in sorted((files or {}).items()):
        if not _skips(name, skipped):
            _add(total, name, "file", False, hashlib.sha256(content_bytes).hexdigest())
    return total.hexdigest()


def image_tag(name: str, digest: str) -> str:
    """The image's full name: `chatbot/backend` and a digest give `chatbot/backend:<12 hex digits>`."""
    return f"{name}:{digest[:_TAG_DIGITS]}"


def _skips(name: str, skipped: tuple[str, ...]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in skipped)


def _add(total: hashlib._Hash, name: str, kind: str, executable: bool, content: str) -> None:
    total.update(json.dumps([name, kind, executable, content]).encode())
