"""The real Traefik runs on the rendered arguments and routes, with small servers of ours behind it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from deploytool.render import render_bundle
from deploytool.settings import load_settings

from .conftest import REPOSITORY, TEMPLATES

TRAEFIK = Path(sys.executable).with_name("traefik")
LIMIT = 20.0


def wait_for(question: Callable[[], bool], what: str) -> None:
    """Ask until the answer is yes; the limit only ends a test that has failed."""
    end = time.monotonic() + LIMIT
    while not question():
        assert time.monotonic() < end, f"waited {LIMIT:.0f} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Upstream:
    """A server: answers its name, streams two events, is healthy or not."""

    name: str
    healthy: bool = True
    answered: list[str] = field(default_factory=list)
    second_event: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path in {"/health", "/api/health"}:
                    self.answer(200 if upstream.healthy else 503, b"")
                elif self.path == "/stream":
                    self.stream()
                else:
                    self.answer(200, json.dumps({"name": upstream.name, "path": self.path}).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                upstream.answered.append(body.decode())
                self.answer(200, upstream.name.encode())

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b"data: first\n\n")
                self.wfile.flush()
                upstream.second_event.wait(LIMIT)
                self.wfile.write(b"data: second\n\n")
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()


@dataclass
class Proxy:
    """Traefik as the bundle starts it, but for its addresses, which are free ports of the loopback."""

    process: subprocess.Popen[bytes]
    ports: dict[str, int]
    routes: Path
    document: dict[str, object]

    def connection(self, entry_point: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.ports[entry_point], timeout=LIMIT)

    def get(self, entry_point: str, path: str) -> tuple[int, bytes]:
        connection = self.connection(entry_point)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def send_to(self, service: str, *ports: int) -> None:
        """Replace a service's servers, as chatbot does at a deploy."""
        services = self.document["http"]["services"]  # type: ignore[index]
        services[service]["loadBalancer"]["servers"] = [{"url": f"http://127.0.0.1:{port}"} for port in ports]
        beside = self.routes.with_suffix(".new")
        beside.write_text(yaml.safe_dump(self.document))
        beside.replace(self.routes)


@dataclass
class World:
    """Traefik for one environment, and two servers."""

    proxy: Proxy
    first: Upstream
    second: Upstream


@pytest.fixture
def upstreams() -> Iterator[tuple[Upstream, Upstream]]:
    made = Upstream("first"), Upstream("second")
    for upstream in made:
        upstream.start()
    yield made
    for upstream in made:
        upstream.second_event.set()
        upstream.stop()


@pytest.fixture
def world(
    request: pytest.FixtureRequest, tmp_path: Path, upstreams: tuple[Upstream, Upstream]
) -> Iterator[World]:
    environment = getattr(request, "param", "local")
    # A certificate authority that refuses at once: no request leaves this machine.
    variables = {"CHATBOT__PROXY__ACME_SERVER": "https://127.0.0.1:1/directory"}
    files = render_bundle(load_settings(environment, REPOSITORY, variables), TEMPLATES, {}).files
    arguments = yaml.safe_load(files["compose.yaml"])["services"]["proxy"]["command"]
    folder = tmp_path / "dynamic"
    folder.mkdir()
    ports: dict[str, int] = {}

    def elsewhere(match: re.Match[str]) -> str:
        ports[match[1]] = free_port()
        return f"--entrypoints.{match[1]}.address=127.0.0.1:{ports[match[1]]}"

    arguments = [re.sub(r"--entrypoints\.(\w+)\.address=:\d+", elsewhere, argument) for argument in arguments]
    arguments = [
        argument.replace("/etc/traefik/dynamic", str(folder)).replace("/certificates/", f"{tmp_path}/")
        for argument in arguments
    ]
    document = yaml.safe_load(files["proxy/routes.yaml"])
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [str(TRAEFIK), *arguments], stdout=log, stderr=log, env={"PATH": os.environ["PATH"]}
    )
    proxy = Proxy(process, ports, folder / "routes.yaml", document)
    first, second = upstreams
    proxy.send_to("frontend", first.port)
    proxy.send_to("backend", second.port)

    def ready() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return proxy.get("frontend", "/")[0] == 200 and proxy.get("backend", "/")[0] == 200
        except OSError:
            return False

    try:
        wait_for(ready, "Traefik serves both entry points")
        yield World(proxy, first, second)
    finally:
        process.kill()
        process.wait()
        log.close()


def test_each_entry_point_leads_to_its_service(world: World) -> None:
    assert json.loads(world.proxy.get("frontend", "/a/b?c=d")[1]) == {"name": "first", "path": "/a/b?c=d"}
    assert json.loads(world.proxy.get("backend", "/api/chat")[1]) == {"name": "second", "path": "/api/chat"}


def test_the_health_check_of_the_settings_passes(world: World) -> None:
    check = load_settings("local", REPOSITORY, {}).services["proxy"].healthcheck
    assert check is not None
    assert check.command is not None
    address = f"--entrypoints.internal.address=127.0.0.1:{world.proxy.ports['internal']}"
    command = [str(TRAEFIK), *check.command[2:-1], address]
    assert check.command[:2] == ("CMD", "traefik")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_figures_per_service(world: World) -> None:
    world.proxy.get("backend", "/")
    status, body = world.proxy.get("internal", "/metrics")
    assert status == 200
    assert re.search(rb'traefik_service_requests_total\{[^}]*service="backend@file"', body)
    assert re.search(rb'traefik_service_request_duration_seconds_bucket\{[^}]*service="frontend@file"', body)


def test_streams_are_not_held_back(world: World) -> None:
    connection = world.proxy.connection("backend")
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    # The server sends the second event only after the first has come through.
    assert answer.readline() == b"data: first\n"
    world.second.second_event.set()
    assert answer.read() == b"\ndata: second\n\n"
    connection.close()


def test_a_server_that_is_gone_costs_no_request(world: World) -> None:
    world.proxy.send_to("backend", free_port(), world.first.port)

    def reached() -> bool:
        return json.loads(world.proxy.get("backend", "/")[1] or b"{}").get("name") == "first"

    wait_for(reached, "the new servers are in use")
    for number in range(40):
        connection = world.proxy.connection("backend")
        connection.request("POST", "/write", body=str(number))
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"first")
        connection.close()
    assert sorted(map(int, world.first.answered)) == list(range(40)), "each was carried out once"


def test_an_unhealthy_server_gets_no_traffic(world: World) -> None:
    world.proxy.send_to("backend", world.first.port, world.second.port)

    def names() -> set[str]:
        return {json.loads(world.proxy.get("backend", "/")[1])["name"] for _ in range(6)}

    wait_for(lambda: names() == {"first", "second"}, "both servers are in use")
    world.second.healthy = False
    wait_for(lambda: names() == {"first"}, "the unhealthy one is left out")
    world.second.healthy = True
    wait_for(lambda: names() == {"first", "second"}, "it is back")


def test_new_servers_close_no_connection(world: World) -> None:
    connection = world.proxy.connection("backend")
    connection.connect()
    held = connection.sock
    answers = []
    end = time.monotonic() + LIMIT
    world.proxy.send_to("backend", world.first.port)
    while "first" not in answers:
        assert time.monotonic() < end
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.status == 200
        answers.append(json.loads(answer.read())["name"])
        assert connection.sock is held, "Traefik closed a connection that was in use"
    assert set(answers) <= {"first", "second"}
    connection.close()


def test_a_stopping_proxy_lets_streams_end(world: World) -> None:
    connection = world.proxy.connection("backend")
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    assert answer.readline() == b"data: first\n"
    world.proxy.process.send_signal(signal.SIGTERM)

    def no_longer_listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", world.proxy.ports["backend"])) != 0

    wait_for(no_longer_listens, "new connections are refused")
    world.second.second_event.set()
    assert answer.read() == b"\ndata: second\n\n"
    connection.close()
    assert world.proxy.process.wait(LIMIT) == 0


@pytest.mark.parametrize("world", ["prod"], indirect=True)
def test_production_leads_to_https(world: World) -> None:
    connection = world.proxy.connection("http")
    connection.request("GET", "/a?b=c", headers={"Host": "chat.example.com"})
    answer = connection.getresponse()
    assert answer.status in {301, 308}
    assert answer.headers["Location"] == "https://chat.example.com/a?b=c"
    connection.close()

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for host, status in (("chat.example.com", 200), ("other.example.com", 404)):
        request = urllib.request.Request(
            f"https://127.0.0.1:{world.proxy.ports['https']}/", headers={"Host": host}
        )
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
        )
        try:
            found = opener.open(request, timeout=LIMIT).status
        except urllib.error.HTTPError as error:
            found = error.code
        assert found == status
