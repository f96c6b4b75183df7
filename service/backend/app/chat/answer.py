"""An answer while it is being written: its parts, and everybody who watches it grow.

Watchers keep a position instead of a queue. Whoever comes back after a dropped connection names the last
position seen and gets exactly what lies behind it; a slow reader gets bigger pieces later.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

END = "end"
_POSITION = re.compile(r"(\d{1,4}):(\d{1,9})")

Position = tuple[int, int]  # index of a part, characters of it (or 1 for a tool part) already seen
START: Position = (0, 0)


def parse_position(event_id: str | None) -> Position | None:
    """The position an event id stands for; None for the end. Anything unknown means the start."""
    if event_id == END:
        return None
    found = _POSITION.fullmatch(event_id or "")
    return (int(found[1]), int(found[2])) if found else START


def event(name: str, data: Any, identifier: str | None = None) -> bytes:
    """One server-sent event."""
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if identifier is None:
        return f"event: {name}\ndata: {line}\n\n".encode()
    return f"event: {name}\nid: {identifier}\ndata: {line}\n\n".encode()


def events_between(parts: list[dict[str, Any]], position: Position) -> tuple[list[bytes], Position]:
    """The events that lead from `position` to the end of `parts`, and the position there."""
    found: list[bytes] = []
    index, offset = position
    while index < len(parts):
        part = parts[index]
        if part["type"] == "text":
            text = part["text"]
            if offset < len(text):
                found.append(event("delta", {"text": text[offset:]}, f"{index}:{len(text)}"))
                offset = len(text)
        elif offset == 0:
            found.append(event("tool", part, f"{index}:1"))
            offset = 1
        if index + 1 == len(parts):
            break
        index, offset = index + 1, 0
    return found, (index, offset)


@dataclass(eq=False)
class Answer:
    """One assistant message in the making."""

    message_id: str
    conversation_id: str
    user_id: str
    created_ms: int
    model: str | None
    parts: list[dict[str, Any]] = field(default_factory=list)
    status: str = "streaming"
    finish_reason: str | None = None
    error: dict[str, Any] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    notice: dict[str, Any] | None = None
    ended: bool = False
    cut_off: bool = False
    stop_reason: str | None = None
    stored: bool = False  # its row is in the database
    storing: bool = False  # its end is being written there
    task: asyncio.Task[None] | None = None
    watchers: set[Watcher] = field(default_factory=set)
    on_unwatched: Callable[[Answer], None] | None = None

    def write(self, text: str) -> None:
        """Append words."""
        if not text:
            return
        if not self.parts or self.parts[-1]["type"] != "text":
            self.parts.append({"type": "text", "text": text})
        else:
            self.parts[-1]["text"] += text
        self.notice = None
        self.wake()

    def add_tool(self, part: dict[str, Any]) -> None:
        """Append something that was done."""
        self.parts.append(part)
        self.notice = None
        self.wake()

    def notify(self, notice: dict[str, Any]) -> None:
        """Tell watchers why nothing arrives; not part of the message."""
        self.notice = notice
        self.wake()

    def end(self) -> None:
        """Everything is written and stored."""
        self.ended = True
        self.wake()

    def cut(self) -> None:
        """Send the watchers elsewhere."""
        self.cut_off = True
        self.wake()

    def stop(self, reason: str) -> None:
        """Stop writing; `reason` is `stopped` (wanted) or `interrupted` (nobody there, or shutting down)."""
        if self.stop_reason is None and not self.storing and not self.ended:
            self.stop_reason = reason
            if self.task is not None:
                self.task.cancel()

    def text(self) -> str:
        """All words so far."""
        return "".join(part["text"] for part in self.parts if part["type"] == "text")

    def wake(self) -> None:
        """Let every watcher look."""
        for watcher in self.watchers:
            watcher.wake()

    def leave(self, watcher: Watcher) -> None:
        """A watcher is gone."""
        self.watchers.discard(watcher)
        if not self.watchers and not self.ended and self.on_unwatched is not None:
            self.on_unwatched(self)


class Watcher:
    """One open stream: a position in an answer, and a bell."""

    __slots__ = ("_bell", "_seen_notice", "answer", "gone", "position", "silent_since")

    def __init__(self, answer: Answer, position: Position):
        self.answer = answer
        self.position = position
        self.gone = False
        self.silent_since = 0.0
        self._bell: asyncio.Future[None] | None = None
        self._seen_notice: object = None
        answer.watchers.add(self)

    def wake(self) -> None:
        """Something may be new."""
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def wait(self) -> None:
        """Until somebody wakes this watcher."""
        self._bell = asyncio.get_running_loop().create_future()
        try:
            await self._bell
        finally:
            self._bell = None

    def news(self) -> Iterator[bytes]:
        """Events since the last look."""
        found, self.position = events_between(self.answer.parts, self.position)
        yield from found
        notice = self.answer.notice
        if notice is not None and notice is not self._seen_notice:
            self._seen_notice = notice
            yield event("status", notice)
