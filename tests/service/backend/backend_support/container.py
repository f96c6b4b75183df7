"""The backend's image, and a container of it under the kernel's limits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
from support import projects

from backend_support.servers import JWT_SECRET, free_port

_PATIENCE_SECONDS = 60.0
_PEAKS = ("/sys/fs/cgroup/memory/memory.max_usage_in_bytes", "/sys/fs/cgroup/memory.peak")
_REFUSALS = ("/sys/fs/cgroup/memory/memory.failcnt", "/sys/fs/cgroup/memory.events")


@contextmanager
def built_images(directory: Path, *services: str) -> Iterator[dict[str, str]]:
    """References of services' images, built as every deploy builds them."""
    project = projects.make(directory)
    client = docker.from_env()
    try:
        project.chatbot("build", "local")
        found = {}
        for service in services:
            (image,) = client.images.list(filters={"reference": f"{project.name}/{service}"})
            found[service] = next(tag for tag in image.tags if tag.startswith(project.name))
        yield found
    finally:
        client.close()
        project.remove()


class LimitedContainer:
    """One container of an image on the host's own network, hardened and limited as a deploy does it.

    On the host's network, because the provider and the PostgreSQL server of the tests listen on loopback.
    """

    def __init__(
        self, image: str, environment: Mapping[str, str], *, cpus: float, memory: int, health: str = "/health"
    ):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._health = health
        self._client = docker.from_env()
        self._options: dict[str, Any] = {
            "image": image,
            "environment": {
                "HOST": "127.0.0.1",
                "HOSTNAME": "127.0.0.1",
                "PORT": str(self.port),
                "JWT_SECRET": JWT_SECRET,
                **environment,
            },
            "labels": {"io.chatbot.test": "limited"},
            "network_mode": "host",
            "nano_cpus": int(cpus * 1_000_000_000),
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": 256,
            "read_only": True,
            "tmpfs": {"/tmp": ""},
            "volumes": ["/data"],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "init": True,
        }
        self.start_seconds = 0.0
        self.container: Any = None

    def __enter__(self) -> LimitedContainer:
        self.container = self._client.containers.create(**self._options)
        self.container.start()
        began = time.monotonic()
        while True:
            try:
                if httpx.get(self.url + self._health, timeout=2).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if time.monotonic() - began > _PATIENCE_SECONDS:
                log = self.container.logs(tail=30).decode()
                self.__exit__()
                raise AssertionError(f"the container did not become healthy:\n{log}")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self.container.remove(force=True, v=True)
        self._client.close()

    def read(self, path: str) -> str | None:
        """A file of the container; None where there is none."""
        code, output = self.container.exec_run(["cat", path])
        return str(output.decode()) if code == 0 else None

    def most_memory(self) -> int:
        """Bytes: the most that the kernel counted for this container so far, page cache included."""
        for path in _PEAKS:
            if found := self.read(path):
                return int(found)
        raise AssertionError(f"none of {_PEAKS} is there")

    def refusals(self) -> int:
        """How often the kernel met the memory limit (cgroup v1: failcnt; v2: max, oom and oom_kill)."""
        for path in _REFUSALS:
            if found := self.read(path):
                if path.endswith("failcnt"):
                    return int(found)
                counts = dict(line.split() for line in found.splitlines())
                return sum(int(counts[name]) for name in ("max", "oom", "oom_kill"))
        raise AssertionError(f"none of {_REFUSALS} is there")

    def used_memory(self) -> int:
        """Bytes in use now as the engine's statistics count them: without the page cache that can go."""
        text = self.read("/sys/fs/cgroup/memory/memory.stat")
        if text is not None:
            usage = int(self.read("/sys/fs/cgroup/memory/memory.usage_in_bytes") or 0)
            return usage - _field(text, "total_inactive_file")
        text = self.read("/sys/fs/cgroup/memory.stat") or ""
        return int(self.read("/sys/fs/cgroup/memory.current") or 0) - _field(text, "inactive_file")


def _field(text: str, name: str) -> int:
    return next(int(line.split()[1]) for line in text.splitlines() if line.split()[0] == name)
