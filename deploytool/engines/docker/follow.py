"""Output as it comes, across restarts and replacements: containers of the same services join in."""

from __future__ import annotations

import contextlib
import heapq
import json
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from deploytool.engines.docker.client import Client
from deploytool.engines.docker.logs import Source, lines
from deploytool.engines.protocol import LogLine
from deploytool.plan.observed import ObservedContainer
from deploytool.stack import labels

REORDER = 0.12
"""Seconds that a line waits for an earlier one of another container."""
_WAITING_LINES = 10_000
_PARTING = 1.0
"""Seconds that the reading threads get to notice that they were hung up on."""


class _End:
    """One stream has ended."""


def follow_logs(
    client: Client,
    containers: Sequence[ObservedContainer],
    *,
    since: float | None = None,
    tail: int | None = None,
) -> Iterator[LogLine]:
    """Lines so far and as they come, until the caller stops asking; at once over when nothing runs."""
    # A client of its own: a stream is ended by hanging up while its thread reads it, and what the HTTP
    # library then holds of that connection must never come back to the pool that all other calls use.
    own = client.another()
    following = _Following(own)
    try:
        yield from following.run(containers, since=since, tail=tail)
    finally:
        following.stop()
        own.close()


class _Following:
    """Threads that read, one per container and one for the engine's events, and the queue they fill."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.arrived: queue.Queue[LogLine | _End | BaseException] = queue.Queue(_WAITING_LINES)
        self.stopped = threading.Event()
        self.answers: list[Any] = []
        self.threads: list[threading.Thread] = []
        self.reached: dict[str, str] = {}
        """Container id → timestamp of its last line, so that a restarted one goes on right after it."""
        self.reading: set[str] = set()
        self.open = 0
        self.lock = threading.Lock()

    def run(
        self, containers: Sequence[ObservedContainer], *, since: float | None, tail: int | None
    ) -> Iterator[LogLine]:
        """All lines, in order of time as far as they arrive within REORDER of each other."""
        if any(container.state in ("running", "restarting", "paused") for container in containers):
            self._watch_for_more(containers)
        for container in containers:
            source = Source(container.id, container.service, container.name)
            self._read(source, since=None if since is None else f"{since:.9f}", tail=tail)
        waiting: list[tuple[str, int, float, LogLine]] = []
        count = 0
        while self.open or waiting:
            pause = max(waiting[0][2] + REORDER - time.monotonic(), 0.0) if waiting else 60.0
            item: LogLine | _End | BaseException | None = None
            with contextlib.suppress(queue.Empty):
                item = self.arrived.get(timeout=pause) if self.open else None
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, _End):
                with self.lock:
                    self.open -= 1
            elif item is not None:
                count += 1
                heapq.heappush(waiting, (item.timestamp, count, time.monotonic(), item))
            while waiting and (not self.open or waiting[0][2] + REORDER <= time.monotonic()):
                yield heapq.heappop(waiting)[3]

    def stop(self) -> None:
        """Hang up on every stream that a thread is blocked in; the thread sees its end and closes it."""
        self.stopped.set()
        for answer in list(self.answers):
            _hang_up(answer)
        end = time.monotonic() + _PARTING
        for thread in list(self.threads):
            thread.join(max(end - time.monotonic(), 0.0))

    def _start(self, name: str, target: Any, *arguments: Any) -> None:
        with self.lock:
            self.open += 1
        thread = threading.Thread(target=self._guarded, args=(target, *arguments), name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _guarded(self, target: Any, *arguments: Any) -> None:
        try:
            target(*arguments)
        except BaseException as error:
            self._put(_End() if self.stopped.is_set() else error)
        else:
            self._put(_End())

    def _put(self, item: LogLine | _End | BaseException) -> None:
        while not self.stopped.is_set():
            with contextlib.suppress(queue.Full):
                self.arrived.put(item, timeout=0.2)
                return

    def _opened(self, answer: Any) -> None:
        self.answers.append(answer)
        if self.stopped.is_set():
            _hang_up(answer)

    def _read(self, source: Source, *, since: str | None, tail: int | None) -> None:
        with self.lock:
            if source.id in self.reading:
                return
            self.reading.add(source.id)
        self._start(f"logs {source.name}", self._read_lines, source, since, tail)

    def _read_lines(self, source: Source, since: str | None, tail: int | None) -> None:
        try:
            stream = lines(self.client, source, follow=True, since=since, tail=tail, opened=self._opened)
            for line in stream:
                if line.timestamp > self.reached.get(source.id, ""):
                    self.reached[source.id] = line.timestamp
                self._put(line)
        finally:
            with self.lock:
                self.reading.discard(source.id)

    def _watch_for_more(self, containers: Sequence[ObservedContainer]) -> None:
        inspected = self.client.inspect(containers[0].id) or {}
        project = ((inspected.get("Config") or {}).get("Labels") or {}).get(labels.PROJECT)
        if project:
            services = {container.service for container in containers}
            self._start("logs events", self._read_events, project, services, time.time())

    def _read_events(self, project: str, services: set[str], began: float) -> None:
        """Start reading a container of these services whenever one starts."""
        filters = {"type": ["container"], "event": ["start"], "label": [f"{labels.PROJECT}={project}"]}
        answer = self.client.call(
            "GET",
            "/events",
            parameters={"filters": filters, "since": f"{began:.9f}"},
            stream=True,
            timeout=(10.0, None),
        )
        self._opened(answer)
        with contextlib.closing(answer), self.client.reading():
            # The engine ends each event with a newline and flushes; smaller pieces would come one by one.
            for text in answer.iter_lines(chunk_size=None):
                actor = json.loads(text)["Actor"] if text else {}
                marks = actor.get("Attributes") or {}
                if marks.get(labels.SERVICE) in services and marks.get(labels.ONE_OFF, "").lower() != "true":
                    self._join(Source(actor["ID"], marks[labels.SERVICE], marks.get("name", "")))

    def _join(self, source: Source) -> None:
        """Read a container that has started; one that was read before, from where that ended."""
        end = time.monotonic() + 5.0
        while source.id in self.reading and time.monotonic() < end and not self.stopped.is_set():
            time.sleep(0.02)  # the stream of its life before is about to end
        reached = self.reached.get(source.id)
        self._read(source, since=_after(reached) if reached else None, tail=None)


def _hang_up(answer: Any) -> None:
    """Let the thread that reads this answer see its end. Its connection may just have gone by itself."""
    with contextlib.suppress(AttributeError, OSError):
        answer.raw._connection.sock.shutdown(socket.SHUT_RDWR)


def _after(timestamp: str) -> str:
    """A nanosecond after a line's timestamp, as the logs request takes it: seconds, point, nanoseconds."""
    main, _, fraction = timestamp.rstrip("Z").partition(".")
    whole = int(datetime.fromisoformat(main).replace(tzinfo=UTC).timestamp())
    nanoseconds = int(fraction.ljust(9, "0")[:9]) + 1
    return f"{whole + nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"
