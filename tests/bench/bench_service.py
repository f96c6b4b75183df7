"""The service: what a request of the task list costs beside a bare FastAPI route, what the backend adds to
the provider's first word, and what the images take to start and to stand idle.

Pairs are measured in turns within one run, because other work on the machine slows both sides alike.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import httpx
from backend_support.container import LimitedContainer, built_images
from backend_support.people import Person
from backend_support.provider import ScriptedProvider
from backend_support.servers import BackendProcess, PostgresServer, free_port

from tests.bench.report import Row

CONNECTIONS = (8, 32)
PEOPLE = 4
TASKS = 20
ROUNDS = 7
ROUND_SECONDS = 0.8
FIRST_WORDS = 40
STARTS = 5
MEGABYTE = 1_000_000
_BARE = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/bare")
async def bare() -> dict[str, bool]:
    return {"ok": True}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


@contextmanager
def _bare_server() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)])
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}/bare", timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def _backends(provider: str) -> Iterator[dict[str, BackendProcess]]:
    """One backend on each database, both past their start."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer())
        urls = {"SQLite": f"sqlite:///{folder / 'bench.db'}", "PostgreSQL": postgres.new_database()}
        found = {
            kind: stack.enter_context(BackendProcess(folder, DATABASE_URL=url, OPENAI_BASE_URL=provider))
            for kind, url in urls.items()
        }
        for backend in found.values():
            _settle(backend)
        yield found


def _settle(backend: BackendProcess) -> None:
    """Until the provider's package, which is loaded behind the start, is there: one answer has come."""
    Person(backend.url).http.post("/api/chat", json={"message": "words=1"}).raise_for_status()


async def _connection(port: int, request: bytes, until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            taken.append(time.perf_counter() - began)
    finally:
        writer.close()


async def _load(port: int, path: str, tokens: list[str], connections: int) -> list[float]:
    """Seconds of each request of one round; the connections take turns with the tokens."""
    requests = [
        (f"GET {path} HTTP/1.1\r\nHost: bench\r\n" + (f"Authorization: Bearer {token}\r\n" if token else ""))
        for token in tokens or [""]
    ]
    taken: list[float] = []
    until = time.perf_counter() + ROUND_SECONDS
    await asyncio.gather(
        *[
            _connection(port, f"{requests[number % len(requests)]}\r\n".encode(), until, taken)
            for number in range(connections)
        ]
    )
    return taken


def task_list() -> list[Row]:
    """Requests per second of an authenticated task list of 20 tasks, and the slowest hundredth."""
    rows = []
    with _bare_server() as bare, _backends("http://127.0.0.1:9/v1") as backends:
        for kind, backend in backends.items():
            people = [Person(backend.url) for _ in range(PEOPLE)]
            for person in people:
                for number in range(TASKS):
                    person.task(f"Task number {number}", tags=["bench"])
            tokens = [person.access_token for person in people]
            for connections in CONNECTIONS:
                ours: list[list[float]] = []
                other: list[list[float]] = []
                for _ in range(ROUNDS):
                    other.append(asyncio.run(_load(bare, "/bare", [], connections)))
                    ours.append(asyncio.run(_load(backend.port, "/api/tasks", tokens, connections)))
                name = f"task list, {kind}, {connections} connections"
                rows += [_rate(name, ours, other), _slowest(name, ours, other)]
    return rows


def _rate(name: str, ours: list[list[float]], other: list[list[float]]) -> Row:
    rates = [statistics.median(len(turn) for turn in turns) / ROUND_SECONDS for turns in (ours, other)]
    return Row(name, rates[0], "/s", 0.35, other=rates[1], other_name="bare route", at_least=True)


def _slowest(name: str, ours: list[list[float]], other: list[list[float]]) -> Row:
    p99 = [statistics.quantiles(chain.from_iterable(turns), n=100)[98] * 1000 for turns in (ours, other)]
    return Row(f"{name}: p99", p99[0], "ms", other=p99[1], other_name="bare route")


def first_word() -> list[Row]:
    """Milliseconds that the backend adds to the provider's own time to the first word."""
    rows = []
    with ScriptedProvider() as provider, _backends(provider.base_url) as backends:
        direct = httpx.Client(base_url=provider.base_url, timeout=60)
        messages = [{"role": "user", "content": "words=5"}]
        body = {"model": "scripted", "stream": True, "messages": messages}
        for kind, backend in backends.items():
            person = Person(backend.url)
            added = []
            for _ in range(FIRST_WORDS):
                alone = _first(direct, "/chat/completions", body, "data:")
                through = _first(person.http, "/api/chat", {"message": "words=5"}, "event: delta")
                added.append((through - alone) * 1000)
            rows.append(
                Row(f"first word, {kind}: added to the provider's", statistics.median(added), "ms", 10)
            )
    return rows


def _first(client: httpx.Client, path: str, body: object, marker: str) -> float:
    began = time.perf_counter()
    taken = 0.0
    with client.stream("POST", path, json=body) as answer:
        for line in answer.iter_lines():
            if not taken and line.startswith(marker):
                taken = time.perf_counter() - began
    return taken


def service_start_and_memory() -> list[Row]:
    """The built images in containers with the limits of `local`: start to healthy, memory when idle."""
    rows = []
    services = {"backend": ("/health", 120), "frontend": ("/api/health", 90)}
    limits = {"cpus": 1, "memory": 512 * 2**20}
    with tempfile.TemporaryDirectory() as folder, built_images(Path(folder), *services) as images:
        for service, (health, most) in services.items():
            starts, used = [], []
            for turn in range(STARTS):
                with LimitedContainer(images[service], {}, health=health, **limits) as container:
                    starts.append(container.start_seconds)
                    if turn == 0:
                        time.sleep(6)  # idle is what it comes to, not what it has not loaded yet
                        used.append(container.used_memory() / MEGABYTE)
            rows.append(Row(f"{service}: start to healthy", statistics.median(starts), "s", 2))
            rows.append(Row(f"{service}: memory when idle", used[0], "MB", most))
    return rows


BENCHMARKS = [task_list, first_word, service_start_and_memory]
