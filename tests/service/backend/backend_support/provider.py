"""An OpenAI-compatible server that answers from a script, in a thread of its own or as a process.

The script stands in the user's newest message, so that many tests can share one server:
`words=<n> delay=<seconds> prefix=<text>` streams numbered words; `fault=<name>` misbehaves; anything else is
echoed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_FIELD = re.compile(r"(\w+)=(\S+)")


def words(count: int, prefix: str = "w") -> str:
    """The text that `words=<count> prefix=<prefix>` streams."""
    return "".join(f"{prefix}{number} " for number in range(count))


class ScriptedProvider:
    """Serves until closed. Counts what it was asked, and notices clients that leave."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.left_at: list[float] = []  # time.monotonic() of clients leaving before the end
        self.completed = 0
        self.open = 0
        self.respond: Callable[[dict[str, Any]], list[dict[str, Any]] | None] | None = None
        self.tokenizer = False
        self.models = ["scripted"]
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedProvider:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(10)

    def reset(self) -> None:
        self.requests.clear()
        self.left_at.clear()
        self.completed = 0
        self.respond = None
        self.tokenizer = False
        self.models = ["scripted"]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                line = await reader.readline()
                if not line:
                    break
                method, path, _ = line.decode().split(" ", 2)
                length = 0
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode().partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                body = json.loads(await reader.readexactly(length)) if length else {}
                if not await self._answer(method, path, body, reader, writer):
                    break
        writer.close()

    async def _answer(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if path == "/v1/models":
            await self._json(writer, 200, {"object": "list", "data": [{"id": name} for name in self.models]})
            return True
        if path == "/tokenize" and self.tokenizer:
            await self._json(writer, 200, {"tokens": body["content"].split()})
            return True
        if path != "/v1/chat/completions":
            await self._json(writer, 404, {"error": {"message": "no such path"}})
            return True
        self.requests.append(body)
        if not body.get("stream"):
            content = ""
            if self.respond is not None:
                content = "".join(c["delta"].get("content", "") for c in self.respond(body) or [])
            message = {"role": "assistant", "content": content}
            await self._json(writer, 200, {"id": "x", "choices": [{"index": 0, "message": message}]})
            return True
        script = dict(_FIELD.findall(str(body["messages"][-1].get("content") or "")))
        users = [m for m in body["messages"] if m["role"] == "user"]
        if not script and users:
            script = dict(_FIELD.findall(str(users[-1]["content"])))
        if "fault" in script and await self._misbehave(script, writer):
            return False
        return await self._stream(body, script, reader, writer)

    async def _json(self, writer: asyncio.StreamWriter, status: int, content: Any, extra: str = "") -> None:
        data = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(data)}\r\n{extra}\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    async def _misbehave(self, script: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """True when the whole answer was a fault."""
        fault = script["fault"]
        if fault.isdigit():
            extra = f"retry-after: {script['after']}\r\n" if "after" in script else ""
            error = {"message": "secret-internal-text", "code": script.get("code")}
            await self._json(writer, int(fault), {"error": error}, extra)
            return True
        if fault == "once" and len(self.requests) == 1:
            await self._json(writer, 500, {"error": {"message": "first time fails"}})
            return True
        if fault == "slow":
            await asyncio.sleep(60)
            return True
        if fault == "hangup":
            return True
        if fault == "html":
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html>hello</"
            )
            await writer.drain()
            return True
        if fault == "toolong" and len(self.requests) < 3:
            error = {"message": "maximum context length", "code": "context_length_exceeded"}
            await self._json(writer, 400, {"error": error})
            return True
        return False

    async def _stream(
        self,
        body: dict[str, Any],
        script: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        self.open += 1
        leaving = asyncio.create_task(reader.read(1))
        try:
            for choice in self._choices(body, script):
                if leaving.done():
                    raise ConnectionResetError
                delay = float(script.get("delay", 0))
                if delay:
                    await asyncio.wait({leaving}, timeout=delay)
                    if leaving.done():
                        raise ConnectionResetError
                if choice == "hang":
                    await asyncio.wait({leaving}, timeout=60)
                    raise ConnectionResetError
                if choice == "cut":
                    return False
                if isinstance(choice, str):
                    self._chunk(writer, choice)
                else:
                    self._chunk(writer, "data: " + json.dumps({"id": "x", "choices": [choice]}) + "\n\n")
                await writer.drain()
            prompt = sum(len(str(m.get("content") or "").split()) + 4 for m in body["messages"])
            usage = {"prompt_tokens": prompt, "completion_tokens": int(script.get("words", 5))}
            if "nousage" not in script:
                self._chunk(writer, "data: " + json.dumps({"choices": [], "usage": usage}) + "\n\n")
            self._chunk(writer, "data: [DONE]\n\n")
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            self.completed += 1
        except ConnectionError:
            self.left_at.append(time.monotonic())
            return False
        finally:
            self.open -= 1
            if not leaving.done():
                leaving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await leaving
        return True

    def _choices(self, body: dict[str, Any], script: dict[str, str]) -> list[Any]:
        if self.respond is not None:
            chosen = self.respond(body)
            if chosen is not None:
                return chosen
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        if "words" in script:
            prefix = script.get("prefix", "w")
            texts = [f"{prefix}{number} " for number in range(int(script["words"]))]
        else:
            texts = ["You said: ", str(body["messages"][-1]["content"])]
        choices: list[Any] = [{"index": 0, "delta": {"content": text}} for text in texts]
        fault = script.get("fault")
        middle = len(choices) // 2
        if fault == "cut":
            return [*choices[:middle], "cut"]
        if fault == "stall":
            return [*choices[:middle], "hang"]
        if fault == "malformed":
            return [*choices[:middle], "data: {this is no json\n\n"]
        if fault == "errorchunk":
            return [
                *choices[:middle],
                'data: {"error": {"message": "secret-internal-text", "code": 500}}\n\n',
            ]
        return [*choices, end]

    @staticmethod
    def _chunk(writer: asyncio.StreamWriter, text: str) -> None:
        data = text.encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def main() -> None:
    """As a process: prints its port, then serves until killed."""

    async def serve() -> None:
        provider = ScriptedProvider()
        await provider.listen()
        print(provider.port, flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    sys.exit(main())
