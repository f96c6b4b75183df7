"""What happens around every request, in one layer: id, limits, headers, metrics, access log, last resort."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import metrics
from app.core.database import is_unreachable
from app.core.logs import request_id, write_access
from app.problems import MEDIA_TYPE, document

_log = logging.getLogger("app.requests")
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"}
# An API answers with data, never with something a browser should run, frame or keep.
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_CLOSED_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# The documentation page loads its program from a public host; it exists in `local` alone.
_DOCUMENTATION = {"/docs", "/redoc"}
_QUIET = {"/health", "/ready", "/metrics"}


class BodyTooLarge(HTTPException):
    """The request's body is over the limit; raised while it is being read.

    An HTTPException, because FastAPI takes any other error there for a body that makes no sense.
    """

    code = "body-too-large"

    def __init__(self, most: int):
        super().__init__(413, f"The request's body is over {most} bytes.")


class RequestMiddleware:
    """Wraps the application. `max_body` in bytes; `strict_transport` adds HSTS."""

    def __init__(self, app: ASGIApp, max_body: int, strict_transport: bool, log_requests: bool = True):
        self.app = app
        self.max_body = max_body
        self.log_requests = log_requests
        self.headers = list(_SECURITY)
        if strict_transport:
            self.headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        identifier, length = self._read_headers(scope)
        scope["request_id"] = identifier
        token = request_id.set(identifier)
        status = 0
        first_byte: float | None = None
        extra = [*self.headers, (b"x-request-id", identifier.encode())]
        if scope["path"] not in _DOCUMENTATION:
            extra.append(_CLOSED_POLICY)

        async def outward(message: Message) -> None:
            nonlocal status, first_byte
            if message["type"] == "http.response.start":
                status = message["status"]
                first_byte = time.perf_counter()
                headers = message["headers"]
                message["headers"] = [*headers, *extra]
                if not any(name == b"cache-control" for name, _ in headers):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        received = 0

        async def inward() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self.max_body:
                    raise BodyTooLarge(self.max_body)
            return message

        try:
            if length > self.max_body:
                raise BodyTooLarge(self.max_body)
            await self.app(scope, inward, outward)
        except BodyTooLarge as error:
            await self._refuse(outward, 413, error.code, str(error.detail), identifier)
        except Exception as error:
            if is_unreachable(error):
                _log.warning("database unreachable", extra={"error": type(error).__name__})
                if not status:
                    await self._refuse(
                        outward, 503, "database-unreachable", "The database does not answer.", identifier
                    )
                return
            _log.exception("unhandled error", extra={"route": self._route(scope)})
            if not status:
                await self._refuse(
                    outward, 500, "internal-error", "Something went wrong on our side.", identifier
                )
        finally:
            request_id.reset(token)
            stream = scope.get("is_stream", False)
            ended = first_byte if stream and first_byte else time.perf_counter()
            self._record(scope, status or 499, ended - started, identifier)

    @staticmethod
    def _read_headers(scope: Scope) -> tuple[str, int]:
        identifier = ""
        length = 0
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _PLAIN_ID.fullmatch(value):
                identifier = value.decode()
            elif name == b"content-length" and value.isdigit():
                length = int(value[:18])
        return identifier or secrets.token_hex(8), length

    @staticmethod
    def _route(scope: Scope) -> str:
        found = scope.get("route_template")
        if found:
            return str(found)
        route = scope.get("route")
        return getattr(route, "path", None) or "unmatched"

    def _record(self, scope: Scope, status: int, seconds: float, identifier: str) -> None:
        route = self._route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            children = self._children[key] = (
                metrics.requests.labels(method, route, str(status)),
                metrics.latency.labels(method, route),
            )
        children[0].inc()
        children[1].observe(seconds)
        if status >= 500:
            metrics.errors.labels(route).inc()
        if self.log_requests and (route not in _QUIET or status >= 400):
            address = scope.get("client_address") or (scope["client"][0] if scope.get("client") else "-")
            write_access(identifier, method, route, status, seconds, address, scope.get("user_id"))

    @staticmethod
    async def _refuse(send: Send, status: int, code: str, detail: str, identifier: str) -> None:
        body = json.dumps(document(status, code, detail, identifier)).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
