"""Writing a root file system as a tar without being root: owners and modes are entries, not facts on disk."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import TracebackType
from typing import IO

# Every entry carries the same time, so that equal inputs give equal bytes.
EPOCH = 1_700_000_000


class TreeWriter:
    """Collects a file tree into an uncompressed GNU tar; parents are added before what lies in them."""

    def __init__(self, target: Path) -> None:
        self._tar = tarfile.open(target, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed by __exit__
        self._known: set[str] = set()

    def __enter__(self) -> TreeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def directory(self, name: str, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> None:
        """A directory, by its path without a leading slash."""
        if name and name not in self._known:
            self._parents(name)
            entry = self._entry(name, mode, owner)
            entry.type = tarfile.DIRTYPE
            self._add(entry)

    def text(self, name: str, content: str, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
        """A small file from memory."""
        self.content(name, content.encode(), mode, owner)

    def content(self, name: str, content: bytes, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
        """A file from bytes in memory."""
        self._parents(name)
        entry = self._entry(name, mode, owner)
        entry.size = len(content)
        self._add(entry, io.BytesIO(content))

    def file(self, name: str, source: Path, mode: int, owner: tuple[int, int] = (0, 0)) -> None:
        """A file whose bytes lie on this machine."""
        self._parents(name)
        entry = self._entry(name, mode, owner)
        with source.open("rb") as content:
            entry.size = source.stat().st_size
            self._add(entry, content)

    def link(self, name: str, target: str) -> None:
        """A symbolic link."""
        self._parents(name)
        entry = self._entry(name, 0o777, (0, 0))
        entry.type = tarfile.SYMTYPE
        entry.linkname = target
        self._add(entry)

    def copy(self, entry: tarfile.TarInfo, content: IO[bytes] | None, name: str) -> None:
        """An entry of another tar under a new name; hard links must already be under their new name."""
        entry.name = name
        entry.mtime = int(entry.mtime)
        entry.pax_headers = {}
        entry.uname = entry.gname = ""
        self._add(entry, content)

    def _parents(self, name: str) -> None:
        parent = name.rpartition("/")[0]
        if parent and parent not in self._known:
            self.directory(parent)

    def _entry(self, name: str, mode: int, owner: tuple[int, int]) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.mode, (entry.uid, entry.gid), entry.mtime = mode, owner, EPOCH
        return entry

    def _add(self, entry: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
        self._known.add(entry.name)
        self._tar.addfile(entry, content)
