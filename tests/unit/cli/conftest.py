"""The command line with a fake engine: main() is called as the installed command calls it."""

from __future__ import annotations

import gc
import io
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli.main import main
from deploytool.engines import registry
from deploytool.engines.fake import FakeEngine

REPOSITORY = Path(__file__).parents[3]
SECRET = "not-to-be-shown-anywhere-0123456789"

BASE = """\
project: demo
services:
  backend:
    image: demo/backend:1
    port: 8000
    user: "10001:10001"
    secrets: [JWT_SECRET]
    volumes: ["backend-data:/data"]
    healthcheck: {path: /health, tool: python}
    limits: {cpus: 1, memory: 512M}
  proxy:
    image: demo/proxy:1
    user: "1000:1000"
    volumes: ["proxy-config:/etc/traefik/dynamic:ro"]
    healthcheck: {command: [traefik, healthcheck]}
    limits: {cpus: 0.5, memory: 128M}
    update_config: {order: stop-first}
volumes:
  proxy-config: {purpose: config}
"""
LOCAL = "proxy: {entry_points: {backend: {published: 8000}}}\n"
PROD = "proxy: {entry_points: {backend: {published: 8000}}}\nservices: {backend: {replicas: 2}}\n"


@dataclass(frozen=True)
class Ran:
    """What one call of main() did."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams, white space made one blank: wrapping is no part of the words."""
        return " ".join((self.out + self.err).split())

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class CommandLine:
    """A project folder, a fake engine, and `chatbot`."""

    directory: Path
    engine: FakeEngine
    capture: pytest.CaptureFixture[str]
    options: list[dict[str, Any]] = field(default_factory=list)
    """How engines were asked for."""

    def chatbot(self, *words: str) -> Ran:
        self.capture.readouterr()
        code = main(list(words))
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        return target

    def secrets(self, environment: str = "local", mode: int = 0o600) -> None:
        self.write(f"environments/{environment}.env.docker", f"JWT_SECRET={SECRET}\n", mode)


@pytest.fixture
def line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    engine = FakeEngine(registry=["demo/backend:1", "demo/proxy:1", "demo/worker:1"])
    made = CommandLine(tmp_path, engine, capsys)
    made.write("environments/base.yaml", BASE)
    made.write("environments/local.yaml", LOCAL)
    made.write("environments/prod.yaml", PROD)
    (tmp_path / "templates").symlink_to(REPOSITORY / "templates")

    def create(kind: str, **options: Any) -> FakeEngine:
        made.options.append({"kind": kind, **options})
        engine.read_only = bool(options.get("read_only", False))
        return engine

    monkeypatch.setattr(registry, "create_engine", create)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    threshold = gc.get_threshold()
    yield made
    # main() sets both for a process that is about to end.
    for number, handler in handlers.items():
        signal.signal(number, handler)
    gc.set_threshold(*threshold)
