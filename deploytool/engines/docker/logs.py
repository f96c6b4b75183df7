"""Containers' output: one container's lines, and several containers' interleaved by time."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deploytool.engines.docker.client import Client, segment
from deploytool.engines.docker.frames import frames
from deploytool.engines.protocol import LogLine
from deploytool.errors import ChatbotError
from deploytool.plan.observed import ObservedContainer

REORDER = 0.12
"""Seconds that a followed line waits for an earlier one of another container."""
_OPEN_AT_ONCE = 48


def read_logs(
    client: Client,
    containers: Sequence[ObservedContainer],
    *,
    follow: bool = False,
    since: float | None = None,
    tail: int | None = None,
) -> Iterator[LogLine]:
    """Lines by timestamp; `tail` counts per container. With `follow`, until all containers have ended."""
    if follow:
        yield from _followed(client, containers, since=since, tail=tail)
        return
    if len(containers) > _OPEN_AT_ONCE or tail is not None:
        # Few lines each, or more streams than connections: read one after the other.
        gathered = [list(_lines(client, container, since=since, tail=tail)) for container in containers]
        yield from heapq.merge(*gathered, key=lambda line: line.timestamp)
        return
    streams = [_lines(client, container, since=since, tail=tail) for container in containers]
    yield from heapq.merge(*streams, key=lambda line: line.timestamp)


def last_lines(client: Client, container: str, count: int = 20) -> tuple[str, ...]:
    """The last lines of a container's output as text; empty when they cannot be had."""
    try:
        stream = _open(client, container, follow=False, since=None, tail=count)
        return tuple(text for _, _, text in stream)[-count:]
    except ChatbotError:
        return ()


def _lines(
    client: Client,
    container: ObservedContainer,
    *,
    follow: bool = False,
    since: float | None = None,
    tail: int | None = None,
    opened: Callable[[Any], None] | None = None,
) -> Iterator[LogLine]:
    stream = _open(client, container.id, follow=follow, since=since, tail=tail, opened=opened)
    for timestamp, name, text in stream:
        yield LogLine(
            service=container.service,
            container=container.name,
            timestamp=timestamp,
            stream=name,
            text=text,
        )


def _open(
    client: Client,
    container: str,
    *,
    follow: bool,
    since: float | None,
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
            "since": None if since is None else f"{since:.9f}",
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


class _End:
    """One followed container has ended."""


def _followed(
    client: Client, containers: Sequence[ObservedContainer], *, since: float | None, tail: int | None
) -> Iterator[LogLine]:
    arrived: queue.Queue[LogLine | _End | BaseException] = queue.Queue(maxsize=10_000)
    answers: list[Any] = []
    stopped = threading.Event()

    def put(item: LogLine | _End | BaseException) -> None:
        while not stopped.is_set():
            try:
                arrived.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def read(container: ObservedContainer) -> None:
        try:
            for line in _lines(client, container, follow=True, since=since, tail=tail, opened=answers.append):
                put(line)
            put(_End())
        except BaseException as error:
            put(_End() if stopped.is_set() else error)

    threads = [
        threading.Thread(target=read, args=(c,), name=f"logs {c.name}", daemon=True) for c in containers
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _in_order(arrived, len(threads))
    finally:
        stopped.set()
        for answer in answers:
            _hang_up(answer)


def _in_order(arrived: queue.Queue[LogLine | _End | BaseException], open_streams: int) -> Iterator[LogLine]:
    """Hand lines on in order of time, each REORDER seconds after it arrived."""
    waiting: list[tuple[str, int, float, LogLine]] = []
    count = 0
    while open_streams or waiting:
        pause = max(waiting[0][2] + REORDER - time.monotonic(), 0.0) if waiting else 60.0
        try:
            item = arrived.get(timeout=pause) if open_streams else None
        except queue.Empty:
            item = None
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, _End):
            open_streams -= 1
        elif item is not None:
            count += 1
            heapq.heappush(waiting, (item.timestamp, count, time.monotonic(), item))
        now = time.monotonic()
        while waiting and (not open_streams or waiting[0][2] + REORDER <= now):
            yield heapq.heappop(waiting)[3]


def _hang_up(answer: Any) -> None:
    """Close a stream that another thread is blocked in: shut the socket down, then close."""
    import contextlib
    import socket

    with contextlib.suppress(Exception):
        answer.raw._connection.sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(Exception):
        answer.close()
