"""Somebody who uses the service over HTTP."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

PASSWORD = "a long enough password"
_numbers = itertools.count(1)


@dataclass
class Event:
    """One server-sent event."""

    name: str
    data: Any
    identifier: str | None = None


def events_of(lines: Iterator[str], comments: list[str] | None = None) -> Iterator[Event]:
    """Events as they arrive."""
    name, data, identifier = "message", "", None
    for line in lines:
        if not line:
            if data:
                yield Event(name, json.loads(data), identifier)
            name, data, identifier = "message", "", None
        elif line.startswith(":"):
            if comments is not None:
                comments.append(line)
        else:
            field_name, _, value = line.partition(": ")
            if field_name == "event":
                name = value
            elif field_name == "data":
                data += value
            elif field_name == "id":
                identifier = value


@dataclass
class Reply:
    """A whole streamed answer."""

    events: list[Event] = field(default_factory=list)

    def named(self, name: str) -> list[Any]:
        return [event.data for event in self.events if event.name == name]

    @property
    def text(self) -> str:
        return "".join(data["text"] for data in self.named("delta"))

    @property
    def done(self) -> Any:
        assert self.events[-1].name == "done", self.events[-1]
        return self.events[-1].data

    @property
    def conversation_id(self) -> str:
        return str(self.named("start")[0]["conversation"]["id"])

    @property
    def message_id(self) -> str:
        return str(self.named("start")[0]["message"]["id"])


class Person:
    """Signs up on construction; every request carries the access token."""

    def __init__(self, url: str, email: str | None = None):
        self.email = email or f"person{next(_numbers)}-{id(self):x}@example.org"
        self.http = httpx.Client(base_url=url, timeout=60)
        answer = self.http.post("/api/auth/signup", json={"email": self.email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.take(answer.json())

    def take(self, tokens: dict[str, Any]) -> None:
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens["refresh_token"]
        self.id = tokens["user"]["id"]
        self.http.headers["authorization"] = f"Bearer {self.access_token}"

    def call(self, method: str, path: str, expect: int = 200, **arguments: Any) -> Any:
        answer = self.http.request(method, path, **arguments)
        assert answer.status_code == expect, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def task(self, title: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", "/api/tasks", 201, json={"title": title, **more})
        return made

    def tasks(self, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.call("GET", "/api/tasks", params=query)["items"]
        return items

    def stream(self, method: str, path: str, **arguments: Any) -> Reply:
        """A stream to its end."""
        reply = Reply()
        with self.http.stream(method, path, **arguments) as answer:
            assert answer.status_code == 200, answer.read()
            reply.events.extend(events_of(answer.iter_lines()))
        return reply

    def say(self, message: str, *, utc_offset: int | None = None, **more: Any) -> Reply:
        """Send a message and read the whole answer."""
        headers = {} if utc_offset is None else {"X-UTC-Offset": str(utc_offset)}
        return self.stream("POST", "/api/chat", json={"message": message, **more}, headers=headers)

    def resume(self, reply: Reply, last_event_id: str | None) -> Reply:
        path = f"/api/conversations/{reply.conversation_id}/messages/{reply.message_id}/stream"
        return self.stream("GET", path, headers={"Last-Event-ID": last_event_id} if last_event_id else {})

    def read_some(self, message: str, count: int, **more: Any) -> Reply:
        """Send a message and hang up after `count` deltas."""
        reply = Reply()
        body = {"message": message, **more}
        with self.http.stream("POST", "/api/chat", json=body) as answer:
            assert answer.status_code == 200
            for event in events_of(answer.iter_lines()):
                reply.events.append(event)
                if len(reply.named("delta")) >= count:
                    break
        return reply

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.call("GET", f"/api/conversations/{conversation_id}/messages")[
            "items"
        ]
        return items
