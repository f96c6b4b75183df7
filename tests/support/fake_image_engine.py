"""A Docker Engine on loopback that answers with what a test gives it, for the SDK's real client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import docker


@dataclass
class Request:
    method: str
    path: str
    parameters: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What is answered: a JSON body, or lines sent one by one; `hold` is waited for before the last byte."""

    status: int = 200
    body: Any = None
    lines: list[bytes] = field(default_factory=list)
    hold: threading.Event | None = None
    broken: bool = False


Answer = Callable[[Request], Reply]


@dataclass
class FakeEngine:
    api: docker.APIClient
    requests: list[Request]

    def paths(self, start: str) -> list[str]:
        return [request.path for request in self.requests if request.path.startswith(start)]


@contextmanager
def engine(answer: Answer) -> Iterator[FakeEngine]:
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else self._chunks()
            request = Request(
                self.command, address.path.removeprefix("/v1.41"), dict(parse_qsl(address.query)), body
            )
            seen.append(request)
            self._send(answer(request))

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - the base class's names

        def _chunks(self) -> bytes:
            body = b""
            if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
            return body

        def _send(self, reply: Reply) -> None:
            lines = reply.lines or [json.dumps(reply.body).encode()]
            if reply.hold is not None and not reply.lines:
                reply.hold.wait(10)
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in lines:
                self.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
                self.wfile.flush()
            if reply.hold is not None and reply.lines:
                reply.hold.wait(10)
            if reply.broken:
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the play."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    api = docker.APIClient(base_url=f"tcp://127.0.0.1:{server.server_port}", version="1.41")
    try:
        yield FakeEngine(api, seen)
    finally:
        api.close()
        server.shutdown()
        thread.join()
        server.server_close()
