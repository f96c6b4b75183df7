"""The files of a build context that are not ignored, in one order, with their content's hashes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploytool.errors import ContextMissing
from deploytool.images import ignore

# Never sent, even where `.dockerignore` says nothing: it names the tag and filters the context, no more.
_OURS = ignore.FILE


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of the context: `kind` is "file", "folder" or "link"."""

    name: str
    path: Path
    kind: str
    size: int = 0
    executable: bool = False
    target: str = ""


def walk(context: Path) -> Iterator[Entry]:
    """Every path that the build gets to see, parents first, sorted by name.

    Raises ContextMissing for a context that is no folder, a folder or file that cannot be read, or a link
    that leads out of the context.
    """
    if not context.is_dir():
        raise ContextMissing(
            f"the build context {context} is not there"
            if not context.exists()
            else f"{context} is not a folder",
            hint="set services.<name>.build.context to a folder of the project",
        )
    rules = read_ignore(context)
    yield from _walk(context, context, "", rules)


def read_ignore(context: Path) -> ignore.Ignore:
    """The context's `.dockerignore`; none is as good as an empty one."""
    path = context / ignore.FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ignore.Ignore()
    except (OSError, UnicodeDecodeError) as error:
        raise ContextMissing(f"{path} cannot be read: {_reason(error)}", where=str(path)) from error
    return ignore.parse(text, where=str(path))


def _walk(context: Path, folder: Path, prefix: str, rules: ignore.Ignore) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
    except OSError as error:
        raise _unreadable(folder, error) from error
    for child in children:
        name = prefix + child.name
        if name == _OURS:
            continue
        left_out = rules.excludes(name)
        if child.is_dir(follow_symlinks=False):
            if left_out and not rules.may_take_back_below(name):
                continue
            inside = _walk(context, Path(child.path), f"{name}/", rules)
            if not left_out:
                yield Entry(name, Path(child.path), "folder")
                yield from inside
                continue
            # Left out itself, yet something in it may be taken back; then its folders come along.
            first = next(inside, None)
            if first is not None:
                yield Entry(name, Path(child.path), "folder")
                yield first
                yield from inside
        elif not left_out:
            entry = _entry(context, name, child)
            if entry is not None:
                yield entry


def _entry(context: Path, name: str, child: os.DirEntry[str]) -> Entry | None:
    path = Path(child.path)
    if child.is_symlink():
        target = str(path.readlink())
        # By the text of the path: nothing is followed, so nothing outside is touched.
        landing = Path(os.path.normpath(path.parent / target))
        if target.startswith("/") or not landing.is_relative_to(os.path.normpath(context)):
            raise ContextMissing(
                f"{path} is a link that leads out of the build context, to {target}",
                hint=f"leave it out by a line `{name}` in {context / ignore.FILE}, or put the file there",
            )
        return Entry(name, path, "link", target=target)
    try:
        facts = child.stat(follow_symlinks=False)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(facts.st_mode):
        return None  # sockets and pipes have no content to send
    return Entry(name, path, "file", facts.st_size, bool(facts.st_mode & 0o111))


class Hashes:
    """SHA-256 of files; what was hashed once in this process is not read again while it is unchanged.

    "Unchanged" means same size, times and inode, and a modification that lay at least two seconds back when
    the file was read: within the clock's grain a second write might leave no trace.
    """

    _GRAIN = 2_000_000_000

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def of(self, path: Path) -> str:
        """The hash as 64 hex digits. Raises ContextMissing when the file cannot be read."""
        try:
            with path.open("rb") as file:
                facts = os.fstat(file.fileno())
                mark = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_dev)
                known = self._known.get(str(path))
                if known is not None and known[0] == mark:
                    return known[1]
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(path, error) from error
        self._remember(path, mark, digest)
        return digest

    def _remember(self, path: Path, mark: tuple[int, ...], digest: str) -> None:
        import time

        if time.time_ns() - mark[1] > self._GRAIN:
            self._known[str(path)] = (mark, digest)


def _unreadable(path: Path, error: OSError) -> ContextMissing:
    return ContextMissing(
        f"{path} cannot be read: {_reason(error)}",
        hint=f"make it readable, or leave it out in the context's {ignore.FILE}",
        where=str(path),
    )


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
