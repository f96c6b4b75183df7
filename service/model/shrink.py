"""Cut what the loader never reads off shared libraries: the published runtime carries 80 MB of debug symbols.

Runs in a build stage. `strip` would do the same, but neither base image has it. Sections are for linkers and
debuggers; a running program needs the segments alone, and those come first in the file.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

ELF64_LITTLE = b"\x7fELF\x02\x01"
# Offsets in the ELF64 header and in a program header: see elf(5).
SECTION_FIELDS_AT = 0x28
PROGRAM_FIELDS_AT = 0x20


def shrink(library: Path) -> int:
    """Cut one library after its last segment, in place; returns the bytes saved, 0 for anything but ELF64."""
    content = bytearray(library.read_bytes())
    if not content.startswith(ELF64_LITTLE):
        return 0
    (table,) = struct.unpack_from("<Q", content, PROGRAM_FIELDS_AT)
    entry_size, entries = struct.unpack_from("<HH", content, 0x36)
    end = table + entry_size * entries
    for number in range(entries):
        start = table + number * entry_size
        (offset,) = struct.unpack_from("<Q", content, start + 8)
        (size,) = struct.unpack_from("<Q", content, start + 32)
        end = max(end, offset + size)
    saved = len(content) - end
    if saved <= 0:
        return 0
    struct.pack_into("<Q", content, SECTION_FIELDS_AT, 0)
    struct.pack_into("<HHH", content, 0x3A, 64, 0, 0)
    library.write_bytes(content[:end])
    return saved


def main() -> None:
    """Shrink every shared library under the folders given as arguments."""
    for folder in sys.argv[1:]:
        for library in sorted(Path(folder).rglob("*.so")):
            sys.stdout.write(f"{library.name}: {shrink(library) / 1e6:.0f} MB saved\n")


if __name__ == "__main__":
    main()
