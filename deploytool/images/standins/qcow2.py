"""Reading a QEMU copy-on-write disk image (qcow2) into a sparse raw one.

Only what a released cloud image uses: version 2 or 3, no backing file, no encryption, clusters stored
plainly or compressed with deflate. Source: QEMU's docs/interop/qcow2.txt.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQ")
_COMPRESSION_TYPE_OFFSET = 104
_OFFSET_MASK = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED = 1 << 62
_ALL_ZEROES = 1
_SECTOR = 512


class Unreadable(ValueError):
    """The image is damaged or uses a feature outside the subset above."""


def to_raw(source: Path, target: Path) -> int:
    """Write the disk's content to `target`, with holes where it is empty; returns its size in bytes."""
    with source.open("rb") as image, target.open("wb") as raw:
        header = image.read(112)
        if len(header) < _HEADER.size or header[:4] != _MAGIC:
            raise Unreadable(f"{source.name} is not a qcow2 image")
        _, version, backing, _, cluster_bits, size, encryption, l1_count, l1_offset = _HEADER.unpack_from(
            header
        )
        if backing or encryption:
            raise Unreadable(f"{source.name} has a backing file or is encrypted")
        if version >= 3 and len(header) > _COMPRESSION_TYPE_OFFSET and header[_COMPRESSION_TYPE_OFFSET]:
            raise Unreadable(f"{source.name} is compressed with something else than deflate")
        raw.truncate(size)
        cluster = 1 << cluster_bits
        per_table = cluster // 8
        for number, entry in enumerate(_table(image, l1_offset, l1_count)):
            if not entry & _OFFSET_MASK:
                continue
            for index, pointer in enumerate(_table(image, entry & _OFFSET_MASK, per_table)):
                data = _cluster(image, pointer, cluster_bits)
                if data:
                    position = (number * per_table + index) * cluster
                    raw.seek(position)
                    raw.write(data[: size - position])
    return int(size)


def _table(image: BinaryIO, offset: int, count: int) -> tuple[int, ...]:
    image.seek(offset)
    return struct.unpack(f">{count}Q", image.read(8 * count))


def _cluster(image: BinaryIO, pointer: int, cluster_bits: int) -> bytes:
    """One cluster's bytes, empty for one that was never written or is all zeroes."""
    cluster = 1 << cluster_bits
    if pointer & _COMPRESSED:
        offset_bits = 62 - (cluster_bits - 8)
        offset = pointer & ((1 << offset_bits) - 1)
        sectors = ((pointer & (_COMPRESSED - 1)) >> offset_bits) + 1
        image.seek(offset)
        packed = image.read(sectors * _SECTOR - offset % _SECTOR)
        return zlib.decompressobj(-15).decompress(packed, cluster)
    if pointer & _ALL_ZEROES or not pointer & _OFFSET_MASK:
        return b""
    image.seek(pointer & _OFFSET_MASK)
    return image.read(cluster)
