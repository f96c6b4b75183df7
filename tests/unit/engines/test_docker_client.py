"""How failures of the connection reach the operator; the engine is a few lines of HTTP on a socket."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from deploytool.engines.docker.address import Address
from deploytool.engines.docker.client import Client
from deploytool.engines.docker.engine import DockerEngine
from deploytool.errors import (
    DiskFull,
    EnginePermissionDenied,
    EngineRefused,
    EngineTooOld,
    EngineUnreachable,
    ExitCode,
    WriteRefused,
)


class Played:
    """A Docker Engine that answers as it is told, and remembers what was asked."""

    def __init__(self, path: Path) -> None:
        self.address = Address(f"unix://{path}")
        self.version = "1.41"
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                path = self.path.split("?")[0]
                played.asked.append(f"{self.command} {path}")
                status, body = played.answers.get(path.partition("/v1.")[2].partition("/")[2], (200, {}))
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Api-Version", played.version)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

            def address_string(self) -> str:
                return "local"

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(str(path), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    made = Played(tmp_path / "engine.sock")
    yield made
    made.stop()


def test_no_socket_leads_to_setup(tmp_path: Path) -> None:
    client = Client(Address(f"unix://{tmp_path}/nothing.sock"))
    with pytest.raises(EngineUnreachable, match=r"there is no socket .*nothing\.sock") as raised:
        client.get("/info")
    assert raised.value.hint == "chatbot setup"
    assert raised.value.exit_code == ExitCode.UNREACHABLE


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(EngineUnreachable, match="nobody answers"):
        Client(Address(f"unix://{path}")).get("/info")


def test_no_permission_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from docker.transport import unixconn

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(unixconn.UnixHTTPConnection, "connect", refuse)
    with pytest.raises(EnginePermissionDenied) as raised:
        Client(Address(f"unix://{tmp_path}/x.sock")).get("/info")
    assert "usermod -aG docker" in raised.value.hint
    assert "sudo" in raised.value.hint
    assert raised.value.exit_code == ExitCode.UNREACHABLE


def test_a_wrong_docker_host_is_named() -> None:
    client = Client(Address("tcp://127.0.0.1:9", source="DOCKER_HOST"))
    with pytest.raises(EngineUnreachable) as raised:
        client.get("/info")
    assert "tcp://127.0.0.1:9" in raised.value.message
    assert "DOCKER_HOST" in raised.value.hint


def test_an_engine_that_is_too_old(played: Played) -> None:
    played.version = "1.40"
    with pytest.raises(EngineTooOld, match=r"API 1\.40; 1\.41 is needed") as raised:
        Client(played.address).get("/info")
    assert raised.value.exit_code == ExitCode.UNSUPPORTED


@pytest.mark.parametrize(("version", "spoken"), [("1.41", "1.41"), ("1.51", "1.41"), ("1.52", "1.44")])
def test_newer_engines_are_spoken_to_in_a_version_they_take(
    played: Played, version: str, spoken: str
) -> None:
    played.version = version
    client = Client(played.address)
    client.get("/info")
    assert played.asked == ["GET /_ping", f"GET /v{spoken}/info"]


def test_something_else_that_answers(played: Played) -> None:
    played.answers = {"": (404, {})}
    played.server.RequestHandlerClass.answer = lambda handler: handler.send_error(404)  # type: ignore[attr-defined]
    played.server.RequestHandlerClass.do_GET = played.server.RequestHandlerClass.answer  # type: ignore[attr-defined]
    with pytest.raises(EngineUnreachable, match="not as a Docker Engine"):
        Client(played.address).get("/info")


def test_an_answer_that_does_not_come(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        with pytest.raises(EngineUnreachable, match="in time"):
            Client(Address(f"unix://{tmp_path}/silent.sock"), timeout=1).get("/info")


def test_a_full_disk_has_an_error_of_its_own(played: Played) -> None:
    played.answers = {"volumes/create": (500, {"message": "write /var/lib: no space left on device"})}
    with pytest.raises(DiskFull) as raised:
        Client(played.address).call("POST", "/volumes/create", body={})
    assert "no space left on device" in raised.value.details[0]


def test_other_refusals_carry_the_engines_words(played: Played) -> None:
    played.answers = {"x": (500, {"message": "something odd"})}
    with pytest.raises(EngineRefused, match="something odd"):
        Client(played.address).get("/x")


def test_what_is_not_there_is_none(played: Played) -> None:
    played.answers = {"volumes/x": (404, {"message": "no such volume"})}
    assert Client(played.address).find("/volumes/x") is None


WRITES: dict[str, Callable[[Any], Any]] = {
    "post": lambda session: session.post(f"{session.base_url}/v1.41/containers/create"),
    "put": lambda session: session.put(f"{session.base_url}/v1.41/x"),
    "delete": lambda session: session.delete(f"{session.base_url}/v1.41/x"),
    "patch": lambda session: session.request("PATCH", f"{session.base_url}/v1.41/x"),
    "sdk create": lambda session: session.create_volume("x"),
    "sdk start": lambda session: session.start("x"),
    "sdk remove": lambda session: session.remove_container("x"),
    "sdk pull": lambda session: session.pull("x", tag="1"),
    "sdk exec": lambda session: session.exec_create("x", "true"),
    "sdk archive": lambda session: session.put_archive("x", "/", b""),
    "sdk prune": lambda session: session.prune_volumes(),
}


@pytest.mark.parametrize("write", WRITES)
def test_nothing_that_writes_leaves_a_read_only_client(played: Played, write: str) -> None:
    client = Client(played.address, read_only=True)
    session = client.session
    with pytest.raises(WriteRefused):
        WRITES[write](session)
    assert played.asked == ["GET /_ping"]
    client.get("/info")
    session.head(f"{session.base_url}/v1.41/containers/x/archive")
    assert len(played.asked) == 3


def test_an_engine_connects_only_when_it_is_used(tmp_path: Path) -> None:
    engine = DockerEngine(f"unix://{tmp_path}/nothing.sock")
    assert engine.kind == "docker"
    with pytest.raises(EngineUnreachable):
        engine.describe()


def test_many_threads_share_one_client(played: Played) -> None:
    client = Client(played.address)
    failed: list[BaseException] = []

    def ask(number: int) -> None:
        try:
            for turn in range(5):
                client.get(f"/containers/{number}-{turn}/json")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(played.asked) == 1 + 32 * 5
