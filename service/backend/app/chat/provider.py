"""The one door to the model: streamed chat completions through the `openai` package, with bounded patience.

The package does connections, keys, proxies and error classes. The stream's lines are read here rather than by
its typed iterator: with hundreds of streams on one CPU, an object per word would be most of the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.chat import faults
from app.chat.faults import ProviderFault
from app.core import metrics
from app.settings import Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_log = logging.getLogger("app.provider")
_LONGEST_WAIT = 5.0  # seconds between attempts, whatever the provider asks for
_NO_CHUNK: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Words:
    """The next words of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a tool. `arguments` is what it wrote, perhaps not JSON."""

    identifier: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one completion; token counts are None when the provider gives none."""

    reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    pieces: int


Piece = Words | ToolCall | Finished


def _fault_of(error: Exception) -> ProviderFault:
    import openai

    if isinstance(error, openai.APITimeoutError):
        return faults.too_slow(retry=True)
    if isinstance(error, openai.APIConnectionError):
        return faults.unreachable()
    if isinstance(error, openai.APIStatusError):
        after = error.response.headers.get("retry-after", "")
        wait = float(after) if after.replace(".", "", 1).isdigit() else None
        code = error.code if isinstance(error.code, str) else None
        return faults.from_status(error.status_code, code, str(error.message), wait)
    return faults.malformed()


class Provider:
    """Requests to the model provider that the settings name."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._client: AsyncOpenAI | None = None

    def client(self) -> AsyncOpenAI:
        """The client, made on first use: its import takes longer than starting all the rest."""
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI, DefaultAsyncHttpxClient

            settings = self._settings
            self._client = AsyncOpenAI(
                api_key=settings.openai_api_key.get_secret_value() or "none-needed",
                base_url=settings.openai_base_url,
                max_retries=0,  # done here, so that the stream can say so and Retry-After stays bounded
                http_client=DefaultAsyncHttpxClient(
                    timeout=httpx2.Timeout(None, connect=settings.provider_connect_seconds),
                    limits=httpx2.Limits(max_connections=2000, max_keepalive_connections=50),
                ),
            )
        return self._client

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()

    async def stream(
        self, request: dict[str, Any], on_retry: Callable[[int, ProviderFault], None]
    ) -> AsyncGenerator[Piece, None]:
        """Pieces of one completion. Retries with back-off until the first piece; raises ProviderFault."""
        attempts = self._settings.provider_attempts
        for attempt in range(1, attempts + 1):
            began = False
            try:
                async with contextlib.aclosing(self._once(request)) as pieces:
                    async for piece in pieces:
                        began = True
                        yield piece
                return
            except ProviderFault as fault:
                if began or not fault.retry or attempt == attempts:
                    _log.warning("provider failed", extra={"code": fault.code, "attempt": attempt})
                    raise
                wait = min(_LONGEST_WAIT, fault.wait or 0.4 * 2 ** (attempt - 1))
                metrics.provider_retries.inc()
                on_retry(attempt + 1, fault)
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311

    async def _once(self, request: dict[str, Any]) -> AsyncGenerator[Piece, None]:
        import httpx2
        import openai

        settings = self._settings
        loop = asyncio.get_running_loop()
        asked = time.perf_counter()
        reader = _Reader()
        try:
            async with asyncio.timeout(settings.provider_first_token_seconds) as patience:
                async with self.client().chat.completions.with_streaming_response.create(
                    **request, stream=True
                ) as response:
                    first = True
                    async for line in response.iter_lines():
                        pieces = reader.read(line)
                        if not pieces:
                            continue
                        if first:
                            first = False
                            metrics.first_token.observe(time.perf_counter() - asked)
                        for piece in pieces:
                            # No clock runs while the reader of this generator is busy.
                            patience.reschedule(None)
                            yield piece
                        patience.reschedule(loop.time() + settings.provider_between_tokens_seconds)
        except TimeoutError:
            raise faults.too_slow(retry=not reader.pieces) from None
        except openai.OpenAIError as error:
            raise _fault_of(error) from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            raise (faults.interrupted() if reader.pieces else faults.unreachable()) from None
        finished = reader.finish()
        for call in reader.calls():
            yield call
        yield finished

    async def choose(self, request: dict[str, Any], seconds: float) -> str:
        """One short answer at once, for routing. Raises ProviderFault."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(seconds):
                answer = await self.client().chat.completions.create(**request)
            content = answer.choices[0].message.content
        except TimeoutError:
            raise faults.too_slow() from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise _fault_of(error) from None
        except (AttributeError, IndexError, TypeError):
            raise faults.malformed() from None
        return content or ""


class _Reader:
    """Turns the lines of one stream into pieces."""

    def __init__(self) -> None:
        self.pieces = 0
        self._reason: str | None = None
        self._ended = False
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, dict[str, str]] = {}

    def read(self, line: str) -> list[Piece]:
        """Pieces in this line, often none. Raises ProviderFault for nonsense."""
        if not line.startswith("data:"):
            if line and line[0] not in ":eir":  # comments, event, id, retry: the rest of the format
                raise faults.malformed()
            return []
        data = line[5:].strip()
        if data == "[DONE]":
            self._ended = True
            return []
        try:
            chunk = json.loads(data)
        except ValueError:
            raise faults.malformed() from None
        try:
            return self._pieces(chunk)
        except (AttributeError, TypeError, KeyError, IndexError, ValueError):
            raise faults.malformed() from None

    def _pieces(self, chunk: dict[str, Any]) -> list[Piece]:
        if chunk.get("error"):
            error = chunk["error"]
            status = error.get("code") if isinstance(error.get("code"), int) else 500
            raise faults.from_status(status, str(error.get("code")), str(error.get("message")))
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        if not choices:
            if choices is None and not chunk.get("usage"):
                raise faults.malformed()
            return []
        choice = choices[0]
        self._reason = choice.get("finish_reason") or self._reason
        delta = choice.get("delta") or _NO_CHUNK
        for call in delta.get("tool_calls") or ():
            self._collect(call)
        content = delta.get("content")
        if not content:
            return []
        if not isinstance(content, str):
            raise faults.malformed()
        self.pieces += 1
        return [Words(content.replace("\0", ""))]

    def _collect(self, call: dict[str, Any]) -> None:
        function = call.get("function") or _NO_CHUNK
        entry = self._calls.setdefault(int(call.get("index") or 0), {"id": "", "name": "", "arguments": ""})
        entry["id"] = call.get("id") or entry["id"]
        entry["name"] += function.get("name") or ""
        entry["arguments"] += function.get("arguments") or ""

    def calls(self) -> list[ToolCall]:
        """The tool calls, complete once the stream has ended."""
        return [ToolCall(entry["id"], entry["name"], entry["arguments"]) for entry in self._calls.values()]

    def finish(self) -> Finished:
        """The end. Raises ProviderFault when the stream stopped without saying that it was done."""
        if self._reason is None and not self._ended:
            raise faults.interrupted() if self.pieces or self._calls else faults.malformed()
        prompt, completion = self._usage.get("prompt_tokens"), self._usage.get("completion_tokens")
        return Finished(self._reason or "stop", _count(prompt), _count(completion), self.pieces)


def _count(reported: object) -> int | None:
    """A token count, if it is one."""
    return reported if type(reported) is int and 0 <= reported < 100_000_000 else None
