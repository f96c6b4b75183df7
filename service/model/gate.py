"""The door in front of the model runtime: it refuses what would wait too long and answers /health always.

The runtime queues without end, takes any `max_tokens`, and its health answer waits behind busy chats (seen
with 12 clients: no answer in 5 s, which an orchestrator reads as dead). So this small HTTP/1.1 relay listens
instead: one request per connection, bytes passed on as they come, and a client that leaves takes its
generation with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

GENERATE = frozenset({"/v1/chat/completions", "/v1/completions"})
ALLOWED = {
    "GET": frozenset({"/v1/models"}),
    "POST": GENERATE | {"/tokenize", "/detokenize", "/apply-template"},
}
# The names under which clients ask for the length of an answer; the runtime's own comes last.
LENGTHS = ("max_completion_tokens", "max_tokens", "n_predict")

HEAD_BYTES = 32 * 1024
# A full context of 32,768 tokens is about 130 KB of English; more can only be a mistake.
BODY_BYTES = 1024 * 1024
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
# Below the 10 s that the stack's health check waits.
HEALTH_SECONDS = 5.0
CONNECTIONS = 256
RETRY_SECONDS = 5
# How a chunked answer ends (RFC 9112, section 7.1).
LAST_CHUNK = b"\r\n0\r\n\r\n"


class RefusedError(Exception):
    """The request gets this answer and goes no further."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


@dataclass(frozen=True)
class Request:
    """One request's head; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Gate:
    """Relays to the runtime at `upstream`; at most `slots` generations run and `waiting` more wait."""

    upstream: tuple[str, int]
    slots: int
    waiting: int
    answer_tokens: int
    log: Callable[[str], None]
    generations: int = 0
    connections: int = 0
    stopping: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection from its first byte to its close."""
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except RefusedError as refusal:
            write_json(writer, refusal.status, error_body(refusal))
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client left, or sent too little for too long
        finally:
            self.connections -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()

    async def drained(self, seconds: float) -> bool:
        """Take no new generations and wait for the running ones; False when `seconds` were too few."""
        self.stopping = True
        if not self.generations:
            return True
        self.idle.clear()
        try:
            await asyncio.wait_for(self.idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.connections > CONNECTIONS:
            raise RefusedError(503, "overloaded_error", f"more than {CONNECTIONS} connections are open")
        request = await read_request(reader)
        if request.method in ("GET", "HEAD") and request.path in ("/health", "/v1/health"):
            # While it answers somebody the runtime is alive, and might take long to say so.
            if not self.generations and not await self._runtime_answers():
                raise RefusedError(503, "server_error", "the model runtime does not answer")
            write_json(writer, 200, {"status": "ok", "answering": self.generations})
            return
        if request.path not in ALLOWED.get(request.method, frozenset()):
            known = any(request.path in paths for paths in ALLOWED.values())
            raise RefusedError(
                405 if known else 404,
                "not_found_error",
                f"{request.method} {request.path} is not served here",
            )
        if request.path not in GENERATE:
            await self._relay(request, await read_body(request, reader, writer), reader, writer)
            return
        if self.stopping:
            raise RefusedError(
                503, "overloaded_error", "the local model is stopping; try again in a few seconds"
            )
        if self.generations >= self.slots + self.waiting:
            raise RefusedError(
                503,
                "overloaded_error",
                f"the local model is busy: {self.slots} chats are being answered and {self.waiting} wait; "
                "try again in a few seconds",
            )
        self.generations += 1
        began = time.monotonic()
        status = "left"
        try:
            body = capped(await read_body(request, reader, writer), self.answer_tokens)
            status = await self._relay(request, body, reader, writer)
        except RefusedError as refusal:
            status = str(refusal.status)
            raise
        finally:
            self.generations -= 1
            if not self.generations:
                self.idle.set()
            # The words themselves are nobody's business.
            self.log(f"model: {request.path} {status} {time.monotonic() - began:.1f} s")

    async def _runtime_answers(self) -> bool:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                reader, writer = await asyncio.open_connection(*self.upstream)
                try:
                    writer.write(b"GET /health HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n")
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, ValueError):  # TimeoutError is an OSError
            return False

    async def _relay(
        self, request: Request, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        """Pass request and answer on; returns the answer's status, or "left" when the client went first."""
        try:
            from_runtime, to_runtime = await asyncio.open_connection(*self.upstream)
        except OSError as problem:
            raise RefusedError(502, "server_error", "the model runtime does not answer") from problem
        head = [
            f"{request.method} {request.path} HTTP/1.1",
            "Host: model",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        if "authorization" in request.headers:
            head.append(f"Authorization: {request.headers['authorization']}")
        # Any byte after the request, or the end, means the client is done with us: closing our side makes the
        # runtime give up the generation.
        gone = asyncio.create_task(reader.read(1))
        try:
            to_runtime.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
            await to_runtime.drain()
            return await copy_until(from_runtime, writer, gone)
        finally:
            gone.cancel()
            to_runtime.close()
            with contextlib.suppress(ConnectionError):
                await to_runtime.wait_closed()


async def copy_until(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, gone: asyncio.Task[bytes]
) -> str:
    """Copy bytes as they arrive until the source ends or `gone` is done; the HTTP status, or "left"."""
    status, tail = "", b""
    while True:
        chunk_task = asyncio.create_task(source.read(64 * 1024))
        await asyncio.wait({chunk_task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not chunk_task.done():
            chunk_task.cancel()
            # A client may well close as soon as it has the last word, before the runtime does.
            return status if tail.endswith(LAST_CHUNK) else "left"
        chunk = chunk_task.result()
        if not chunk:
            if not status:
                raise RefusedError(502, "server_error", "the model runtime gave no answer")
            return status
        if not status:
            status = chunk.split(b" ", 2)[1].decode("latin-1") if chunk.startswith(b"HTTP/1.") else "?"
        tail = (tail + chunk)[-len(LAST_CHUNK) :]
        target.write(chunk)
        await target.drain()


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read a request's head; raise RefusedError for one that is too long or not HTTP/1.x."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
    except asyncio.LimitOverrunError as problem:
        raise RefusedError(
            431, "invalid_request_error", f"the request's head is over {HEAD_BYTES} bytes"
        ) from problem
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise RefusedError(400, "invalid_request_error", "this is not an HTTP/1.1 request")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return Request(parts[0], parts[1].partition("?")[0], headers)


async def read_body(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Read the request's body; raise RefusedError when its length is missing or over the limit."""
    if "transfer-encoding" in request.headers:
        raise RefusedError(411, "invalid_request_error", "send a Content-Length instead of a chunked body")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise RefusedError(400, "invalid_request_error", "Content-Length is not a number")
    if int(length) > BODY_BYTES:
        raise RefusedError(413, "invalid_request_error", f"the body is over {BODY_BYTES} bytes")
    if request.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await asyncio.wait_for(reader.readexactly(int(length)), BODY_SECONDS)


def capped(body: bytes, answer_tokens: int) -> bytes:
    """Return the request with its answer held to `answer_tokens`; raise RefusedError if it is not JSON."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise RefusedError(400, "invalid_request_error", "the body is not valid JSON") from problem
    if not isinstance(asked, dict):
        raise RefusedError(400, "invalid_request_error", "the body must be a JSON object")
    lengths = [asked.pop(name, None) for name in LENGTHS]
    wanted = next((length for length in lengths if length is not None), answer_tokens)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise RefusedError(400, "invalid_request_error", "max_tokens must be a whole number")
    # The runtime takes a negative number for "no end".
    asked["max_tokens"] = answer_tokens if wanted < 0 else min(wanted, answer_tokens)
    return json.dumps(asked).encode()


def error_body(refusal: RefusedError) -> dict[str, object]:
    """Return a refusal in the shape of OpenAI's errors."""
    return {"error": {"message": str(refusal), "type": refusal.kind, "code": refusal.status, "param": None}}


def write_json(writer: asyncio.StreamWriter, status: int, value: object) -> None:
    """Write one whole JSON answer that closes the connection."""
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
    if status == 503:
        head += f"Retry-After: {RETRY_SECONDS}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
