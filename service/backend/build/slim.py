"""Build stage only: take out of an installed tree what a running service never reads.

Usage: python slim.py DIRECTORY. Prints the bytes before and after.
"""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

# Sources of compiled modules, type stubs and native headers.
SOURCE_SUFFIXES = {".c", ".cc", ".h", ".pxd", ".pxi", ".pyx", ".pyi"}
# Parts of packages that this service never imports.
UNUSED = (
    "sqlalchemy/dialects/mysql",
    "sqlalchemy/dialects/mssql",
    "sqlalchemy/dialects/oracle",
    "sqlalchemy/testing",
    "alembic/testing",
    "greenlet/tests",
    "greenlet/platform",
    "cffi",
    "pycparser",
)


def strip(path: Path) -> None:
    """Cut a 64-bit ELF file after its last loaded byte: symbol tables and debug information go.

    The loader reads program headers only; the section headers, which stand behind what is cut,
    are marked as absent. Does what `strip` does without needing a compiler's tools in the image.
    """
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02" or data[5] != 1:
        return
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    end = offset + size * count
    for index in range(count):
        start = offset + index * size
        file_offset, file_size = (
            struct.unpack_from("<Q", data, start + 8)[0],
            struct.unpack_from("<Q", data, start + 32)[0],
        )
        end = max(end, file_offset + file_size)
    header = bytearray(data[:end])
    struct.pack_into("<Q", header, 40, 0)
    struct.pack_into("<HH", header, 60, 0, 0)
    path.write_bytes(header)


def size_of(tree: Path) -> int:
    """Bytes of all files below `tree`."""
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def main(tree: Path) -> None:
    """Slim everything below `tree`."""
    before = size_of(tree)
    for packages in tree.glob("lib/python3*/site-packages"):
        for name in UNUSED:
            shutil.rmtree(packages / name, ignore_errors=True)
    for path in list(tree.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if path.suffix in SOURCE_SUFFIXES:
            path.unlink()
        elif ".so" in path.suffixes:
            strip(path)
    print(f"{before / 1e6:.1f} MB -> {size_of(tree) / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
