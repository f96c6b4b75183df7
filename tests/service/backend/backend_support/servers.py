"""The backend as a process of its own, and a PostgreSQL server of one's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

BACKEND = Path(__file__).resolve().parents[4] / "service" / "backend"
JWT_SECRET = "tests-only-8f3b1c7e95d24a60b1e7c2d8"
_PATIENCE_SECONDS = 60.0  # a shared, busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class BackendProcess:
    """`python -m app` with these settings, until stopped."""

    def __init__(self, directory: Path, **environment: str):
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = directory / f"backend-{self.port}.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(BACKEND),
            "SECRETS_DIRECTORY": str(directory / "no-secrets"),
            "HOST": "127.0.0.1",
            "JWT_SECRET": JWT_SECRET,
            "OPENAI_MODEL": "scripted",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "GRACEFUL_TIMEOUT_SECONDS": "10",
            "TRUSTED_PROXY_HOPS": "0",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.start_seconds = 0.0

    def launch(self, wrapper: tuple[str, ...] = ()) -> BackendProcess:
        self.environment["PORT"] = str(self.port)
        began = time.monotonic()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "app"], env=self.environment, stdout=log, stderr=log
            )
        while True:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if self.process.poll() is not None or time.monotonic() - began > _PATIENCE_SECONDS:
                raise AssertionError(f"the backend did not start:\n{self.log_path.read_text()[-3000:]}")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - began
        return self

    def refuse(self) -> subprocess.CompletedProcess[str]:
        """Start with settings that must be refused."""
        return subprocess.run(
            [sys.executable, "-m", "app"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        assert self.process is not None
        self.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def resident_bytes(self, field: str = "VmRSS") -> int:
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        raise AssertionError(field)

    def log(self) -> str:
        return self.log_path.read_text()

    def __enter__(self) -> BackendProcess:
        return self.launch()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def _postgresql_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    assert initdb, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(initdb).parent


class PostgresServer:
    """A PostgreSQL cluster in a temporary folder, run as somebody who is not root, on a free port."""

    def __init__(self) -> None:
        self._programs = _postgresql_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="backend-tests-postgresql-"))
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self._folder, "nobody", "nogroup")
        self.port = free_port()
        self._databases = 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            **self._as,  # type: ignore[call-overload]
        )

    def __enter__(self) -> PostgresServer:
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "tests", "--no-sync", "--locale", "C.UTF-8")
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 "
            "-c max_connections=120 -c shared_buffers=64MB"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self, scheme: str = "postgresql") -> str:
        """A fresh database's address."""
        self._databases += 1
        name = f"tests_{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tests", name)
        return f"{scheme}://tests:any@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def query(self, url: str, sql: str) -> str:
        """What psql prints for a statement."""
        address = url.replace("postgres://", "postgresql://")
        done = subprocess.run(
            [str(self._programs / "psql"), "-At", "-c", sql, address],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()
