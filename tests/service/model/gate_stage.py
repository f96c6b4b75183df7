"""A gate in front of a scripted model runtime, for scenes that run on an event loop of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import gate

CHAT = "/v1/chat/completions"
ASK = {"messages": [{"role": "user", "content": "hello"}]}
# Far above what anything here takes; a test that gets near it has failed.
PATIENCE = 10.0


class Runtime:
    """A scripted model runtime: records what it is asked and answers word by word when the test says so."""

    def __init__(self) -> None:
        self.asked_for_health = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.asked = asyncio.Semaphore(0)
        self.left = asyncio.Semaphore(0)
        self.words: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /health "):
            self.asked_for_health += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        self.requests.append((head, await reader.readexactly(length)))
        self.asked.release()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        word = asyncio.create_task(self.words.get())
        gone = asyncio.create_task(reader.read(1))
        while True:
            await asyncio.wait({word, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                word.cancel()
                self.left.release()
                break
            if (text := word.result()) is None:
                gone.cancel()
                break
            writer.write(text)
            await writer.drain()
            word = asyncio.create_task(self.words.get())
        writer.close()

    async def next_request(self) -> tuple[bytes, dict[str, object]]:
        await self.asked.acquire()
        head, body = self.requests[-1]
        return head, json.loads(body)


class Stage:
    """A gate in front of a scripted runtime, both on the loopback interface."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.runtime = Runtime()
        self.lines: list[str] = []

    async def set(self, slots: int = 1, waiting: int = 0) -> None:
        upstream = await asyncio.start_server(self.runtime.serve, "127.0.0.1", 0)
        self.stack.callback(upstream.close)
        self.upstream = upstream
        address = upstream.sockets[0].getsockname()
        self.gate = gate.Gate(address, slots, waiting, 100, self.lines.append)
        listener = await asyncio.start_server(self.gate.serve, "127.0.0.1", 0, limit=gate.HEAD_BYTES)
        self.stack.callback(listener.close)
        self.port = listener.sockets[0].getsockname()[1]

    async def send(self, raw: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.stack.callback(writer.close)
        writer.write(raw)
        return reader, writer

    async def post(
        self, body: object = ASK, path: str = CHAT, headers: str = ""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send(
            f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )

    async def refused(self, raw: bytes) -> tuple[int, str, dict[str, object]]:
        reader, _ = await self.send(raw)
        return split(await reader.read())


def split(answer: bytes) -> tuple[int, str, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode(), json.loads(body)


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    """Run one scene on its own event loop; it may not take longer than PATIENCE."""

    async def run() -> None:
        async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
            await scene(Stage(stack))

    asyncio.run(run())
