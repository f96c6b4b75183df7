"""Throwaway projects: the repository's own service and templates, with a name and ports of their own.

`Project.chatbot` runs the installed command as a user would, in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CHATBOT = Path(sys.executable).with_name("chatbot")
TIMEOUT = 900


def free_port() -> int:
    """A TCP port of the loopback address that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Project:
    """A project directory with an environment `local` that nothing else on this engine shares."""

    directory: Path
    name: str
    frontend_port: int
    backend_port: int
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        return f"{self.name}-local"

    @property
    def frontend_url(self) -> str:
        return f"http://127.0.0.1:{self.frontend_port}"

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.backend_port}"

    def environment(self, **more: str) -> dict[str, str]:
        """The variables that the command sees."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("CHATBOT__")},
            "CHATBOT__PROJECT": self.name,
            "CHATBOT__PROXY__ENTRY_POINTS__FRONTEND__PUBLISHED": str(self.frontend_port),
            "CHATBOT__PROXY__ENTRY_POINTS__BACKEND__PUBLISHED": str(self.backend_port),
            "CHATBOT__MODEL__SIZE": "tiny",
            "COLUMNS": "100",
            **self.variables,
            **more,
        }

    def chatbot(
        self, *arguments: str, check: int | None = 0, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `chatbot`; with `check`, the exit code must be that one."""
        done = subprocess.run(
            [str(CHATBOT), *arguments],
            cwd=self.directory,
            env=self.environment(**dict(variables or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def data(self, *arguments: str, check: int | None = 0) -> Any:
        """`chatbot … --json`, its data."""
        return json.loads(self.chatbot(*arguments, "--json", check=check).stdout)["data"]

    def write(self, environment: str, text: str) -> None:
        """Replace environments/<environment>.yaml."""
        (self.directory / "environments" / f"{environment}.yaml").write_text(text)

    def remove(self) -> None:
        """Take everything of this project off the engine, whatever state it is in."""
        import docker

        client = docker.from_env()
        for stack in (self.stack, f"{self.name}-staging", f"{self.name}-prod"):
            mine = {"label": f"com.docker.compose.project={stack}"}
            kept = {"label": f"io.chatbot.state-of={stack}"}
            for filters in (mine, kept):
                for container in client.containers.list(all=True, filters=filters):
                    container.remove(force=True, v=True)
            for network in client.networks.list(filters=mine):
                network.remove()
            for filters in (mine, kept):
                for volume in client.volumes.list(filters=filters):
                    volume.remove(force=True)
        for image in client.images.list(filters={"reference": f"{self.name}/*"}):
            for tag in image.tags:
                if tag.startswith(f"{self.name}/"):
                    client.images.remove(tag, force=True)  # other projects may run the same bytes
        client.close()


def make(directory: Path, name: str = "") -> Project:
    """A project in an empty directory. `service` and `templates` are the repository's own."""
    shutil.copytree(
        REPOSITORY / "environments",
        directory / "environments",
        ignore=shutil.ignore_patterns("*.env.docker"),
    )
    (directory / "templates").symlink_to(REPOSITORY / "templates")
    (directory / "service").symlink_to(REPOSITORY / "service")
    return Project(
        directory=directory,
        name=name or f"chatbottest{uuid.uuid4().hex[:8]}",
        frontend_port=free_port(),
        backend_port=free_port(),
    )


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a state; the short pause only keeps the engine from being asked without end."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the state did not come"
        threading.Event().wait(0.05)
