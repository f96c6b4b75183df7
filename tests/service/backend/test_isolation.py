"""Nobody reaches anybody else's data, by any route; and tokens that are not ours open nothing."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from backend_support.people import Person
from backend_support.servers import JWT_SECRET, BackendProcess

OPEN = {
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("POST", "/api/auth/signup"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
}
# A body that would be taken if the path were one's own.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/api/tasks/{task_id}"): {"title": "stolen"},
    ("POST", "/api/tasks/{task_id}/move"): {"after": None},
    ("PATCH", "/api/conversations/{conversation_id}"): {"title": "stolen"},
}


def _routes(backend: BackendProcess) -> list[tuple[str, str]]:
    document = httpx.get(f"{backend.url}/openapi.json").json()
    routes = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert len(routes) > 25
    return routes


@pytest.fixture
def belongings(person: Person) -> dict[str, str]:
    """One of everything that belongs to `person`."""
    task = person.task("a secret task")
    reply = person.say("words=3 secret")
    return {
        "task_id": task["id"],
        "conversation_id": reply.conversation_id,
        "message_id": reply.message_id,
    }


def test_nobody_gets_in_without_signing_in(backend: BackendProcess, belongings: dict[str, str]) -> None:
    for method, path in _routes(backend):
        if (method, path) in OPEN:
            continue
        answer = httpx.request(method, backend.url + path.format(**belongings), timeout=30)
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_somebody_elses_things_do_not_exist(
    backend: BackendProcess, person: Person, someone_else: Person, belongings: dict[str, str]
) -> None:
    checked = 0
    for method, path in _routes(backend):
        if "{" not in path:
            continue
        body = BODIES.get((method, path))
        answer = someone_else.http.request(method, path.format(**belongings), json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        checked += 1
    assert checked >= 13
    body = {"message": "hello", "conversation_id": belongings["conversation_id"]}
    assert someone_else.call("POST", "/api/chat", 404, json=body)
    own = someone_else.task("own")
    after = {"after": belongings["task_id"]}
    assert someone_else.call("POST", f"/api/tasks/{own['id']}/move", 404, json=after)
    mixed = {
        "message": "x",
        "conversation_id": someone_else.say("words=1").conversation_id,
        "replace_message_id": person.messages(belongings["conversation_id"])[0]["id"],
    }
    assert someone_else.call("POST", "/api/chat", 404, json=mixed)
    # Nothing was shown, and nothing was changed.
    assert [task["title"] for task in someone_else.tasks()] == ["own"]
    assert "secret" not in json.dumps(someone_else.call("GET", "/api/conversations"))
    assert [task["title"] for task in person.tasks()] == ["a secret task"]
    assert len(person.messages(belongings["conversation_id"])) == 2


def test_the_other_users_tools_reach_only_their_own_tasks(person: Person, someone_else: Person) -> None:
    mine = person.task("only mine")
    part = someone_else.say(f"/done {mine['id']}").named("tool")[0]
    assert part["ok"] is False
    assert someone_else.say("/tasks all").named("tool")[0]["tasks"] == []
    assert person.tasks()[0]["done"] is False


def _claims(person: Person, **changes: Any) -> dict[str, Any]:
    genuine = jwt.decode(person.access_token, options={"verify_signature": False})
    return {**genuine, **changes}


def _unsigned(person: Person) -> str:
    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(_claims(person))}."


def _tampered(person: Person, other: Person) -> str:
    head, _, signature = person.access_token.split(".")
    _, payload, _ = other.access_token.split(".")
    return f"{head}.{payload}.{signature}"


def test_forged_and_stale_tokens_are_refused(
    backend: BackendProcess, person: Person, someone_else: Person
) -> None:
    without_audience = _claims(person)
    del without_audience["aud"]
    without_session = _claims(person)
    del without_session["sid"]

    def signed(claims: dict[str, Any], key: str = JWT_SECRET, algorithm: str = "HS256") -> str:
        return jwt.encode(claims, key, algorithm=algorithm)

    forged = {
        "alg none": _unsigned(person),
        "wrong key": signed(_claims(person), "another-key-that-is-long-enough-to-use"),
        "expired": signed(_claims(person, exp=int(time.time()) - 1)),
        "other audience": signed(_claims(person, aud="somebody-else")),
        "no audience": signed(without_audience),
        "other algorithm": signed(_claims(person), JWT_SECRET * 2, "HS512"),
        "no session": signed(without_session),
        "unknown session": signed(_claims(person, sid="0" * 22)),
        "session of another user": signed(_claims(person, sub=someone_else.id)),
        "session of odd type": signed(_claims(person, sid=5)),
        "tampered payload": _tampered(person, someone_else),
        "cut": person.access_token[:-4],
        "refresh token": person.refresh_token,
        "blank": "x",
        "not ascii": "ü",
    }
    for name, token in forged.items():
        header = {"authorization": f"Bearer {token}".encode()}
        answer = httpx.get(f"{backend.url}/api/tasks", headers=header, timeout=30)
        assert answer.status_code == 401, name
        assert answer.json()["code"] in {"not-signed-in", "token-expired", "signed-out"}, name
    for scheme in ("Basic", "Token"):
        header = {"authorization": f"{scheme} {person.access_token}"}
        assert httpx.get(f"{backend.url}/api/tasks", headers=header).status_code == 401
    assert person.tasks() == []
