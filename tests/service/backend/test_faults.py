"""Whatever the model's provider does, the stream says what happened and ends."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from backend_support.people import Person
from backend_support.provider import ScriptedProvider, words
from backend_support.servers import BackendProcess, free_port

# What the provider does -> the code in the stream, the requests it may cost, and the words that may be seen.
FAULTS = [
    ("fault=500", "provider-failed", 3, ""),
    ("fault=503 after=0", "provider-failed", 3, ""),
    ("fault=429", "provider-rate-limited", 3, ""),
    ("fault=429 code=insufficient_quota", "provider-rejected", 1, ""),
    ("fault=401", "provider-rejected", 1, ""),
    ("fault=403", "provider-rejected", 1, ""),
    ("fault=404", "provider-rejected", 1, ""),
    ("fault=400", "provider-rejected", 1, ""),
    ("fault=hangup", "provider-unreachable", 3, ""),
    ("fault=html", "provider-malformed", 1, ""),
    ("fault=slow", "provider-timeout", 3, ""),
    ("fault=stall words=10", "provider-timeout", 1, words(5)),
    ("fault=cut words=10", "provider-interrupted", 1, words(5)),
    ("fault=malformed words=10", "provider-malformed", 1, words(5)),
    ("fault=errorchunk words=10", "provider-failed", 1, words(5)),
    ("words=0", "provider-failed", 1, ""),
]


@pytest.mark.parametrize(("script", "code", "requests", "text"), FAULTS)
def test_each_fault_ends_in_a_clear_message(
    person: Person, provider: ScriptedProvider, script: str, code: str, requests: int, text: str
) -> None:
    began = time.monotonic()
    reply = person.say(script)
    assert time.monotonic() - began < 25
    (error,) = reply.named("error")
    assert error["code"] == code
    assert error["message"].endswith((".", ")"))
    assert "secret-internal-text" not in str(reply.events)
    assert reply.text == text
    assert reply.done["finish_reason"] == "error"
    assert len(provider.requests) == requests
    stored = person.messages(reply.conversation_id)[-1]
    assert (stored["status"], stored["error"]["code"]) == ("failed", code)
    if requests > 1:
        assert [status["state"] for status in reply.named("status")][-1:] == ["retrying"]
    # The conversation goes on.
    assert person.say("words=2", conversation_id=reply.conversation_id).text == words(2)


def test_a_fault_that_passes_is_not_seen(person: Person, provider: ScriptedProvider) -> None:
    reply = person.say("fault=once words=4")
    assert reply.text == words(4)
    assert reply.named("error") == []
    assert len(provider.requests) == 2


def test_a_server_that_is_not_there(make_backend: Callable[..., BackendProcess]) -> None:
    backend = make_backend(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1")
    reply = Person(backend.url).say("hello")
    assert reply.named("error")[0]["code"] == "provider-unreachable"
    assert reply.done["message"]["status"] == "failed"


def test_a_retry_after_of_an_hour_is_not_waited_for(person: Person, provider: ScriptedProvider) -> None:
    began = time.monotonic()
    assert person.say("fault=429 after=3600").named("error")[0]["code"] == "provider-rate-limited"
    assert time.monotonic() - began < 20
    assert len(provider.requests) == 3


def test_a_prompt_that_is_too_long_after_all_is_cut_further(
    person: Person, provider: ScriptedProvider
) -> None:
    assert person.say("fault=toolong words=3").text == words(3)
    assert len(provider.requests) == 3


def test_an_answer_never_takes_longer_than_allowed(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    backend = make_backend(PROVIDER_TOTAL_SECONDS="4")
    reply = Person(backend.url).say("words=1000 delay=0.02")
    assert reply.named("error")[0]["code"] == "provider-timeout"
    assert words(1000).startswith(reply.text)
    assert reply.text


def test_usage_is_estimated_when_the_provider_tells_none(person: Person) -> None:
    usage = person.say("words=12 nousage=1").done["usage"]
    assert usage["completion_tokens"] == 12
    assert usage["prompt_tokens"] > 10
