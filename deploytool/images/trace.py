"""BuildKit's progress messages: protobuf, decoded by hand since a library would weigh more than this.

Source of the field numbers: github.com/moby/buildkit, api/services/control/control.proto (StatusResponse,
Vertex, VertexLog) and protobuf's timestamp.proto. Unknown fields are skipped, as protobuf demands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Value = int | bytes

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class Malformed(ValueError):
    """The bytes are no protobuf message."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """A step's state. Times are seconds since 1970; 0 means: not yet."""

    digest: str
    name: str
    cached: bool
    started: float
    completed: float
    error: str


@dataclass(frozen=True, slots=True)
class Log:
    """A piece of a step's output; it may begin and end in the middle of a line."""

    vertex: str
    message: bytes


def decode(message: bytes) -> tuple[tuple[Vertex, ...], tuple[Log, ...]]:
    """The steps and the output of one StatusResponse. Raises Malformed."""
    vertexes: list[Vertex] = []
    logs: list[Log] = []
    for number, value in fields(message):
        if number == 1 and isinstance(value, bytes):
            vertexes.append(_vertex(dict(fields(value))))
        elif number == 3 and isinstance(value, bytes):
            found = dict(fields(value))
            logs.append(Log(_text(found.get(1)), _bytes(found.get(4))))
    return tuple(vertexes), tuple(logs)


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Number and raw value of every field of a message, in order. Raises Malformed."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _VARINT:
            number, position = _varint(message, position)
            yield key >> 3, number
            continue
        if kind == _LENGTH:
            size, position = _varint(message, position)
        elif kind == _FIXED64:
            size = 8
        elif kind == _FIXED32:
            size = 4
        else:
            raise Malformed(f"unknown wire type {kind}")
        if position + size > end:
            raise Malformed("the message ends within a field")
        yield key >> 3, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if position >= len(message) or shift > 63:
            raise Malformed("the message ends within a number")
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return result, position


def _vertex(found: dict[int, Value]) -> Vertex:
    return Vertex(
        digest=_text(found.get(1)),
        name=_text(found.get(3)),
        cached=bool(found.get(4)),
        started=_time(found.get(5)),
        completed=_time(found.get(6)),
        error=_text(found.get(7)),
    )


def _time(value: Value | None) -> float:
    if not isinstance(value, bytes):
        return 0.0
    found = dict(fields(value))
    seconds, nanoseconds = found.get(1, 0), found.get(2, 0)
    return (int(seconds) if isinstance(seconds, int) else 0) + (
        nanoseconds / 1e9 if isinstance(nanoseconds, int) else 0.0
    )


def _bytes(value: Value | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: Value | None) -> str:
    return _bytes(value).decode("utf-8", "replace")
