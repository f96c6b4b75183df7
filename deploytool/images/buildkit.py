"""Building images with BuildKit over the Engine API: `POST /build?version=2`, without the docker command.

No session is opened, so the whole context goes up as a tar, and the client's registry passwords and build
secrets are out of reach; neither is needed here. Every function takes the Docker SDK's low-level client.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploytool.errors import BuildFailed, ChatbotError, DiskFull, EngineUnreachable
from deploytool.images import trace
from deploytool.images.context import packed
from deploytool.images.progress import Event, ImageBuilt, OnEvent, discard
from deploytool.images.steps import Steps

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

DOCKERFILE = ".build/Dockerfile"
CERTIFICATES = ".build/ca.crt"
# BuildKit shares the work between builds that run at once; more than this only crowds the engine's disk.
_AT_ONCE = 4
_CONNECT_SECONDS = 20.0
_FULL = ("no space left on device", "disk quota exceeded")


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """One image to be built."""

    name: str
    """What progress calls it: the service's name."""
    tag: str
    """The tag it gets, e.g. from `content.image_tag`."""
    dockerfile: str
    """The Dockerfile's text."""
    context: Path | None
    """The folder sent along, filtered by its `.dockerignore`; None sends `files` alone."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files of the context, by name."""
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    network_mode: str = ""
    """As `docker build --network`; empty means the engine's bridge."""
    certificates: bytes = b""
    """The CA bundle for the build stages (see certificates.py); empty for none. A Dockerfile that names
    `.build/ca.crt` finds that file in any case, one that does not name it never gets it."""
    no_cache: bool = False


def build_image(api: APIClient, build: ImageBuild, on_event: OnEvent = discard) -> str:
    """Build one image and return its id (sha256:…).

    Raises ContextMissing before anything is sent, BuildFailed with the failing step's last lines, DiskFull,
    EngineUnreachable.
    """
    return _Run(api, build, on_event).to_its_end()


def build_all(api: APIClient, builds: Iterable[ImageBuild], on_event: OnEvent = discard) -> dict[str, str]:
    """Build several images at once; returns their ids by the builds' names.

    `on_event` is called from several threads, never from two at the same time. When one build fails, the
    others are cancelled and its error is raised. Ctrl-C cancels all of them on the engine and is raised
    again.
    """
    gate = threading.Lock()

    def one_at_a_time(event: Event) -> None:
        with gate:
            on_event(event)

    runs = [_Run(api, build, one_at_a_time) for build in builds]
    if not runs:
        return {}
    with ThreadPoolExecutor(min(len(runs), _AT_ONCE), thread_name_prefix="build") as pool:
        futures: dict[Future[str], _Run] = {}
        try:
            futures = {pool.submit(run.to_its_end): run for run in runs}
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            # After a failure or Ctrl-C; those that are through do not mind.
            for future, run in futures.items():
                if not future.done():
                    run.cancel()
                    future.cancel()
    failed = [error for future in futures if not future.cancelled() and (error := future.exception())]
    if failed:
        raise next((error for error in failed if not isinstance(error, _Cancelled)), failed[0])
    return {run.build.name: future.result() for future, run in futures.items()}


class _Cancelled(BuildFailed):
    """This build was stopped because another one failed."""


class _Run:
    """One build on its way."""

    def __init__(self, api: APIClient, build: ImageBuild, on_event: OnEvent) -> None:
        self.build = build
        self._api = api
        self._on_event = on_event
        self._steps = Steps(build.name)
        self._number = secrets.token_hex(12)
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask the engine to stop this build; an engine that does not answer is left to notice by itself."""
        self._cancelled.set()
        with suppress(Exception):
            self._api.request(
                "POST",
                f"{_address(self._api)}/build/cancel",
                params={"id": self._number},
                timeout=_CONNECT_SECONDS,
            )

    def to_its_end(self) -> str:
        if self._cancelled.is_set():
            raise _Cancelled(f"the build of {self.build.name} was cancelled")
        started = time.monotonic()
        identity, problem = "", ""
        response = self._post()
        try:
            for message in _messages(response):
                kind, aux = message.get("id"), message.get("aux")
                if kind == "moby.buildkit.trace" and isinstance(aux, str):
                    self._trace(aux)
                elif kind == "moby.image.id" and isinstance(aux, dict):
                    identity = str(aux.get("ID", ""))
                elif "error" in message:
                    problem = str(message["error"])
        except ChatbotError:
            raise
        except Exception as error:
            # The SDK's client wraps a broken connection in several ways; all mean the same here.
            if not self._cancelled.is_set():
                raise EngineUnreachable(
                    f"the connection to the engine broke while {self.build.name} was built: {error}"
                ) from error
        finally:
            response.close()
        if self._cancelled.is_set() and not identity:
            raise _Cancelled(f"the build of {self.build.name} was cancelled")
        if problem or not identity:
            raise self._failure(problem or "the engine ended the build without an image")
        seconds = time.monotonic() - started
        steps = self._steps
        self._on_event(
            ImageBuilt(self.build.name, self.build.tag, identity, seconds, steps.cached, steps.finished)
        )
        return identity

    def _post(self) -> Response:
        build = self.build
        parameters = {
            "version": "2",
            "t": build.tag,
            "dockerfile": DOCKERFILE,
            "buildid": self._number,
            "buildargs": json.dumps(dict(build.args)),
            "labels": json.dumps(dict(build.labels)),
            "rm": "1",
        }
        if build.target:
            parameters["target"] = build.target
        if build.network_mode:
            parameters["networkmode"] = build.network_mode
        if build.no_cache:
            parameters["nocache"] = "1"
        files = {**build.files, DOCKERFILE: build.dockerfile.encode()}
        # A Dockerfile that does not ask for the certificates gets none: its `COPY . .` would keep them.
        if CERTIFICATES in build.dockerfile:
            files[CERTIFICATES] = build.certificates
        with packed(build.context, files) as body:
            try:
                response: Response = self._api.request(
                    "POST",
                    f"{_address(self._api)}/build",
                    params=parameters,
                    data=body,
                    headers={"Content-Type": "application/x-tar"},
                    stream=True,
                    timeout=(_CONNECT_SECONDS, None),
                )
            except ChatbotError:
                raise
            except Exception as error:
                raise EngineUnreachable(
                    f"the engine does not take the build of {build.name}: {error}"
                ) from error
        if response.status_code >= 400:
            with response:
                raise self._failure(_explanation(response))
        return response

    def _trace(self, aux: str) -> None:
        # An engine whose trace we cannot read still builds; only its progress stays dark.
        with suppress(trace.Malformed, ValueError):
            for event in self._steps.see(*trace.decode(base64.b64decode(aux))):
                self._on_event(event)

    def _failure(self, problem: str) -> ChatbotError:
        step = self._steps.failing_step()
        lines = self._steps.last_lines()
        if any(words in text.lower() for words in _FULL for text in (problem, self._steps.failure(), *lines)):
            return DiskFull(
                f"the engine's disk is full: {self.build.name} could not be built",
                hint="docker system df shows what uses it; docker builder prune empties the build cache",
                where=step,
                details=lines or (problem,),
            )
        reason = self._steps.failure() or problem
        named = f" at step {step}" if step else ""
        return BuildFailed(
            f"the image of {self.build.name} could not be built{named}: {_short(reason)}",
            hint="what runs is untouched; mend the step and build again",
            where=step,
            details=lines or tuple(line for line in problem.splitlines() if line.strip())[-15:],
        )


def _address(api: APIClient) -> str:
    return f"{api.base_url}/v{api.api_version}"


def _messages(response: Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines(chunk_size=1 << 16):
        if line.strip():
            message = json.loads(line)
            if isinstance(message, dict):
                yield message


def _explanation(response: Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or f"HTTP {response.status_code}"


def _short(reason: str) -> str:
    """BuildKit's words without the command they repeat: `executor failed running [...]: exit code: 1`."""
    ending = reason.rpartition("]: ")[2] if "failed running [" in reason or 'process "' in reason else reason
    return ending.strip() or reason
