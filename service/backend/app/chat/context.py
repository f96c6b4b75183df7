"""Fitting a long conversation into the model's window, by measured sizes.

How sizes are measured, best way first:
1. The server's own tokenizer (`POST /tokenize`: llama.cpp's server, so the local model, and vLLM).
2. The provider's own count: every answer reports how many tokens its prompt had. Together with the
   bytes that were sent then, that gives the conversation's tokens per byte; a tenth is added.
3. Before the first report: one token per byte of UTF-8. No byte-level tokenizer needs more, so this only ever
   cuts too early, never too late.
Nothing is measured as long as even the third way says that all of it fits.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import Any

from app.chat.provider import Provider

PER_MESSAGE = 8  # tokens around each message: role and separators (4 to 7 in the chat templates in use)
_CACHED = 4096
_SAFETY = 1.1

ChatMessage = dict[str, Any]


def size_in_bytes(message: ChatMessage) -> int:
    """Bytes of everything in a message that the model reads."""
    text = message.get("content") or ""
    calls = message.get("tool_calls")
    return len(text.encode()) + (len(json.dumps(calls, ensure_ascii=False).encode()) if calls else 0)


class TokenCounter:
    """Counts tokens as the provider would."""

    def __init__(self, provider: Provider, base_url: str, model: str, ask_server: bool):
        self._provider = provider
        self._address = base_url.removesuffix("/v1") + "/tokenize"
        self._model = model
        self._ask_server = ask_server
        self._known: OrderedDict[int, int] = OrderedDict()

    async def by_server(self, messages: list[ChatMessage]) -> list[int] | None:
        """Sizes by the server's tokenizer, None when it has none."""
        sizes: list[int] = []
        for message in messages:
            if not self._ask_server:
                return None
            text = (message.get("content") or "") + json.dumps(message.get("tool_calls") or "")
            key = hash(text)
            count = self._known.get(key)
            if count is None:
                count = await self._ask(text)
                if count is None:
                    self._ask_server = False
                    return None
                self._known[key] = count
                if len(self._known) > _CACHED:
                    self._known.popitem(last=False)
            sizes.append(count + PER_MESSAGE)
        return sizes

    async def _ask(self, text: str) -> int | None:
        try:
            async with asyncio.timeout(3):
                answer = await self._provider.client().post(
                    self._address,
                    cast_to=object,
                    body={"model": self._model, "content": text, "prompt": text},
                )
        except Exception:
            return None
        if not isinstance(answer, dict):
            return None
        if isinstance(answer.get("count"), int):
            return int(answer["count"])
        found = answer.get("tokens")
        return len(found) if isinstance(found, list) else None


def _turns(messages: list[ChatMessage]) -> list[list[int]]:
    """Indexes grouped so that a user's message stays with what answered it."""
    turns: list[list[int]] = []
    for index, message in enumerate(messages):
        if message["role"] == "user" or not turns:
            turns.append([])
        turns[-1].append(index)
    return turns


def newest_that_fit(messages: list[ChatMessage], sizes: list[int], budget: int) -> list[ChatMessage]:
    """The last turns whose sizes together stay within `budget` tokens; always at least the newest turn."""
    kept: list[list[int]] = []
    used = 0
    for turn in reversed(_turns(messages)):
        used += sum(sizes[index] for index in turn)
        if kept and used > budget:
            break
        kept.append(turn)
    return [messages[index] for turn in reversed(kept) for index in turn]


async def fit(
    fixed: list[ChatMessage],
    history: list[ChatMessage],
    budget: int,
    counter: TokenCounter,
    tokens_per_byte: float | None,
    overhead_bytes: int = 0,
) -> list[ChatMessage]:
    """`fixed` (the system prompt) and as many of the newest turns as fit into `budget` tokens.

    `overhead_bytes` is what goes along unseen (tool descriptions). `tokens_per_byte` is what the provider's
    last report in this conversation came to, if there was one.
    """
    everything = [*fixed, *history]
    bound = [size_in_bytes(message) + PER_MESSAGE for message in everything]
    if sum(bound) + overhead_bytes <= budget:
        return everything
    sizes = await counter.by_server(everything)
    rate = 1.0
    if sizes is None:
        rate = min(1.0, (tokens_per_byte or 1.0) * _SAFETY)
        sizes = [int(size * rate) + 1 for size in bound]
    left = budget - sum(sizes[: len(fixed)]) - int(overhead_bytes * rate)
    return [*fixed, *newest_that_fit(history, sizes[len(fixed) :], left)]
