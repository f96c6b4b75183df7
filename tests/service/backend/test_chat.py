"""Conversations and streamed answers, with a scripted provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from backend_support.people import Person, Reply, events_of
from backend_support.provider import ScriptedProvider, words
from backend_support.servers import BackendProcess


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait for a state; returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "the awaited state did not come"
        time.sleep(0.01)
    return time.monotonic() - began


def test_words_arrive_and_stay(person: Person, provider: ScriptedProvider) -> None:
    reply = person.say("words=20 tell me")
    assert [event.name for event in reply.events[:1]] == ["start"]
    assert reply.text == words(20)
    assert reply.done["finish_reason"] == "stop"
    assert reply.done["usage"]["completion_tokens"] == 20
    question, answer = person.messages(reply.conversation_id)
    assert question["parts"] == [{"type": "text", "text": "words=20 tell me"}]
    assert answer["parts"] == [{"type": "text", "text": words(20)}]
    assert (answer["status"], answer["role"], answer["model"]) == ("complete", "assistant", "scripted")
    assert provider.requests[0]["stream_options"] == {"include_usage": True}


def test_words_arrive_one_after_another(person: Person) -> None:
    with person.http.stream("POST", "/api/chat", json={"message": "words=6 delay=0.15"}) as answer:
        times = [time.monotonic() for event in events_of(answer.iter_lines()) if event.name == "delta"]
    assert len(times) == 6
    assert times[-1] - times[0] > 0.5


def test_the_history_goes_along(person: Person, provider: ScriptedProvider) -> None:
    first = person.say("My name is Ana")
    person.say("What is my name?", conversation_id=first.conversation_id)
    sent = [(message["role"], message["content"]) for message in provider.requests[-1]["messages"]]
    assert sent[0][0] == "system"
    assert sent[1:] == [
        ("user", "My name is Ana"),
        ("assistant", "You said: My name is Ana"),
        ("user", "What is my name?"),
    ]


def test_conversations_are_listed_searched_renamed_and_deleted(person: Person) -> None:
    first = person.say("Plan a trip to Lisbon\nwith details").conversation_id
    second = person.say("Something else").conversation_id
    listed = person.call("GET", "/api/conversations")["items"]
    assert [item["title"] for item in listed] == ["Something else", "Plan a trip to Lisbon"]
    person.call("PATCH", f"/api/conversations/{second}", json={"title": "Übung"})
    found = person.call("GET", "/api/conversations", params={"search": "ÜB"})["items"]
    assert [item["id"] for item in found] == [second]
    page = person.call("GET", "/api/conversations", params={"limit": 1})
    rest = person.call("GET", "/api/conversations", params={"limit": 1, "cursor": page["next_cursor"]})
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {first, second}
    assert rest["next_cursor"] is None
    person.call("DELETE", f"/api/conversations/{first}", 204)
    assert person.call("GET", f"/api/conversations/{first}", 404)["code"] == "conversation-not-found"
    assert person.call("GET", f"/api/conversations/{first}/messages", 404)


def test_an_empty_conversation_gets_its_title_from_the_first_message(person: Person) -> None:
    made = person.call("POST", "/api/conversations", 201, json={})
    reply = person.say("Groceries for the weekend", conversation_id=made["id"])
    assert reply.named("start")[0]["conversation"]["title"] == "Groceries for the weekend"
    assert person.call("GET", f"/api/conversations/{made['id']}")["title"] == "Groceries for the weekend"


def test_messages_come_in_pages_from_the_newest(person: Person) -> None:
    conversation = person.say("one").conversation_id
    for text in ("two", "three"):
        person.say(text, conversation_id=conversation)
    path = f"/api/conversations/{conversation}/messages"
    newest = person.call("GET", path, params={"limit": 4})
    older = person.call("GET", path, params={"limit": 4, "cursor": newest["next_cursor"]})
    texts = [message["parts"][0]["text"] for message in [*older["items"], *newest["items"]]]
    assert texts == ["one", "You said: one", "two", "You said: two", "three", "You said: three"]
    assert older["next_cursor"] is None


def test_a_dropped_stream_is_resumed_without_losing_or_repeating_a_word(person: Person) -> None:
    seen = person.read_some("words=40 delay=0.02", 7)
    text = seen.text
    rest = person.resume(seen, seen.events[-1].identifier)
    assert text + rest.text == words(40)
    assert rest.done["finish_reason"] == "stop"


def test_a_stream_dropped_many_times_is_whole_in_the_end(person: Person) -> None:
    reply = person.read_some("words=60 delay=0.03", 3)
    text, last = reply.text, reply.events[-1].identifier
    path = f"/api/conversations/{reply.conversation_id}/messages/{reply.message_id}/stream"
    for _ in range(200):
        part = Reply()
        with person.http.stream("GET", path, headers={"Last-Event-ID": last}) as answer:
            for event in events_of(answer.iter_lines()):
                part.events.append(event)
                last = event.identifier or last
                if len(part.named("delta")) == 4:
                    break
        text += part.text
        if part.events[-1].name == "done":
            break
    assert text == words(60)


def test_two_can_watch_one_answer(person: Person) -> None:
    path = "/api/conversations/{}/messages/{}/stream"
    with person.http.stream("POST", "/api/chat", json={"message": "words=30 delay=0.03"}) as answer:
        events = events_of(answer.iter_lines())
        start = next(events).data
        address = path.format(start["conversation"]["id"], start["message"]["id"])
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(person.stream, "GET", address)
            first = "".join(event.data["text"] for event in events if event.name == "delta")
            assert first == second.result(30).text == words(30)


def test_a_finished_answer_can_be_played_again(person: Person) -> None:
    reply = person.say("words=5")
    assert person.resume(reply, None).text == words(5)
    middle = person.resume(reply, "0:3")
    assert middle.text == words(5)[3:]
    end = person.resume(reply, reply.events[-1].identifier)
    assert [event.name for event in end.events] == ["start", "done"]


def test_heartbeats_fill_the_silence(person: Person) -> None:
    comments: list[str] = []
    with person.http.stream("POST", "/api/chat", json={"message": "words=2 delay=0.9"}) as answer:
        events = list(events_of(answer.iter_lines(), comments))
    assert events[-1].data["finish_reason"] == "stop"
    assert len(comments) >= 2


def test_a_closed_tab_stops_the_provider_within_a_second(person: Person, provider: ScriptedProvider) -> None:
    reply = person.read_some("words=500 delay=0.05", 2)
    closed = time.monotonic()
    _until(lambda: bool(provider.left_at))
    assert provider.left_at[0] - closed < 1.0
    _until(lambda: person.messages(reply.conversation_id)[-1]["status"] == "interrupted")
    kept = person.messages(reply.conversation_id)[-1]["parts"][0]["text"]
    assert kept
    assert words(500).startswith(kept)


def test_an_answer_stopped_because_nobody_watched_is_taken_up_again(
    person: Person, provider: ScriptedProvider
) -> None:
    reply = person.read_some("words=40 delay=0.04", 5)
    _until(lambda: bool(provider.left_at))
    _until(lambda: person.messages(reply.conversation_id)[-1]["status"] == "interrupted")
    rest = person.resume(reply, reply.events[-1].identifier)
    assert reply.text + rest.text == words(40)
    assert rest.done["finish_reason"] == "stop"
    assert person.messages(reply.conversation_id)[-1]["parts"][0]["text"] == words(40)


def test_stop_keeps_what_was_written(person: Person, provider: ScriptedProvider) -> None:
    with person.http.stream("POST", "/api/chat", json={"message": "words=500 delay=0.05"}) as answer:
        events = events_of(answer.iter_lines())
        conversation = next(events).data["conversation"]["id"]
        assert next(events).name == "delta"
        assert person.call("POST", f"/api/conversations/{conversation}/stop") == {"stopped": True}
        last = list(events)[-1]
    assert (last.name, last.data["finish_reason"]) == ("done", "stopped")
    assert last.data["message"]["status"] == "stopped"
    _until(lambda: bool(provider.left_at), 2)
    assert person.call("POST", f"/api/conversations/{conversation}/stop") == {"stopped": False}
    assert person.call("GET", "/api/account/usage")["completion_tokens"] > 0


def test_one_answer_at_a_time_per_conversation(person: Person) -> None:
    with person.http.stream("POST", "/api/chat", json={"message": "words=100 delay=0.05"}) as answer:
        conversation = next(events_of(answer.iter_lines())).data["conversation"]["id"]
        busy = {"message": "more", "conversation_id": conversation}
        assert person.call("POST", "/api/chat", 409, json=busy)["code"] == "answer-in-progress"
        assert person.call("POST", f"/api/conversations/{conversation}/regenerate", 409)
        person.call("POST", f"/api/conversations/{conversation}/stop")
    assert person.say("more", conversation_id=conversation).done["finish_reason"] == "stop"


def test_regenerate_replaces_the_last_answer(person: Person, provider: ScriptedProvider) -> None:
    first = person.say("words=3 prefix=a")
    second = person.stream("POST", f"/api/conversations/{first.conversation_id}/regenerate")
    assert second.named("start")[0]["user_message"] is None
    messages = person.messages(first.conversation_id)
    assert [message["id"] for message in messages[1:]] == [second.message_id]
    assert second.message_id != first.message_id
    assert len(provider.requests[1]["messages"]) == len(provider.requests[0]["messages"])
    empty = person.call("POST", "/api/conversations", 201, json={})["id"]
    refused = person.call("POST", f"/api/conversations/{empty}/regenerate", 409)
    assert refused["code"] == "nothing-to-regenerate"


def test_edit_and_resend_replaces_a_message_and_all_after_it(
    person: Person, provider: ScriptedProvider
) -> None:
    first = person.say("one")
    conversation = first.conversation_id
    person.say("two", conversation_id=conversation)
    question = person.messages(conversation)[0]["id"]
    person.say("uno", conversation_id=conversation, replace_message_id=question)
    texts = [message["parts"][0]["text"] for message in person.messages(conversation)]
    assert texts == ["uno", "You said: uno"]
    assert [message["content"] for message in provider.requests[-1]["messages"][1:]] == ["uno"]
    body = {"message": "x", "conversation_id": conversation, "replace_message_id": "0" * 22}
    assert person.call("POST", "/api/chat", 404, json=body)["code"] == "message-not-found"


@pytest.mark.parametrize("message", ["", "x" * 16_001, "a\0b"])
def test_bad_messages_are_refused(person: Person, message: str) -> None:
    assert person.call("POST", "/api/chat", 422, json={"message": message})


def test_a_deleted_conversation_stops_its_answer(person: Person, provider: ScriptedProvider) -> None:
    with person.http.stream("POST", "/api/chat", json={"message": "words=500 delay=0.05"}) as answer:
        events = events_of(answer.iter_lines())
        conversation = next(events).data["conversation"]["id"]
        person.call("DELETE", f"/api/conversations/{conversation}", 204)
        assert list(events)[-1].name == "done"
    _until(lambda: bool(provider.left_at), 2)


def test_usage_is_counted_and_limited(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    backend = make_backend(CHAT_MONTHLY_TOKEN_LIMIT="100", CHAT_PROMPT_PRICE="2", CHAT_COMPLETION_PRICE="8")
    person = Person(backend.url)
    done = person.say("words=60").done
    prompt = done["usage"]["prompt_tokens"]
    assert done["usage"]["cost_usd"] == pytest.approx((prompt * 2 + 60 * 8) / 1_000_000)
    usage = person.call("GET", "/api/account/usage")
    assert (usage["requests"], usage["prompt_tokens"], usage["completion_tokens"]) == (1, prompt, 60)
    assert usage["remaining_tokens"] == 100 - 60 - prompt
    assert usage["cost_usd"] == pytest.approx(done["usage"]["cost_usd"], abs=1e-6)
    person.say("words=60")
    assert provider.requests[-1]["max_tokens"] == usage["remaining_tokens"]
    refused = person.call("POST", "/api/chat", 429, json={"message": "words=1"})
    assert refused["code"] == "monthly-limit-reached"
    assert Person(backend.url).say("words=1").done["finish_reason"] == "stop"
