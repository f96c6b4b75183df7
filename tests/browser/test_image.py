"""The frontend's image as a process: what it needs, what it says, how it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Served, wait_until
from .scripted_backend import Scripted

pytestmark = [pytest.mark.browser, pytest.mark.docker]

OURS = {"sec-fetch-site": "same-origin"}
MEBIBYTE = 2**20


@pytest.fixture
def container(frontend_image: str, scripted_server: Served, script: Scripted) -> Iterator[tuple[Any, str]]:
    """A frontend of this test's own, in front of the scripted backend, and its address."""
    import docker

    from .conftest import free_port, start_page

    client = docker.from_env()
    port = free_port()
    started = start_page(client, frontend_image, port, f"http://127.0.0.1:{scripted_server.port}")
    try:
        yield started, f"http://127.0.0.1:{port}"
    finally:
        started.remove(force=True)
        client.close()


def memory_file(pid: int) -> Path:
    """Where the kernel tells the memory in use by the container of this process (cgroup v1 or v2)."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return Path(f"/sys/fs/cgroup/memory{path}/memory.usage_in_bytes")
        if controllers == "":
            version_2 = Path(f"/sys/fs/cgroup{path}/memory.current")
            if version_2.exists():
                return version_2
    raise AssertionError(f"process {pid} is in no memory cgroup")


def test_health_needs_no_backend(serve_page: Callable[[str], str]) -> None:
    url = serve_page("http://127.0.0.1:9")
    answer = httpx.get(f"{url}/api/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    answer = httpx.post(f"{url}/api/auth/login", json={"email": "a@b.example", "password": "x"}, headers=OURS)
    assert (answer.status_code, answer.json()["code"]) == (502, "backend-unreachable")


def test_stopping_lets_an_open_answer_run_to_its_end(container: tuple[Any, str], script: Scripted) -> None:
    process, url = container
    script.seconds_per_word = 0.03
    events: list[str] = []
    with httpx.Client(headers=OURS, timeout=30) as client:
        body = {"email": "ana@example.org", "password": "a long enough password"}
        assert client.post(f"{url}/api/auth/login", json=body).status_code == 200
        with client.stream("POST", f"{url}/api/chat", json={"message": "count, please"}) as answer:
            lines = answer.iter_lines()
            for line in lines:
                if line.startswith("event:"):
                    events.append(line)
                if len(events) == 10:
                    break
            stopping = threading.Thread(target=process.stop, kwargs={"timeout": 30})
            stopping.start()
            events += [line for line in lines if line.startswith("event:")]
            ended = time.monotonic()
            stopping.join()
    assert events.count("event: delta") == 120
    assert events[-1] == "event: done"
    assert time.monotonic() - ended < 5, "it leaves soon after its last answer"


def test_idle_it_is_small_and_it_starts_soon(container: tuple[Any, str]) -> None:
    process, url = container
    assert httpx.get(f"{url}/").status_code == 200

    process.reload()
    file = memory_file(process.attrs["State"]["Pid"])

    def used() -> int:
        return int(file.read_text())

    assert used() > 10 * MEBIBYTE, f"{file} is about something else"
    wait_until(lambda: used() <= 90 * MEBIBYTE, "idle memory of 90 MiB or less")


def test_it_cannot_write_and_holds_no_secret(container: tuple[Any, str]) -> None:
    process, _ = container
    process.reload()
    assert process.attrs["HostConfig"]["ReadonlyRootfs"]
    assert not process.attrs["HostConfig"].get("Tmpfs")
    assert process.exec_run(["id", "-u"]).output.strip() == b"1001"
    assert process.exec_run(["touch", "/app/x"]).exit_code != 0
    logs = process.logs().decode()
    assert "Error" not in logs
    assert "secret" not in logs.lower()


def test_the_image_holds_no_certificates_and_no_sources(container: tuple[Any, str]) -> None:
    process, _ = container
    listed = process.exec_run(
        ["find", "/app", "-not", "-path", "*/node_modules/*", "-type", "f"]
    ).output.decode()
    assert "/app/server.js" in listed
    assert ".build" not in listed
    assert not [name for name in listed.split() if name.endswith((".tsx", ".ts", ".crt", ".pem"))]
