"""Health, metrics, logs, limits, headers, and the orderly end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from backend_support.people import PASSWORD, Person, Reply, events_of
from backend_support.provider import ScriptedProvider, words
from backend_support.servers import BackendProcess, PostgresServer


def test_health_and_readiness(backend: BackendProcess) -> None:
    assert httpx.get(f"{backend.url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{backend.url}/ready")
    assert ready.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "accepting": "ok"},
    }


@pytest.mark.postgresql
def test_without_its_database_it_lives_says_so_and_comes_back(
    make_backend: Callable[..., BackendProcess],
) -> None:
    with PostgresServer() as server:
        url = server.new_database()
        backend = make_backend(DATABASE_URL=url)
        person = Person(backend.url)
        data = str(server._folder / "data")
        server._run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        assert httpx.get(f"{backend.url}/health").status_code == 200
        told = httpx.get(f"{backend.url}/ready", timeout=10)
        assert told.status_code == 503
        assert told.json()["checks"]["database"].startswith("not reachable")
        assert person.call("GET", "/api/tasks", 503)["code"] == "database-unreachable"
        log = str(server._folder / "log")
        options = f"-p {server.port} -k {server._folder} -c listen_addresses=127.0.0.1"
        server._run("pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        deadline = time.monotonic() + 30
        while httpx.get(f"{backend.url}/ready", timeout=10).status_code != 200:
            assert time.monotonic() < deadline
        assert person.task("after the restart")["title"] == "after the restart"


def test_metrics_count_what_happened(backend: BackendProcess, person: Person) -> None:
    person.say("words=7")
    person.call("GET", "/api/tasks/nothing", 404)
    text = httpx.get(f"{backend.url}/metrics").text
    assert 'chatbot_http_requests_total{method="POST",route="/api/chat",status="200"}' in text
    assert 'route="/api/tasks/{task_id}",status="404"' in text
    assert 'chatbot_http_request_seconds_bucket{le="0.005",method="GET",route="/api/tasks/{task_id}"}' in text
    assert 'chatbot_tokens_total{direction="completion"}' in text
    assert 'chatbot_answers_total{outcome="complete"}' in text
    assert "chatbot_open_streams 0.0" in text
    assert "process_resident_memory_bytes" in text
    assert "nothing" not in text


def test_logs_are_json_and_hold_no_secrets_or_messages(backend: BackendProcess, person: Person) -> None:
    person.say("my-very-private-message")
    person.task("my-very-private-task")
    person.tasks(search="my-very-private-search")
    person.call("GET", "/api/account", headers={"X-Request-ID": "trace-me-42"})
    bad = httpx.post(
        f"{backend.url}/api/auth/login", json={"email": person.email, "password": "wrong-password"}
    )
    assert bad.status_code == 401
    deadline = time.monotonic() + 10
    while "trace-me-42" not in backend.log() and time.monotonic() < deadline:
        time.sleep(0.02)  # access lines are written together, a little later
    log = backend.log()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line.get("request_id") == "trace-me-42" for line in lines)
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    for secret in (
        "my-very-private",
        PASSWORD,
        "wrong-password",
        person.email,
        person.access_token,
        person.refresh_token,
        backend.environment["JWT_SECRET"],
    ):
        assert secret not in log


def test_security_headers_are_on_every_answer(backend: BackendProcess, person: Person) -> None:
    for answer in (
        httpx.get(f"{backend.url}/health"),
        httpx.get(f"{backend.url}/nothing"),
        person.http.get("/api/tasks"),
        person.http.post("/api/chat", json={"message": "words=1"}),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] in {"no-store", "no-cache, no-transform"}
        assert len(answer.headers["x-request-id"]) >= 8
        assert "server" not in answer.headers


def test_cors_for_allowed_origins_only(backend: BackendProcess) -> None:
    def preflight(origin: str) -> httpx.Response:
        headers = {"origin": origin, "access-control-request-method": "PATCH"}
        return httpx.options(f"{backend.url}/api/tasks", headers=headers)

    good = preflight("https://chat.example.org")
    assert good.headers["access-control-allow-origin"] == "https://chat.example.org"
    assert "access-control-allow-origin" not in preflight("https://evil.example.org").headers


def test_large_bodies_are_refused_with_and_without_a_length(person: Person) -> None:
    big = b'{"title": "' + b"x" * 300_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert person.call("POST", "/api/tasks", 413, content=big, headers=headers)["code"] == "body-too-large"
    pieces = (big[start : start + 10_000] for start in range(0, len(big), 10_000))
    assert person.call("POST", "/api/tasks", 413, content=pieces, headers=headers)["code"] == "body-too-large"


def test_errors_are_problems(backend: BackendProcess, person: Person) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/api/tasks", 405)):
        answer = person.http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert person.http.put("/api/tasks").headers["allow"] == "GET, POST"
    one = person.http.put(f"/api/tasks/{person.task('x')['id']}")
    assert one.headers["allow"] == "DELETE, GET, PATCH"
    bad = person.http.post("/api/tasks", content=b"{nonsense", headers={"content-type": "application/json"})
    assert (bad.status_code, bad.headers["content-type"]) == (422, "application/problem+json")


def test_the_documentation_is_complete(backend: BackendProcess) -> None:
    document = httpx.get(f"{backend.url}/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["description"], where
            secured = operation.get("security") == [{"bearer": []}]
            assert secured == ("401" in operation["responses"] and "/auth/" not in path), where
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, details in schema.get("properties", {}).items():
            told = {"examples", "example", "$ref", "default", "items", "anyOf", "enum", "const"}
            nested = details.get("type") in {"boolean"} or "examples" in schema or "example" in schema
            assert nested or told & set(details), f"{name}.{field}"


def _watch(person: Person, message: str, reply: Reply) -> threading.Thread:
    begun = threading.Event()

    def run() -> None:
        with person.http.stream("POST", "/api/chat", json={"message": message}) as answer:
            for event in events_of(answer.iter_lines()):
                reply.events.append(event)
                if event.name == "delta":
                    begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    return thread


def test_told_to_stop_it_lets_streams_end(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    backend = make_backend(GRACEFUL_TIMEOUT_SECONDS="20")
    reply = Reply()
    thread = _watch(Person(backend.url), "words=40 delay=0.05", reply)
    backend.terminate()
    thread.join(30)
    assert reply.text == words(40)
    assert reply.done["finish_reason"] == "stop"
    assert backend.process is not None
    assert backend.process.wait(15) == 0


def test_an_answer_that_takes_too_long_is_taken_over_by_the_next_process(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider, tmp_path: Path
) -> None:
    backend = make_backend(GRACEFUL_TIMEOUT_SECONDS="3")
    person, reply = Person(backend.url), Reply()
    thread = _watch(person, "words=150 delay=0.05", reply)
    began = time.monotonic()
    backend.terminate()
    thread.join(30)
    assert reply.events[-1].name == "reconnect"
    assert backend.process is not None
    assert backend.process.wait(15) == 0
    assert time.monotonic() - began < 12
    last = next(event.identifier for event in reversed(reply.events) if event.identifier)
    person.http = httpx.Client(base_url=make_backend().url, headers=dict(person.http.headers), timeout=60)
    rest = person.resume(reply, last)
    assert reply.text + rest.text == words(150)
    assert rest.done["finish_reason"] == "stop"


def test_two_processes_on_one_database_hand_a_stream_over(
    make_backend: Callable[..., BackendProcess], provider: ScriptedProvider
) -> None:
    first, second = make_backend(), make_backend()
    person = Person(first.url)
    reply = person.read_some("words=50 delay=0.05", 4)
    elsewhere = Person(second.url)
    elsewhere.http.headers["authorization"] = person.http.headers["authorization"]
    rest = elsewhere.resume(reply, reply.events[-1].identifier)
    assert reply.text + rest.text == words(50)
