"""Figures of the backend, each beside what it is measured against. Called by `make bench`.

    python tests/bench/backend.py [--seconds 3] [--json]

Every pair is measured in turns within one run, because other work on the machine slows both sides alike.
Exits 1 when a figure misses its bound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "service" / "backend")]

from backend_support.people import Person  # noqa: E402
from backend_support.provider import ScriptedProvider  # noqa: E402
from backend_support.servers import BackendProcess, PostgresServer, free_port  # noqa: E402

CONNECTIONS = 8
TASKS = 20
ROUNDS = 5
LEAST_RATIO = 0.35
MOST_START_SECONDS = 2.0
MOST_IDLE_BYTES = 120 * 1024 * 1024
MOST_ADDED_MS = 10.0
_BARE = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/bare")
async def bare() -> dict[str, bool]:
    return {"ok": True}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


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


async def _load(port: int, path: str, token: str | None, seconds: float) -> list[float]:
    lines = [f"GET {path} HTTP/1.1", "Host: bench"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*[_connection(port, request, until, taken) for _ in range(CONNECTIONS)])
    return taken


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


def _task_list(backend: BackendProcess, bare_port: int, seconds: float) -> dict[str, float]:
    person = Person(backend.url)
    for number in range(TASKS):
        person.task(f"Task number {number}", tags=["bench"])
    ours: list[float] = []
    bare: list[float] = []
    ratios: list[float] = []
    for _ in range(ROUNDS):
        bare_now = asyncio.run(_load(bare_port, "/bare", None, seconds / ROUNDS))
        ours_now = asyncio.run(_load(backend.port, "/api/tasks", person.access_token, seconds / ROUNDS))
        ratios.append(len(ours_now) / len(bare_now))
        ours += ours_now
        bare += bare_now
    return {
        "requests per second": len(ours) / seconds,
        "bare requests per second": len(bare) / seconds,
        "ratio": statistics.median(ratios),
        "p99 ms": statistics.quantiles(ours, n=100)[98] * 1000,
        "bare p99 ms": statistics.quantiles(bare, n=100)[98] * 1000,
    }


def _first_delta(client: httpx.Client, path: str, body: object, marker: str) -> float:
    began = time.perf_counter()
    with client.stream("POST", path, json=body) as answer:
        taken = 0.0
        for line in answer.iter_lines():
            if not taken and line.startswith(marker):
                taken = time.perf_counter() - began
    return taken


def _first_word(backend: BackendProcess, provider: ScriptedProvider, count: int = 40) -> dict[str, float]:
    """Time to the first word through the backend, and from the provider alone, in turns."""
    person = Person(backend.url)
    direct = httpx.Client(base_url=provider.base_url, timeout=60)
    through: list[float] = []
    alone: list[float] = []
    text = "words=5"
    messages = [{"role": "user", "content": text}]
    for _ in range(count):
        body = {"model": "scripted", "stream": True, "messages": messages}
        alone.append(_first_delta(direct, "/chat/completions", body, "data:"))
        through.append(_first_delta(person.http, "/api/chat", {"message": text}, "event: delta"))
    added = [ours - theirs for ours, theirs in zip(through, alone, strict=True)]
    return {
        "through the backend ms": statistics.median(through) * 1000,
        "provider alone ms": statistics.median(alone) * 1000,
        "added ms": statistics.median(added) * 1000,
    }


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """All figures."""
    figures: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(ScriptedProvider())
        bare_port = stack.enter_context(_bare_server())
        postgres = stack.enter_context(PostgresServer())
        for kind in ("sqlite", "postgresql"):
            url = f"sqlite:///{folder / 'bench.db'}" if kind == "sqlite" else postgres.new_database()
            process = BackendProcess(folder, DATABASE_URL=url, OPENAI_BASE_URL=provider.base_url)
            with process as backend:
                if kind == "sqlite":
                    starts = [_start_again(folder, url) for _ in range(3)]
                    time.sleep(3)  # the provider's package is loaded behind the start
                    figures["start"] = {"seconds to healthy": statistics.median(starts)}
                    figures["memory"] = {"idle bytes": float(backend.resident_bytes())}
                figures[f"task list, {kind}"] = _task_list(backend, bare_port, seconds)
                figures[f"first word, {kind}"] = _first_word(backend, provider)
    return figures


def _start_again(folder: Path, url: str) -> float:
    with BackendProcess(folder, DATABASE_URL=url) as process:
        return process.start_seconds


def missed(figures: dict[str, dict[str, float]]) -> list[str]:
    """Which bounds do not hold."""
    found = []
    for name, values in figures.items():
        if values.get("ratio", 1) < LEAST_RATIO:
            found.append(f"{name}: ratio {values['ratio']:.2f} < {LEAST_RATIO}")
        if values.get("added ms", 0) > MOST_ADDED_MS:
            found.append(f"{name}: {values['added ms']:.1f} ms added > {MOST_ADDED_MS}")
        if values.get("seconds to healthy", 0) > MOST_START_SECONDS:
            found.append(f"{name}: {values['seconds to healthy']:.1f} s > {MOST_START_SECONDS}")
        if values.get("idle bytes", 0) > MOST_IDLE_BYTES:
            found.append(f"{name}: {values['idle bytes'] / 2**20:.0f} MiB > {MOST_IDLE_BYTES / 2**20:.0f}")
    return found


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="load per side and database")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.seconds)
    if arguments.json:
        print(json.dumps(figures))
    else:
        load = os.getloadavg()[0]
        print(f"backend, {os.cpu_count()} processors, load {load:.1f}")
        for name, values in figures.items():
            for key, value in values.items():
                shown = f"{value / 2**20:.1f} MiB" if key.endswith("bytes") else f"{value:.3g}"
                print(f"  {name:24} {key:28} {shown}")
    failures = missed(figures)
    for failure in failures:
        print(f"missed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
