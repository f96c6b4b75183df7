"""A build context as the tar that the engine takes.

GNU format, no entry for the root folder: the engine takes a tar with a PAX header for a Dockerfile. Owners
and modes are normal (root; 0755 or 0644), so the same tree gives the same bytes on every machine. A file's
time is made from its content: equal everywhere, and different when the content is, which build tools with
time-stamp caches rely on.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from deploytool.errors import ContextMissing
from deploytool.images.files import Entry, Hashes, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

# Up to this size the tar stays in memory.
_IN_MEMORY = 32 << 20
_OLDEST = 1_500_000_000
_SPAN = 1 << 27


@contextmanager
def packed(context: Path | None, files: Mapping[str, bytes]) -> Iterator[IO[bytes]]:
    """The context with the further `files` in it, as an open tar at its beginning; gone when the block ends.

    A further file takes the place of one of the same name. Raises ContextMissing (see files.walk).
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as target:
        write(target, context, files)
        target.seek(0)
        yield target


def write(target: IO[bytes], context: Path | None, files: Mapping[str, bytes]) -> None:
    """Write the tar."""
    hashes = Hashes()
    known: set[str] = set()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        if context is not None:
            for entry in walk(context):
                if entry.name not in files:
                    _add_entry(tar, entry, hashes)
                    known.add(entry.name)
        for name, content in sorted(files.items()):
            _add_parents(tar, name, known)
            _add_content(tar, name, content)


def _add_entry(tar: tarfile.TarFile, entry: Entry, hashes: Hashes) -> None:
    info = tarfile.TarInfo(entry.name)
    info.mtime = _OLDEST
    if entry.kind == "folder":
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    elif entry.kind == "link":
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.target
        tar.addfile(info)
    else:
        info.mode = 0o755 if entry.executable else 0o644
        info.mtime = time_of(hashes.of(entry.path))
        info.size = entry.size
        try:
            with entry.path.open("rb") as content:
                tar.addfile(info, content)
        except OSError as error:
            raise ContextMissing(
                f"{entry.path} changed while it was read: {error}", where=str(entry.path)
            ) from error


def _add_parents(tar: tarfile.TarFile, name: str, known: set[str]) -> None:
    parts = name.split("/")[:-1]
    for count in range(1, len(parts) + 1):
        folder = "/".join(parts[:count])
        if folder not in known:
            known.add(folder)
            info = tarfile.TarInfo(folder)
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, _OLDEST
            tar.addfile(info)


def _add_content(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    info.mtime = time_of(hashlib.sha256(content).hexdigest())
    tar.addfile(info, io.BytesIO(content))


def time_of(digest: str) -> int:
    """A time between 2017 and 2021 (seconds since 1970) that depends on the content's SHA-256 alone."""
    return _OLDEST + int(digest[:8], 16) % _SPAN
