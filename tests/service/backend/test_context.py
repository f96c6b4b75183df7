"""What of a long conversation is sent, and how that is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from app.chat.context import PER_MESSAGE, TokenCounter, fit, newest_that_fit, size_in_bytes
from app.chat.provider import Provider
from app.settings import Settings
from backend_support.people import Person
from backend_support.provider import ScriptedProvider
from backend_support.servers import BackendProcess
from hypothesis import given
from hypothesis import strategies as st

FIXED = [{"role": "system", "content": "Be brief."}]


def _conversation(turns: int, text: str = "twenty bytes of text") -> list[dict[str, Any]]:
    return [
        {"role": role, "content": f"{text} {turn}"} for turn in range(turns) for role in ("user", "assistant")
    ]


def _fit(history: list[dict[str, Any]], budget: int, rate: float | None = None) -> list[dict[str, Any]]:
    settings = Settings(openai_base_url="http://127.0.0.1:9/v1")
    counter = TokenCounter(Provider(settings), settings.openai_base_url, "any", ask_server=False)
    return asyncio.run(fit(FIXED, history, budget, counter, rate))


def test_what_fits_is_sent_whole() -> None:
    history = _conversation(3)
    assert _fit(history, 10_000) == [*FIXED, *history]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=20), st.integers(100, 900))
def test_without_any_measure_no_more_bytes_are_sent_than_tokens_allowed(
    texts: list[str], budget: int
) -> None:
    history = [
        {"role": "user" if not i % 2 else "assistant", "content": text} for i, text in enumerate(texts)
    ]
    sent = _fit(history, budget)
    assert sent[:1] == FIXED
    assert sent[1:] == history[len(history) - len(sent) + 1 :]
    turns = sum(1 for message in sent if message["role"] == "user")
    used = sum(size_in_bytes(message) + PER_MESSAGE for message in sent)
    assert used <= budget or turns == 1


def test_the_providers_own_count_lets_more_through() -> None:
    history = _conversation(100)
    assert len(_fit(history, 600)) < len(_fit(history, 600, rate=0.25)) < len(history)


def test_turns_stay_whole() -> None:
    history = _conversation(4)
    kept = newest_that_fit(history, [10] * 8, 35)
    assert kept == history[-2:]
    assert newest_that_fit(history, [10] * 8, 1) == history[-2:]


def test_the_servers_tokenizer_decides(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    provider.tokenizer = True
    # The scripted tokenizer counts words: 40 tokens a message where the bytes say 280.
    backend = make_backend(CHAT_CONTEXT_TOKENS="700", CHAT_MAX_OUTPUT_TOKENS="50", OPENAI_TOOLS="off")
    person = Person(backend.url)
    conversation = ""
    for number in range(16):
        text = f"n{number} " + "word66 " * 39
        extra = {"conversation_id": conversation} if conversation else {}
        conversation = person.say(text, **extra).conversation_id
    sent = provider.requests[-1]["messages"]
    words = sum(len(message["content"].split()) + PER_MESSAGE for message in sent)
    assert sent[0]["role"] == "system"
    assert sent[-1]["content"].startswith("n15")
    assert 400 < words <= 650
    assert sum(len(message["content"]) for message in sent) > 1500


def test_a_long_conversation_never_exceeds_the_window(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    backend = make_backend(CHAT_CONTEXT_TOKENS="900", CHAT_MAX_OUTPUT_TOKENS="100", OPENAI_TOOLS="off")
    person = Person(backend.url)
    conversation = person.say("remember: the word is plum").conversation_id
    for _ in range(8):
        person.say("x" * 150, conversation_id=conversation)
    last = provider.requests[-1]["messages"]
    assert sum(len(message["content"].encode()) + PER_MESSAGE for message in last) <= 800
    assert "plum" in str(provider.requests[2]["messages"])
    assert "plum" not in str(last)
    assert len(person.messages(conversation)) == 18
