"""Slash commands, tools of a model that can call them, and plain wishes for the local one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from app.chat import commands, days, intents
from backend_support.people import Person, Reply
from backend_support.provider import ScriptedProvider
from backend_support.servers import BackendProcess
from hypothesis import given
from hypothesis import strategies as st

TUESDAY = date(2026, 3, 3)


def _tool(reply: Reply) -> dict[str, Any]:
    (part,) = reply.named("tool")
    return dict(part)


def test_slash_commands_change_the_list_without_a_model(person: Person, provider: ScriptedProvider) -> None:
    added = person.say("/add Buy milk #home due:tomorrow")
    part = _tool(added)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert (part["name"], part["ok"], part["summary"]) == ("add_task", True, "Added “Buy milk”.")
    (task,) = person.tasks()
    assert (task["title"], task["tags"], task["due_on"]) == ("Buy milk", ["home"], tomorrow)
    assert part["tasks"] == [task]
    conversation = added.conversation_id
    person.say("/add Write report", conversation_id=conversation)
    listed = _tool(person.say("/tasks", conversation_id=conversation))
    assert [found["title"] for found in listed["tasks"]] == ["Buy milk", "Write report"]
    done = _tool(person.say("/done 2", conversation_id=conversation))
    assert done["summary"] == "Completed “Write report”."
    assert [found["title"] for found in person.tasks(status="open")] == ["Buy milk"]
    assert "`/add" in person.say("/help", conversation_id=conversation).text
    assert "no command `/dance`" in person.say("/dance", conversation_id=conversation).text
    assert provider.requests == []
    assert person.messages(conversation)[1]["parts"] == [part]


def test_what_a_command_did_can_be_taken_back(person: Person) -> None:
    for text, check in (
        ("/add Milk", lambda: person.tasks() == []),
        ("/done 1", lambda: not person.tasks()[0]["done"]),
    ):
        if text == "/done 1":
            person.task("Eggs")
        undo = _tool(person.say(text))["undo"]
        answer = person.http.request(undo["method"], undo["path"], json=undo["body"])
        assert answer.is_success
        assert check()


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("/done cheese", "There is no open task “cheese”."),
        ("/done re", "More than one task fits: “Report”, “Rehearse”. Please be more exact."),
        ("/add x due:someday", "due_on: Value error, must be a date such as 2026-03-04"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(person: Person, text: str, summary: str) -> None:
    person.task("Report")
    person.task("Rehearse")
    part = _tool(person.say(text))
    assert (part["ok"], part["summary"]) == (False, summary)
    assert len(person.tasks(status="open")) == 2


def test_a_path_is_no_command() -> None:
    assert commands.parse("/usr/bin is a folder") is None
    assert commands.parse("/add") == ("add", "")
    assert commands.parse(" /Done  two words ") == ("done", "two words")
    assert commands.task_from("a #b-c d due:2026-01-02", TUESDAY) == {
        "title": "a d",
        "due_on": "2026-01-02",
        "tags": ["b-c"],
    }


def _call(name: str, arguments: object, identifier: str = "call_1") -> list[dict[str, Any]]:
    """A tool call in pieces, as providers send them."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    first = {"index": 0, "id": identifier, "type": "function", "function": {"name": name, "arguments": ""}}
    pieces: list[dict[str, Any]] = [{"tool_calls": [first]}]
    pieces += [
        {"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in (text[:5], text[5:])
    ]
    choices: list[dict[str, Any]] = [{"index": 0, "delta": piece} for piece in pieces]
    return [*choices, {"index": 0, "delta": {}, "finish_reason": "tool_calls"}]


def _words(text: str) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": {"content": text}}, {"index": 0, "delta": {}, "finish_reason": "stop"}]


def test_a_model_that_can_call_tools_uses_them(person: Person, provider: ScriptedProvider) -> None:
    def respond(body: dict[str, Any]) -> list[dict[str, Any]]:
        results = [message for message in body["messages"] if message["role"] == "tool"]
        if not results:
            return _call("add_task", {"title": "Call the dentist", "tags": ["health"]})
        if len(results) == 1:
            assert results[0]["tool_call_id"] == "call_1"
            return _call("complete_task", {"task": "dentist"}, "call_2")
        return _words("Both done.")

    provider.respond = respond
    reply = person.say("Please note that I must call the dentist. Done already, by the way.")
    assert [part["name"] for part in reply.named("tool")] == ["add_task", "complete_task"]
    assert reply.text == "Both done."
    (task,) = person.tasks()
    assert (task["title"], task["done"]) == ("Call the dentist", True)
    assert {tool["function"]["name"] for tool in provider.requests[0]["tools"]} == {
        "list_tasks",
        "add_task",
        "update_task",
        "complete_task",
    }
    assert [event.name for event in reply.events] == ["start", "tool", "tool", "delta", "done"]
    assert person.resume(reply, reply.events[1].identifier).events[1].data["name"] == "complete_task"


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("add_task", "{this is no json", "title: Field required"),
        ("add_task", {"title": ""}, "title:"),
        ("update_task", {"task": "nothing", "title": "x"}, "no open task"),
        ("update_task", {}, "Which task?"),
        ("drop_tables", {"now": True}, "no tool named"),
        ("list_tasks", {"status": "purple"}, "status:"),
        ("complete_task", {"task": {"id": 5}}, "no open task"),
    ],
)
def test_a_model_that_calls_tools_wrongly_is_told(
    person: Person, provider: ScriptedProvider, name: str, arguments: object, told: str
) -> None:
    provider.respond = lambda body: (
        _words("Sorry.") if body["messages"][-1]["role"] == "tool" else _call(name, arguments)
    )
    reply = person.say("Do something")
    part = _tool(reply)
    assert part["ok"] is False
    assert told in part["summary"]
    assert reply.text == "Sorry."
    assert person.tasks() == []


def test_a_model_that_never_stops_calling_tools_is_stopped(
    person: Person, provider: ScriptedProvider
) -> None:
    provider.respond = lambda body: (
        _call("list_tasks", {}) if body.get("tools") else _words("That is enough.")
    )
    reply = person.say("List forever")
    assert reply.text == "That is enough."
    assert len(provider.requests) == 5


def test_an_answer_that_changed_tasks_is_not_done_twice(person: Person) -> None:
    reply = person.say("/add once")
    refused = person.call("POST", f"/api/conversations/{reply.conversation_id}/regenerate", 409)
    assert refused["code"] == "nothing-to-regenerate"
    assert len(person.tasks()) == 1


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("add buy milk to my list", ("add_task", {"title": "buy milk"})),
        ("Please add a task to call mum.", ("add_task", {"title": "call mum"})),
        ("Remind me to water the plants", ("add_task", {"title": "water the plants"})),
        ("new todo: clean the car #home", ("add_task", {"title": "clean the car", "tags": ["home"]})),
        (
            "remind me to call Ines tomorrow at 5pm",
            ("add_task", {"title": "call Ines at 5pm", "due_on": "2026-03-04"}),
        ),
        (
            "Remind me on Friday to pay the rent",
            ("add_task", {"title": "pay the rent", "due_on": "2026-03-06"}),
        ),
        ("remind me later to pay the rent", None),
        ("remind me to go to bed", ("add_task", {"title": "go to bed"})),
        ("add “watch Next Friday” to my list", ("add_task", {"title": "watch Next Friday"})),
        (
            "add pay the rent due:friday to my list",
            ("add_task", {"title": "pay the rent", "due_on": "2026-03-06"}),
        ),
        ("show me my tasks", ("list_tasks", {"status": "open"})),
        ("What's on my to-do list?", ("list_tasks", {"status": "open"})),
        ("mark buy milk as done", ("complete_task", {"task": "buy milk"})),
        ("complete the task “report”", ("complete_task", {"task": "report"})),
        ("How do I add a task to a queue in Python?", None),
        ("What is the capital of France?", None),
        ("Can you remind me to do what you said?", None),
        ("Tell me about to-do lists", None),
    ],
)
def test_sure_patterns(text: str, intent: object) -> None:
    assert intents.by_pattern(text, TUESDAY) == intent


@pytest.mark.parametrize(
    ("text", "rest", "day"),
    [
        ("water the plants tomorrow", "water the plants", "2026-03-04"),
        ("sleep tonight", "sleep", "2026-03-03"),
        ("call Ines by the day after tomorrow", "call Ines", "2026-03-05"),
        ("call Ines on Tuesday", "call Ines", "2026-03-10"),
        ("call Ines, Monday", "call Ines", "2026-03-09"),
        ("call Ines next monday", "call Ines", "2026-03-09"),
        ("call Ines next Friday in the morning", "call Ines in the morning", "2026-03-13"),
        ("plan the trip next week", "plan the trip", "2026-03-09"),
        ("renew the pass in two weeks", "renew the pass", "2026-03-17"),
        ("renew the pass in 10 days", "renew the pass", "2026-03-13"),
        ("file taxes due by 31 July", "file taxes", "2026-07-31"),
        ("file taxes by March 2nd", "file taxes", "2027-03-02"),
        ("see the eclipse on the 12th of August", "see the eclipse", "2026-08-12"),
        ("see the eclipse 2026-08-12", "see the eclipse", "2026-08-12"),
        ("leap on 29 February", "leap on 29 February", None),
        ("meet on 2026-02-30", "meet on 2026-02-30", None),
        ("tomorrow", "tomorrow", None),
        ("sit in the sun", "sit in the sun", None),
        ("call Ines by 4 March 2027", "call Ines by 4 March 2027", None),
        ("read about Friday prayers", "read about Friday prayers", None),
        ("buy a calendar for 2027", "buy a calendar for 2027", None),
    ],
)
def test_days_in_words(text: str, rest: str, day: str | None) -> None:
    assert days.split_day(text, TUESDAY) == (rest, date.fromisoformat(day) if day else None)


@given(st.text(max_size=80), st.dates(min_value=date(2000, 1, 1), max_value=date(9000, 1, 1)))
def test_no_text_breaks_the_reading_of_days(text: str, now: date) -> None:
    rest, day = days.split_day(text, now)
    assert rest == text if day is None else rest.strip()


def test_the_model_and_the_commands_know_what_day_it_is_for_the_user(
    person: Person, provider: ScriptedProvider
) -> None:
    """East of the date line it may be tomorrow already: both sides of the world cannot have the same day."""
    seen = {}
    for offset in (-720, 840):
        here = (datetime.now(UTC) + timedelta(minutes=offset)).date()
        person.say("words=1", utc_offset=offset)
        system = provider.requests[-1]["messages"][0]["content"]
        assert system.endswith(f"Today is {here:%A}, {here.isoformat()}.")
        part = _tool(person.say("/add Go due:tomorrow", utc_offset=offset))
        seen[offset] = part["tasks"][0]["due_on"]
        assert seen[offset] == (here + timedelta(days=1)).isoformat()
    assert seen[-720] < seen[840]
    assert person.call("POST", "/api/chat", 422, json={"message": "x"}, headers={"X-UTC-Offset": "900"})


def _local(make_backend: Callable[..., BackendProcess], size: str) -> Person:
    return Person(make_backend(OPENAI_MODEL=f"local-{size}").url)


def test_the_local_model_is_routed_by_constrained_json(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    person = _local(make_backend, "standard")
    chosen: dict[str, str] = {"action": "add_task", "title": "pay the rent"}

    def respond(body: dict[str, Any]) -> list[dict[str, Any]]:
        if body.get("response_format"):
            assert body["temperature"] == 0
            return _words(json.dumps(chosen))
        assert "tools" not in body
        return _words("Just words.")

    provider.respond = respond
    assert _tool(person.say("I have to pay the rent, note that"))["summary"] == "Added “pay the rent”."
    assert person.say("Tell me a joke").text == "Just words."
    chosen.update(title="call mum")
    part = _tool(person.say("I must call mum in 3 days", utc_offset=0))
    assert part["tasks"][0]["due_on"] == (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    chosen.update(action="chat", title="")
    assert person.say("I have to pay the rent, is that fair?").text == "Just words."
    chosen.update(action="complete_task", title="the moon landing")
    assert person.say("the moon landing is finished, right?").text == "Just words."
    chosen.update(action="complete_task", title="rent")
    assert _tool(person.say("I finished the rent"))["summary"] == "Completed “pay the rent”."
    model = person.call("GET", "/api/chat/model")
    assert (model["kind"], model["size"], model["tools"], model["available"]) == (
        "local-demo",
        "standard",
        "router",
        True,
    )
    assert model["context_tokens"] == 4096


def test_the_tiny_model_gets_patterns_only(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    provider.models = ["local-tiny"]
    person = _local(make_backend, "tiny")
    assert _tool(person.say("remind me to sleep"))["summary"] == "Added “sleep”."
    assert person.say("I have to sleep, note that").text.startswith("You said")
    assert all("response_format" not in request for request in provider.requests)
    model = person.call("GET", "/api/chat/model")
    assert (model["size"], model["tools"], model["label"]) == ("tiny", "patterns", "Local demo model (tiny)")
