"""Taking packages out of an unpacked Alpine tree by its own database, without running anything in the tree.

`apk del` would need root and a kernel that runs the tree's machine code; reading `lib/apk/db/installed` needs
neither. Format: https://wiki.alpinelinux.org/wiki/Apk_spec (one block per package, one letter per field).
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# Owner, group and mode of a path.
Facts = tuple[int, int, int]

DATABASE = Path("lib/apk/db")
_VERSION = re.compile(r"[<>=~].*$")


@dataclass(slots=True)
class Package:
    """One installed package as the database tells it."""

    name: str = ""
    checksum: str = ""
    block: str = ""
    needs: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    # Path without a leading slash → owner, group and mode where they differ from root and the default.
    paths: dict[str, Facts | None] = field(default_factory=dict)


def read(root: Path) -> tuple[Package, ...]:
    """The packages installed in the tree."""
    text = (root / DATABASE / "installed").read_text(encoding="utf-8")
    return tuple(_package(block) for block in text.split("\n\n") if block.strip())


def closure(packages: Iterable[Package], wanted: Iterable[str]) -> frozenset[str]:
    """The names of the wanted packages and of all they need, directly or not.

    A need for a command, library or virtual name is met by every installed package that offers it.
    """
    by_name = {package.name: package for package in packages}
    offered: dict[str, set[str]] = {}
    for package in by_name.values():
        for offer in (package.name, *package.offers):
            offered.setdefault(offer, set()).add(package.name)
    for package in by_name.values():
        for path in package.paths:
            offered.setdefault(f"/{path}", set()).add(package.name)
    kept: set[str] = set()
    waiting = list(wanted)
    while waiting:
        for name in offered.get(waiting.pop(), ()):
            if name not in kept:
                kept.add(name)
                waiting += by_name[name].needs
    return frozenset(kept)


def keep(root: Path, wanted: tuple[str, ...]) -> dict[str, Facts | None]:
    """Reduce the database to the wanted packages and what they need; returns every path these own.

    Paths have no leading slash; the facts are (uid, gid, mode) where the database states them. The files of
    the other packages stay in the tree: whoever packs it takes the returned paths alone.
    """
    packages = read(root)
    names = closure(packages, wanted)
    kept = [package for package in packages if package.name in names]
    _rewrite_database(root, kept, wanted)
    return {path: facts for package in kept for path, facts in package.paths.items()}


def _rewrite_database(root: Path, kept: list[Package], wanted: tuple[str, ...]) -> None:
    database = root / DATABASE
    (database / "installed").write_text("".join(package.block + "\n\n" for package in kept), encoding="utf-8")
    (root / "etc/apk/world").write_text("".join(f"{name}\n" for name in sorted(wanted)), encoding="utf-8")
    checksums = {package.checksum for package in kept}
    triggers = database / "triggers"
    lines = triggers.read_text(encoding="utf-8").splitlines(keepends=True)
    triggers.write_text(
        "".join(line for line in lines if line.split(" ", 1)[0] in checksums), encoding="utf-8"
    )
    packed = database / "scripts.tar.gz"
    if packed.is_file():
        packed.write_bytes(_scripts_of(packed, checksums))


def _scripts_of(packed: Path, checksums: set[str]) -> bytes:
    """The packed install scripts of the packages that stay.

    Entries are named `package-version.X1<sha1 as hex>.<kind>`; the database writes the same sum as
    `Q1<base64>`.
    """
    marks = {f".X1{base64.b64decode(checksum.removeprefix('Q1')).hex()}." for checksum in checksums}
    plain = io.BytesIO()
    with (
        tarfile.open(packed) as source,
        tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as kept,
    ):
        for entry in source:
            if any(mark in entry.name for mark in marks):
                kept.addfile(entry, source.extractfile(entry) if entry.isfile() else None)
    return gzip.compress(plain.getvalue(), mtime=0)


def _package(block: str) -> Package:
    package = Package(block=block.strip("\n"))
    folder, last = "", ""
    for line in package.block.splitlines():
        letter, _, value = line.partition(":")
        if letter == "P":
            package.name = value
        elif letter == "C":
            package.checksum = value
        elif letter == "D":
            package.needs = tuple(
                _VERSION.sub("", need) for need in value.split() if not need.startswith("!")
            )
        elif letter == "p":
            package.offers = tuple(_VERSION.sub("", offer) for offer in value.split())
        elif letter == "F":
            folder = last = value
            package.paths.setdefault(folder, None)
        elif letter == "R":
            last = f"{folder}/{value}" if folder else value
            package.paths[last] = None
        elif letter in ("M", "a"):
            user, group, mode = value.split(":")[:3]
            package.paths[last] = (int(user), int(group), int(mode, 8))
    package.paths.pop("", None)
    return package
