"""A backend that speaks the documented API from memory and misbehaves on request.

The page's own tests use it where the real backend cannot be made to fail at one exact word: a dropped
connection, a refused refresh, an expired token. The end-to-end tests use the real one.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

NOW = "2026-03-01T09:30:00.000Z"
ANSWER = (
    "Here is a **short** plan:\n\n1. Read the figures\n2. Ask Ines\n\n"
    "```python\ndef total(figures):\n    return sum(figures)\n```\n\nThat is all."
)


class Scripted:
    """Everything the scripted backend knows, and the switches that make it misbehave."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.tasks: list[dict[str, Any]] = []
        self.conversations: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.stopped: set[str] = set()
        # Unlike those of any other script: the page remembers renewals for a minute.
        self.sign_in = secrets.token_hex(6)
        self.refresh_token = f"refresh-{self.sign_in}-0"
        self.refreshes = 0
        self.reused = 0  # refresh tokens that came a second time
        self.access_token = f"access-{self.sign_in}-0"
        self.resumptions: list[str | None] = []
        self.seconds_per_word = 0.02
        self.seconds_per_change = 0.0
        self.drop_after_words: list[int] = []
        self.left = 0

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self.numbers)}"

    def tokens(self) -> dict[str, Any]:
        user = {"id": "user-1", "email": "ana@example.org", "name": "Ana", "created_at": NOW}
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "token_type": "bearer",
            "expires_in": 900,
            "user": user,
        }

    def task(self, title: str, due_on: str | None = None, tags: list[str] | None = None) -> dict[str, Any]:
        number = len(self.tasks) + 1
        return {
            "id": self.new_id("task"),
            "title": title,
            "notes": "",
            "done": False,
            "done_at": None,
            "due_on": due_on,
            "tags": tags or [],
            "position": number * 1024.0,
            "version": 1,
            "created_at": NOW,
            "updated_at": NOW,
        }


def problem(status: int, code: str, detail: str, **headers: str) -> Response:
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def page(items: list[dict[str, Any]]) -> Response:
    return JSONResponse({"items": items, "next_cursor": None})


def create_app(script: Scripted) -> Starlette:
    """The scripted backend as an ASGI application."""

    async def sign_in(request: Request) -> Response:
        body = await request.json()
        if body["password"].startswith("wrong"):
            return problem(401, "invalid-credentials", "Email and password do not match.")
        return JSONResponse(script.tokens(), 201 if request.url.path.endswith("signup") else 200)

    async def refresh(request: Request) -> Response:
        if (await request.json())["refresh_token"] != script.refresh_token:
            script.reused += 1
            return problem(401, "refresh-token-reused", "This sign-in has ended.")
        script.refreshes += 1
        script.refresh_token = f"refresh-{script.sign_in}-{script.refreshes}"
        script.access_token = f"access-{script.sign_in}-{script.refreshes}"
        await asyncio.sleep(0.05)
        return JSONResponse(script.tokens())

    async def nothing(request: Request) -> Response:
        return Response(status_code=204)

    async def account(request: Request) -> Response:
        if request.method == "DELETE":
            return Response(status_code=204)
        return JSONResponse(script.tokens()["user"])

    async def usage(request: Request) -> Response:
        figures = {"month": "2026-03", "prompt_tokens": 1200, "completion_tokens": 340, "requests": 9}
        limits = {"cost_usd": 0.0004, "limit_tokens": 20000, "remaining_tokens": 18460}
        return JSONResponse({**figures, **limits, "resets_at": "2026-04-01T00:00:00Z"})

    async def model(request: Request) -> Response:
        label = {"label": "Local demo model", "tools": "router", "available": True, "context_tokens": 4096}
        return JSONResponse({"name": "scripted", "kind": "local-demo", "size": "standard", **label})

    async def commands(request: Request) -> Response:
        rows = [("/add", "/add Buy milk #home", "Add a task"), ("/tasks", "/tasks", "Show open tasks")]
        return JSONResponse({"items": [{"command": c, "usage": u, "description": d} for c, u, d in rows]})

    async def tasks(request: Request) -> Response:
        if request.method == "POST":
            body = await request.json()
            added = script.task(body["title"], body.get("due_on"), body.get("tags"))
            script.tasks.append(added)
            return JSONResponse(added, 201)
        wanted = request.query_params.get("status", "all")
        search = request.query_params.get("search", "")
        shown = [t for t in script.tasks if wanted == "all" or t["done"] == (wanted == "done")]
        return page([t for t in shown if search.lower() in t["title"].lower()])

    async def task(request: Request) -> Response:
        found = next((t for t in script.tasks if t["id"] == request.path_params["id"]), None)
        if not found:
            return problem(404, "task-not-found", "There is no such task.")
        if request.method == "DELETE":
            script.tasks.remove(found)
            return Response(status_code=204)
        if request.method == "PATCH":
            if request.headers.get("if-match", f'"{found["version"]}"') != f'"{found["version"]}"':
                return problem(412, "task-changed", "Changed meanwhile.")
            await asyncio.sleep(script.seconds_per_change)
            found.update(await request.json(), version=found["version"] + 1)
        return JSONResponse(found)

    async def move(request: Request) -> Response:
        found = next(t for t in script.tasks if t["id"] == request.path_params["id"])
        script.tasks.remove(found)
        after = (await request.json())["after"]
        place = next((n + 1 for n, t in enumerate(script.tasks) if t["id"] == after), 0)
        script.tasks.insert(place, found)
        return JSONResponse(found)

    async def conversations(request: Request) -> Response:
        search = request.query_params.get("search", "").lower()
        return page([c for c in reversed(script.conversations.values()) if search in c["title"].lower()])

    async def conversation(request: Request) -> Response:
        found = script.conversations.get(request.path_params["id"])
        if not found:
            return problem(404, "conversation-not-found", "There is no such conversation.")
        if request.method == "DELETE":
            del script.conversations[found["id"]]
            return Response(status_code=204)
        if request.method == "PATCH":
            found.update(await request.json())
        return JSONResponse(found)

    async def messages(request: Request) -> Response:
        return page(script.messages.get(request.path_params["id"], []))

    async def stop(request: Request) -> Response:
        script.stopped.add(request.path_params["id"])
        return JSONResponse({"stopped": True})

    def message(role: str, text: str, status: str) -> dict[str, Any]:
        parts = [{"type": "text", "text": text}] if text else []
        base = {"id": script.new_id("message"), "role": role, "status": status, "parts": parts, "error": None}
        return {**base, "model": "scripted" if role == "assistant" else None, "created_at": NOW}

    def answer_to(text: str, asked: dict[str, Any] | None, found: dict[str, Any]) -> str:
        answer = message("assistant", "", "streaming")
        script.messages[found["id"]].append(answer)
        start = {"conversation": found, "user_message": asked, "message": answer}
        events = [{"event": "start", "data": json.loads(json.dumps(start))}]
        if text.startswith("/add "):
            added = script.task(text.removeprefix("/add "))
            script.tasks.append(added)
            undo = {"label": "Undo", "method": "DELETE", "path": f"/api/tasks/{added['id']}", "body": None}
            part = {"type": "tool", "name": "add_task", "arguments": {}, "ok": True, "undo": undo}
            part = {**part, "summary": f"Added “{added['title']}”.", "tasks": [added]}
            answer["parts"].append(part)
            events.append({"event": "tool", "data": part})
        elif text.startswith("fail"):
            answer["error"] = {"code": "provider-failed", "message": "The model did not answer (500)."}
            events.append({"event": "error", "data": {**answer["error"], "retryable": True}})
        else:
            reply = " ".join(f"word{n}" for n in range(1, 121)) if "count" in text else ANSWER
            answer["parts"].append({"type": "text", "text": reply})
            pieces = [w + " " for w in reply.split(" ")]
            events += [{"event": "delta", "data": {"text": w}} for w in pieces]
        status = "failed" if answer["error"] else "complete"
        done = {**answer, "status": status}
        events.append({"event": "done", "data": {"message": done, "usage": None, "finish_reason": "stop"}})
        script.events[answer["id"]] = events
        return str(answer["id"])

    async def stream(conversation_id: str, message_id: str, first: int) -> AsyncIterator[str]:
        try:
            async for line in told(conversation_id, message_id, first):
                yield line
        except (asyncio.CancelledError, GeneratorExit):
            script.left += 1
            raise

    async def told(conversation_id: str, message_id: str, first: int) -> AsyncIterator[str]:
        yield "retry: 250\n\n"
        events = script.events[message_id]
        drop_at = first + script.drop_after_words.pop(0) if script.drop_after_words else None
        for number, event in enumerate(events):
            if number < first:
                continue
            if number == drop_at:
                return
            if conversation_id in script.stopped and event["event"] == "delta":
                continue
            data = event["data"]
            if event["event"] == "done":
                stored = script.messages[conversation_id][-1]
                stored["status"] = (
                    "stopped" if conversation_id in script.stopped else data["message"]["status"]
                )
                data = {**data, "message": stored}
            yield f"event: {event['event']}\nid: {number}\ndata: {json.dumps(data)}\n\n"
            await asyncio.sleep(script.seconds_per_word)

    def streaming(conversation_id: str, message_id: str, first: int = 0) -> Response:
        return StreamingResponse(stream(conversation_id, message_id, first), media_type="text/event-stream")

    async def chat(request: Request) -> Response:
        body = await request.json()
        if body["message"].startswith("over the limit"):
            return problem(429, "monthly-limit-reached", "This month's allowance is used up.")
        found = script.conversations.get(body.get("conversation_id", ""))
        if not found:
            times = {"created_at": NOW, "updated_at": NOW}
            found = {"id": script.new_id("conversation"), "title": body["message"][:60], **times}
            script.conversations[found["id"]] = found
            script.messages[found["id"]] = []
        known = script.messages[found["id"]]
        replaced = [n for n, m in enumerate(known) if m["id"] == body.get("replace_message_id")]
        if replaced:
            del known[replaced[0] :]
        script.stopped.discard(found["id"])
        asked = message("user", body["message"], "complete")
        known.append(asked)
        return streaming(found["id"], answer_to(body["message"], asked, found))

    async def regenerate(request: Request) -> Response:
        found = script.conversations[request.path_params["id"]]
        known = script.messages[found["id"]]
        known.pop()
        script.stopped.discard(found["id"])
        return streaming(found["id"], answer_to("again", None, found))

    async def resume(request: Request) -> Response:
        last = request.headers.get("last-event-id")
        script.resumptions.append(last)
        first = int(last) + 1 if last is not None else 0
        return streaming(request.path_params["id"], request.path_params["message"], first)

    def guarded(handler: Any) -> Any:
        async def check(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {script.access_token}":
                return problem(401, "token-expired", "The access token has expired.")
            answer: Response = await handler(request)
            return answer

        return check

    rows: list[tuple[str, Any, list[str]]] = [
        ("/api/account", account, ["GET", "PATCH", "DELETE"]),
        ("/api/account/usage", usage, ["GET"]),
        ("/api/chat/model", model, ["GET"]),
        ("/api/chat/commands", commands, ["GET"]),
        ("/api/tasks", tasks, ["GET", "POST"]),
        ("/api/tasks/{id}", task, ["GET", "PATCH", "DELETE"]),
        ("/api/tasks/{id}/move", move, ["POST"]),
        ("/api/conversations", conversations, ["GET"]),
        ("/api/conversations/{id}", conversation, ["GET", "PATCH", "DELETE"]),
        ("/api/conversations/{id}/messages", messages, ["GET"]),
        ("/api/conversations/{id}/stop", stop, ["POST"]),
        ("/api/conversations/{id}/regenerate", regenerate, ["POST"]),
        ("/api/conversations/{id}/messages/{message}/stream", resume, ["GET"]),
        ("/api/chat", chat, ["POST"]),
    ]
    routes = [Route(path, guarded(handler), methods=methods) for path, handler, methods in rows]
    routes += [
        Route("/api/auth/signup", sign_in, methods=["POST"]),
        Route("/api/auth/login", sign_in, methods=["POST"]),
        Route("/api/auth/refresh", refresh, methods=["POST"]),
        Route("/api/auth/logout", nothing, methods=["POST"]),
    ]
    return Starlette(routes=routes)
