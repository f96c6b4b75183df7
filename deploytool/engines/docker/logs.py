"""Containers' output so far: one container's lines, and several containers' interleaved by time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploytool.engines.docker.client import Client, segment
from deploytool.engines.docker.frames import frames
from deploytool.engines.protocol import LogLine
from deploytool.errors import ChatbotError
from deploytool.plan.observed import ObservedContainer

_OPEN_AT_ONCE = 48


@dataclass(frozen=True, slots=True)
class Source:
    """Whose lines they are."""

    id: str
    service: str
    name: str


def read_logs(
    client: Client,
    containers: Sequence[ObservedContainer],
    *,
    since: float | None = None,
    tail: int | None = None,
) -> Iterator[LogLine]:
    """Lines by timestamp; `tail` counts per container."""
    text = None if since is None else f"{since:.9f}"
    sources = [Source(c.id, c.service, c.name) for c in containers]
    streams: list[Iterator[LogLine]] = [lines(client, c, since=text, tail=tail) for c in sources]
    if len(containers) > _OPEN_AT_ONCE or tail is not None:
        # Few lines each, or more streams than connections: read one after the other.
        streams = [iter(list(stream)) for stream in streams]
    yield from heapq.merge(*streams, key=lambda line: line.timestamp)


def last_lines(client: Client, container: str, count: int = 20) -> tuple[str, ...]:
    """The last lines of a container's output as text; empty when they cannot be had."""
    try:
        stream = _open(client, container, follow=False, since=None, tail=count)
        return tuple(text for _, _, text in stream)[-count:]
    except ChatbotError:
        return ()


def lines(
    client: Client,
    source: Source,
    *,
    follow: bool = False,
    since: str | None = None,
    tail: int | None = None,
    opened: Callable[[Any], None] | None = None,
) -> Iterator[LogLine]:
    """One container's lines. `since` is in seconds with nanoseconds after the point; `opened` is handed the
    response, so that somebody else can hang up."""
    stream = _open(client, source.id, follow=follow, since=since, tail=tail, opened=opened)
    for timestamp, name, text in stream:
        yield LogLine(source.service, source.name, timestamp, name, text)


def _open(
    client: Client,
    container: str,
    *,
    follow: bool,
    since: str | None,
    tail: int | None,
    opened: Callable[[Any], None] | None = None,
) -> Iterator[tuple[str, str, str]]:
    """Timestamp, stream and text of each line."""
    answer = client.call(
        "GET",
        f"/containers/{segment(container)}/logs",
        parameters={
            "stdout": True,
            "stderr": True,
            "timestamps": True,
            "follow": follow,
            "since": since,
            "tail": "all" if tail is None else tail,
        },
        stream=True,
        timeout=(10.0, None) if follow else None,
        expect=(404,),
    )
    if answer.status_code == 404:
        return
    if opened:
        opened(answer)
    try:
        with client.reading():
            yield from _whole_lines(frames(lambda size: answer.raw.read1(size)))
    finally:
        answer.close()


def _whole_lines(pieces: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, str, str]]:
    """Join what the engine split: a line longer than 16 KiB comes in pieces, each with its own timestamp."""
    unfinished: dict[str, tuple[str, bytes]] = {}
    for stream, content in pieces:
        stamp, _, text = content.partition(b" ")
        began, before = unfinished.pop(stream, (stamp.decode(errors="replace"), b""))
        if text.endswith(b"\n"):
            yield began, stream, _text(before + text[:-1])
        else:
            unfinished[stream] = (began, before + text)
    for stream, (began, text) in unfinished.items():
        yield began, stream, _text(text)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").rstrip("\r")
