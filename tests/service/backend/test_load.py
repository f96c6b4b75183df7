"""Five hundred streams at once under the kernel's limits, and a process killed while fifty clients write."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from backend_support import provider as provider_module
from backend_support.container import LimitedContainer, built_images
from backend_support.people import Person
from backend_support.provider import words
from backend_support.servers import BackendProcess, PostgresServer

STREAMS = 500
WORDS = 30
MEMORY_LIMIT = 1024 * 1024 * 1024
WRITERS = 50


@pytest.fixture
def provider_process() -> Iterator[str]:
    """The scripted provider outside this process, which has enough to do with reading. Gives its address."""
    process = subprocess.Popen([sys.executable, provider_module.__file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    process.kill()
    process.wait(10)


async def _read_stream(port: int, token: str, number: int, all_open: asyncio.Barrier) -> tuple[str, str]:
    """One chat over a plain socket. Returns all its words, and how it finished."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    body = json.dumps({"message": f"words={WORDS} delay=0.2 prefix=s{number}x"}).encode()
    head = (
        f"POST /api/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    text, finish, event = [], "", ""
    waited = False
    while line := await reader.readline():
        if line.startswith(b"event: "):
            event = line[7:].strip().decode()
        elif line.startswith(b"data: "):
            data = json.loads(line[6:])
            if event == "delta":
                text.append(data["text"])
            elif event == "done":
                finish = data["finish_reason"]
            if event == "start" and not waited:
                waited = True
                await all_open.wait()  # nobody reads on before everybody's stream is open
    writer.close()
    return "".join(text), finish


async def _read_all(port: int, token: str) -> list[tuple[str, str]]:
    barrier = asyncio.Barrier(STREAMS)
    return await asyncio.gather(*[_read_stream(port, token, number, barrier) for number in range(STREAMS)])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with built_images(tmp_path_factory.mktemp("image"), "backend") as images:
        yield images["backend"]


@pytest.mark.docker
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_five_hundred_streams_on_one_processor_and_one_gibibyte_lose_nothing(
    new_database: Callable[[str], str], provider_process: str, image: str, kind: str
) -> None:
    environment = {
        "OPENAI_BASE_URL": provider_process,
        "OPENAI_MODEL": "scripted",
        "TRUSTED_PROXY_HOPS": "0",
        **({} if kind == "sqlite" else {"DATABASE_URL": new_database(kind)}),
    }
    with LimitedContainer(image, environment, cpus=1, memory=MEMORY_LIMIT) as backend:
        person = Person(backend.url)
        found = asyncio.run(_read_all(backend.port, person.access_token))
        for number, (text, finish) in enumerate(found):
            assert finish == "stop", (number, finish)
            assert text == words(WORDS, f"s{number}x"), number
        assert backend.refusals() == 0
        assert backend.most_memory() < MEMORY_LIMIT
        metrics = httpx.get(f"{backend.url}/metrics").text
        assert f'chatbot_answers_total{{outcome="complete"}} {STREAMS:.1f}' in metrics
        assert re.search(r"^chatbot_open_streams 0\.0$", metrics, re.MULTILINE)
        assert person.call("GET", "/api/account/usage")["completion_tokens"] == STREAMS * WORDS


async def _write_until_killed(backend: BackendProcess, token: str) -> list[tuple[str, str]]:
    """Fifty clients adding tasks; the process is killed in the middle. Returns what was acknowledged."""
    acknowledged: list[tuple[str, str]] = []
    killed = asyncio.Event()

    async def client(number: int, http: httpx.AsyncClient) -> None:
        count = 0
        while not killed.is_set():
            count += 1
            try:
                answer = await http.post("/api/tasks", json={"title": f"writer {number} task {count}"})
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            acknowledged.append((answer.json()["id"], answer.json()["title"]))

    limits = httpx.Limits(max_connections=WRITERS)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=backend.url, headers=headers, timeout=60, limits=limits) as http:
        writing = [asyncio.create_task(client(number, http)) for number in range(WRITERS)]
        while len(acknowledged) < 4 * WRITERS:
            await asyncio.sleep(0.01)
            assert not all(task.done() for task in writing)
        assert backend.process is not None
        backend.process.kill()
        killed.set()
        await asyncio.gather(*writing)
    backend.process.wait(10)
    return acknowledged


def _every_task(person: Person) -> dict[str, str]:
    found: dict[str, str] = {}
    cursor = ""
    while cursor is not None:
        page = person.call("GET", "/api/tasks", params={"limit": 100, "cursor": cursor})
        found.update({task["id"]: task["title"] for task in page["items"]})
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_killed_while_fifty_clients_write_it_keeps_every_acknowledged_write(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    url = new_database(kind)
    backend = BackendProcess(tmp_path, DATABASE_URL=url).launch()
    person = Person(backend.url)
    acknowledged = asyncio.run(_write_until_killed(backend, person.access_token))
    assert len({task_id for task_id, _ in acknowledged}) == len(acknowledged) >= 4 * WRITERS
    backend.launch()
    try:
        kept = _every_task(person)
        assert [entry for entry in acknowledged if kept.get(entry[0]) != entry[1]] == []
        assert person.task("after the restart")["version"] == 1
    finally:
        backend.__exit__()
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        server.query(url, "CREATE EXTENSION IF NOT EXISTS amcheck")
        checked = server.query(
            url,
            "SELECT count(bt_index_check(index.indexrelid, true)) FROM pg_index AS index "
            "JOIN pg_class AS owner ON owner.oid = index.indrelid "
            "WHERE owner.relname IN ('tasks', 'users', 'sessions')",
        )
        assert int(checked) >= 5
