"""Calls to the engine's API, with its failures turned into this tool's errors."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deploytool.engines.docker.address import Address, find_address
from deploytool.errors import (
    ChatbotError,
    DiskFull,
    EnginePermissionDenied,
    EngineRefused,
    EngineTooOld,
    EngineUnreachable,
)

if TYPE_CHECKING:
    from requests import Response

    from deploytool.engines.docker.session import Session

OLDEST = (1, 41)
"""Docker Engine 20.10: the first with one-shot statistics and cgroup v2."""
MINIMUM_OF_NEWER = (1, 44)
"""Engines from API 1.52 on refuse clients older than this."""
TIMEOUT = 120.0
"""Seconds. A busy engine holds its volumes back while it measures them (`docker system df`)."""


class Client:
    """A connection to one engine, made on first use; safe for use by many threads at once."""

    def __init__(self, address: Address | None = None, *, read_only: bool = False, timeout: float = TIMEOUT):
        self.address = address or find_address()
        self.read_only = read_only
        self.timeout = timeout
        self._session: Session | None = None
        self._lock = threading.Lock()
        self.api_version: tuple[int, int] = OLDEST

    @property
    def session(self) -> Session:
        """The Docker SDK's low-level client. Raises EngineUnreachable, …PermissionDenied, EngineTooOld."""
        with self._lock:
            if self._session is None:
                self._session = self._connect()
            return self._session

    def _connect(self) -> Session:
        try:
            from deploytool.engines.docker.session import Session

            session = Session(
                self.address,
                version=".".join(map(str, OLDEST)),
                timeout=self.timeout,
                read_only=self.read_only,
            )
            answer = session.get(f"{session.base_url}/_ping", timeout=min(self.timeout, 20.0))
        except ChatbotError:
            raise
        except Exception as error:
            raise self._unreachable(error) from error
        if answer.status_code >= 400:
            raise EngineUnreachable(
                f"{self.address.url} answers, but not as a Docker Engine does (HTTP {answer.status_code})",
                where=self.address.source,
            )
        self.api_version = _version(answer.headers.get("Api-Version", ""))
        if self.api_version < OLDEST:
            raise EngineTooOld(
                f"this engine speaks API {_text(self.api_version)}; {_text(OLDEST)} is needed"
                " (Docker Engine 20.10 or later)",
                where=self.address.url,
                hint="install a newer engine: sudo apt-get install docker.io",
            )
        if self.api_version >= (1, 52):
            session.use_version(_text(MINIMUM_OF_NEWER))
        return session

    def call(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout: float | tuple[float, None] | None = None,
        expect: tuple[int, ...] = (),
    ) -> Response:
        """One request. Error statuses in `expect` are handed back, all others raise.

        `timeout` is in seconds between two reads; None means the connection's own. `body` is sent as JSON,
        `data` as it is. Raises EngineUnreachable, WriteRefused, DiskFull, EngineRefused.
        """
        session = self.session
        sent = dict(headers or {})
        if body is not None:
            data = json.dumps(body)
            sent["Content-Type"] = "application/json"
        try:
            answer = session.request(
                method,
                f"{session.base_url}/v{session.api_version}{path}",
                params=_plain(parameters or {}),
                data=data,
                headers=sent,
                stream=stream,
                timeout=self.timeout if timeout is None else timeout,
            )
        except ChatbotError:
            raise
        except Exception as error:
            raise self._unreachable(error) from error
        if answer.status_code < 400 or answer.status_code in expect:
            return answer
        raise refusal(explanation(answer), where=f"{method} {path}")

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON that a GET answers with."""
        return self.call("GET", path, parameters=parameters).json()

    def find(self, path: str) -> Any | None:
        """The JSON that a GET answers with; None when there is no such thing."""
        answer = self.call("GET", path, expect=(404,))
        return None if answer.status_code == 404 else answer.json()

    def inspect(self, container: str) -> dict[str, Any] | None:
        """A container by name or id; None when there is none."""
        found: dict[str, Any] | None = self.find(f"/containers/{segment(container)}/json")
        return found

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a stream is read: a connection that breaks is an EngineUnreachable, not a stray exception."""
        try:
            yield
        except (ChatbotError, GeneratorExit):
            raise
        except Exception as error:
            raise self._unreachable(error) from error

    def another(self) -> Client:
        """A client for the same engine that shares no connection with this one."""
        return Client(self.address, read_only=self.read_only, timeout=self.timeout)

    def close(self) -> None:
        """Close the pooled connections."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _unreachable(self, error: BaseException) -> ChatbotError:
        numbers = {cause.errno for cause in _chain(error) if isinstance(cause, OSError)}
        url = self.address.url
        if numbers & {errno.EACCES, errno.EPERM}:
            return EnginePermissionDenied(
                f"you may not use the Docker Engine's socket {self.address.socket or url}",
                hint="sudo usermod -aG docker $USER, then log in anew; or run the command with sudo",
                where=self.address.source,
            )
        if errno.ENOENT in numbers:
            reason = f"there is no socket {self.address.socket}"
        elif errno.ECONNREFUSED in numbers:
            reason = "nobody answers there"
        elif any("timed out" in str(cause).lower() for cause in _chain(error)):
            reason = "it did not answer in time"
        else:
            reason = str(error) or type(error).__name__
        hint = (
            "chatbot setup"
            if self.address.local and self.address.source != "DOCKER_HOST"
            else f"is {self.address.source} right, and does the engine there run?"
        )
        return EngineUnreachable(
            f"no Docker Engine answers at {url}: {reason}", hint=hint, where=self.address.source
        )


def segment(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe=":@")


def explanation(answer: Response) -> str:
    """What the engine says about a refused request."""
    try:
        return str(answer.json()["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return answer.text.strip() or f"HTTP {answer.status_code}"


def refusal(text: str, *, where: str = "") -> ChatbotError:
    """The error for an engine's words: a full disk has one of its own, the rest is EngineRefused."""
    if "no space left on device" in text.lower() or "disk quota exceeded" in text.lower():
        return DiskFull(
            "the engine's disk is full",
            hint="docker system df shows what uses it; docker image prune removes unused image layers",
            where=where,
            details=(text,),
        )
    return EngineRefused(text, where=where)


def lines_of_json(answer: Response) -> Iterator[dict[str, Any]]:
    """The messages of a progress stream (one JSON object per line)."""
    for line in answer.iter_lines():
        if line.strip():
            yield json.loads(line)


def _plain(parameters: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, value in parameters.items():
        if isinstance(value, bool):
            found[key] = "1" if value else "0"
        elif isinstance(value, (dict, list)):
            found[key] = json.dumps(value)
        elif value is not None:
            found[key] = str(value)
    return found


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, its causes, and the errors that the HTTP libraries wrap as arguments."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or current in seen:
            continue
        seen.append(current)
        yield current
        waiting += [current.__cause__, current.__context__]
        waiting += [argument for argument in current.args if isinstance(argument, BaseException)]
        reason = getattr(current, "reason", None)
        if isinstance(reason, BaseException):
            waiting.append(reason)


def _version(text: str) -> tuple[int, int]:
    try:
        major, minor = text.split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return OLDEST


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
