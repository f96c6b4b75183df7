"""Which model answers, what it can do, and what it costs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import Any, Literal

from app.chat.provider import Provider
from app.settings import Settings

_log = logging.getLogger("app.model")
LOCAL_NAMES = {"local-standard": "standard", "local-tiny": "tiny"}
Tools = Literal["native", "router", "patterns", "off"]

# Context windows in tokens by the beginning of a model's name, from OpenAI's model pages.
_WINDOWS = (
    ("gpt-5", 400_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_192),
    ("gpt-3.5", 16_385),
    ("o1", 128_000),
    ("o3", 200_000),
    ("o4", 200_000),
)
_LOCAL_WINDOW = 4096  # MODEL_CONTEXT_TOKENS of the model service
_OTHER_WINDOW = 8192
# US dollars per million tokens (prompt, completion) by the beginning of the name, from OpenAI's price list.
# CHAT_PROMPT_PRICE and CHAT_COMPLETION_PRICE overrule it; unknown models cost nothing until they are set.
_PRICES = (
    ("gpt-5-nano", 0.05, 0.40),
    ("gpt-5-mini", 0.25, 2.00),
    ("gpt-5", 1.25, 10.00),
    ("gpt-4.1-nano", 0.10, 0.40),
    ("gpt-4.1-mini", 0.40, 1.60),
    ("gpt-4.1", 2.00, 8.00),
    ("gpt-4o-mini", 0.15, 0.60),
    ("gpt-4o", 2.50, 10.00),
    ("gpt-3.5", 0.50, 1.50),
    ("o4-mini", 1.10, 4.40),
    ("o3", 2.00, 8.00),
)
_FRESH_SECONDS = 30.0


@dataclass(frozen=True)
class Abilities:
    """What follows from the settings alone, without asking anybody."""

    kind: Literal["local-demo", "openai", "other"]
    size: str | None
    tools: Tools
    window: int
    max_output: int
    prompt_price: float
    completion_price: float


def abilities(settings: Settings) -> Abilities:
    """What the model of these settings can do. The local one cannot call tools by itself (see the docs)."""
    name, host = settings.openai_model, settings.provider_host
    size = LOCAL_NAMES.get(name)
    kind: Literal["local-demo", "openai", "other"] = "other"
    if size is not None or host == "model":
        kind = "local-demo"
    elif host == "api.openai.com":
        kind = "openai"
    tools: Tools = "native"
    if settings.openai_tools != "auto":
        tools = settings.openai_tools
    elif kind == "local-demo":
        tools = "router" if size == "standard" else "patterns"
    window = settings.chat_context_tokens
    if window is None:
        fallback = _LOCAL_WINDOW if kind == "local-demo" else _OTHER_WINDOW
        window = next((size for start, size in _WINDOWS if name.startswith(start)), fallback)
    output = settings.chat_max_output_tokens or (512 if kind == "local-demo" else 2048)
    prompt, completion = next(
        ((prompt, completion) for start, prompt, completion in _PRICES if name.startswith(start)), (0.0, 0.0)
    )
    if kind != "openai":
        prompt = completion = 0.0
    return Abilities(
        kind,
        size,
        tools,
        window,
        min(output, window // 2),
        prompt if settings.chat_prompt_price is None else settings.chat_prompt_price,
        completion if settings.chat_completion_price is None else settings.chat_completion_price,
    )


class ModelInformation:
    """What the page says about the model; asks the provider for its list at most every half minute."""

    def __init__(self, settings: Settings, provider: Provider):
        self._settings = settings
        self._provider = provider
        self.abilities = abilities(settings)
        self._available: bool | None = None
        self._served_size: str | None = None
        self._asked = -_FRESH_SECONDS
        self._asking = asyncio.Lock()

    async def describe(self) -> dict[str, Any]:
        """The shape of `GET /api/chat/model`."""
        await self._refresh()
        known = self.abilities
        size = self._served_size or known.size
        labels = {
            "local-demo": f"Local demo model{' (tiny)' if size == 'tiny' else ''}",
            "openai": f"OpenAI {self._settings.openai_model}",
            "other": self._settings.openai_model,
        }
        return {
            "name": self._settings.openai_model,
            "kind": known.kind,
            "size": size if known.kind == "local-demo" else None,
            "label": labels[known.kind],
            "tools": self.tools(),
            "available": self._available,
            "context_tokens": known.window,
        }

    def tools(self) -> Tools:
        """How tools are reached. A tiny model that stands in for the standard one gets no router."""
        if self.abilities.tools == "router" and self._served_size == "tiny":
            return "patterns"
        return self.abilities.tools

    async def _refresh(self) -> None:
        if time.monotonic() - self._asked < _FRESH_SECONDS:
            return
        async with self._asking:
            if time.monotonic() - self._asked < _FRESH_SECONDS:
                return
            names: list[str] | None = None
            with contextlib.suppress(Exception):
                async with asyncio.timeout(2):
                    listed = await self._provider.client().models.list()
                    names = [str(model.id) for model in listed.data]
            self._available = names is not None
            served = [LOCAL_NAMES[name] for name in names or () if name in LOCAL_NAMES]
            # The model server may have fallen back to the tiny weights when the others were out of reach.
            self._served_size = served[0] if served else None
            self._asked = time.monotonic()
