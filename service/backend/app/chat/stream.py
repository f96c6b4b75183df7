"""The response that shows an answer to one client as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.chat.answer import END, Answer, Position, Watcher, event
from app.core import metrics

RETRY_MS = 250
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_OPENING = f"retry: {RETRY_MS}\n\n".encode()
HEARTBEAT = b": still here\n\n"


def closing(answer: Answer, message: dict[str, Any]) -> list[bytes]:
    """The last events of an answer."""
    last = []
    if answer.error:
        last.append(event("error", answer.error, END))
    usage = None
    if answer.prompt_tokens is not None:
        usage = {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "cost_usd": answer.cost_usd,
        }
    reason = answer.finish_reason or "stop"
    last.append(event("done", {"message": message, "usage": usage, "finish_reason": reason}, END))
    return last


class EventStream:
    """An ASGI response. It ends when the answer does, when the client goes, or when the server must."""

    status_code = 200

    def __init__(
        self,
        answer: Answer,
        position: Position | None,
        opening: bytes,
        show: Callable[[Answer], dict[str, Any]],
        heartbeat_seconds: float,
    ):
        self._answer = answer
        self._watcher = Watcher(answer, position or (1_000_000, 0))
        self._opening = opening
        self._show = show
        self._heartbeat = heartbeat_seconds
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until there are no more."""
        scope["is_stream"] = True
        watcher, answer = self._watcher, self._answer
        metrics.open_streams.inc()
        listening = asyncio.create_task(self._listen(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            await self._send(send, _OPENING + self._opening)
            while not watcher.gone:
                news = b"".join(watcher.news())
                if answer.ended:
                    await self._send(send, news + b"".join(closing(answer, self._show(answer))), last=True)
                    return
                if answer.cut_off:
                    news += event("reconnect", {"retry_ms": RETRY_MS})
                    await self._send(send, news, last=True)
                    return
                if news:
                    await self._send(send, news)
                    continue  # more may have come while this was sent
                if time.monotonic() - watcher.silent_since >= self._heartbeat:
                    await self._send(send, HEARTBEAT)
                await watcher.wait()
        except OSError:
            pass  # the client went while something was being sent
        finally:
            listening.cancel()
            metrics.open_streams.dec()
            answer.leave(watcher)

    async def _send(self, send: Send, body: bytes, last: bool = False) -> None:
        self._watcher.silent_since = time.monotonic()
        message: Message = {"type": "http.response.body", "body": body, "more_body": not last}
        await send(message)

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._watcher.gone = True
        self._watcher.wake()
