"""The engine's multiplexed streams: an 8-byte header (stream number, length) before each piece of output.

Source: the Engine API's documentation of `POST /containers/{id}/attach`, "Stream format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_HEADER = 8
_CHUNK = 65536


def frames(read: Callable[[int], bytes]) -> Iterator[tuple[str, bytes]]:
    """Pairs of stream name and content until the end.

    `read(n)` gives what is there, at most n bytes, and b"" at the end. A frame that is cut off is handed on.
    """
    buffer = bytearray()

    def fill(length: int) -> bool:
        while len(buffer) < length:
            piece = read(_CHUNK)
            if not piece:
                return False
            buffer.extend(piece)
        return True

    while fill(_HEADER):
        number, length = struct.unpack_from(">BxxxL", buffer)
        complete = fill(_HEADER + length)
        yield STREAMS.get(number, "stdout"), bytes(buffer[_HEADER : _HEADER + length])
        del buffer[: _HEADER + length]
        if not complete:
            return
