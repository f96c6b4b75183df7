"""Carries out plans. It decides nothing: gates and undo are steps of the plan.

When a step fails, the undo steps of everything done so far run in reverse order. One rule stands here because
it is about the failure itself: the container that failed is stopped but not removed, so that its logs and
its file system can be looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from deploytool.actions.progress import Listener
from deploytool.engines.protocol import Engine, FileEntry, HoldsFiles
from deploytool.errors import (
    ChatbotError,
    GateFailed,
    Interrupted,
    NotSupported,
    PortTaken,
    RollbackFailed,
    StepFailed,
)
from deploytool.plan import text
from deploytool.plan.model import Plan
from deploytool.plan.operations import (
    BuildImage,
    CreateContainer,
    Operation,
    RemoveContainer,
    WriteRoutes,
    WriteSecrets,
)
from deploytool.stack import routes
from deploytool.stack.model import Stack, Volume

_PROXY_UID = 1000
_SECRET_MODE = 0o400

Builder = Callable[[Sequence[BuildImage]], None]


@dataclass(slots=True)
class _Done:
    operation: Operation
    before: tuple[FileEntry, ...] | None = None
    """What a volume held before this operation wrote to it."""


@dataclass(slots=True)
class CarryOut:
    """One run of one plan.

    `secrets` holds the values by service; they go into volumes and nowhere else. `build` makes images.
    """

    engine: Engine
    stack: Stack
    release: int
    secrets: Mapping[str, Mapping[str, str]]
    build: Builder
    listener: Listener
    done: list[_Done] = field(default_factory=list)
    at: Operation | None = None
    """The operation that is being carried out."""

    def run(self, plan: Plan) -> None:
        """All steps in order.

        Raises GateFailed when a step failed and everything was taken back, RollbackFailed when that failed
        too, Interrupted after Ctrl-C (taken back likewise).
        """
        try:
            for building, group in groupby(plan.operations, lambda o: isinstance(o, BuildImage)):
                if building:
                    self.build([o for o in group if isinstance(o, BuildImage)])
                    continue
                for operation in group:
                    self._step(operation)
        except KeyboardInterrupt:
            self._undo("interrupted", Interrupted("interrupted"), "")
            raise Interrupted(
                "interrupted; what was begun was taken back"
                if self.done
                else "interrupted; nothing was changed",
                hint="run the same command again to go on",
            ) from None
        except ChatbotError as error:
            if isinstance(error, NotSupported):
                raise
            failed = self._failed_container(error)
            self._undo(error.message, error, failed)
            if isinstance(error, StepFailed):
                raise _gate_failed(error) from error
            raise  # a build, an image, a full disk: they have names of their own

    def _step(self, operation: Operation) -> None:
        started = time.monotonic()
        self.listener.step_started(operation)
        self.at = operation
        done = _Done(operation)
        try:
            if not isinstance(operation, CreateContainer):
                # Undoing is idempotent, so a step that fails half-way is taken back like one that succeeded.
                # A creation that fails has created nothing: a container of that name would not be ours.
                self.done.append(done)
            self._apply(operation, done)
            if isinstance(operation, CreateContainer):
                self.done.append(done)
        except BaseException:
            self.listener.step_failed(operation, time.monotonic() - started)
            raise
        self.listener.step_done(operation, time.monotonic() - started)

    def _apply(self, operation: Operation, done: _Done) -> None:
        if isinstance(operation, WriteSecrets):
            done.before = self._files().read_volume(operation.volume)
            self._write_secrets(operation)
        elif isinstance(operation, WriteRoutes):
            volume = self._routes_volume()
            done.before = self._files().read_volume(volume)
            content = routes.expand(self.stack.routes, routes.mapping(operation.upstreams))
            self._write_routes(volume, done.before or (), content)
        else:
            self.engine.apply(
                operation,
                self.stack,
                release=self.release,
                report=lambda words: self.listener.step_words(operation, words),
            )

    def _write_secrets(self, operation: WriteSecrets) -> None:
        service = self.stack.service(operation.service)
        values = self.secrets.get(operation.service, {})
        uid, gid = _owner(service.user if service else "")
        entries = [
            FileEntry(path=name, content=value.encode(), mode=_SECRET_MODE, uid=uid, gid=gid)
            for name, value in sorted(values.items())
        ]
        self._files().write_volume(operation.volume, entries, delete_others=True)

    def _write_routes(self, volume: Volume, present: Sequence[FileEntry], content: str) -> None:
        name = routes.next_file(entry.path for entry in present)
        entry = FileEntry(name, content.encode(), mode=0o644, uid=_PROXY_UID, gid=_PROXY_UID)
        self._files().write_volume(volume, [entry], delete_others=True)

    def _undo(self, reason: str, cause: ChatbotError, failed: str) -> None:
        steps = [(done, entry) for done in reversed(self.done) for entry in done.operation.undo]
        steps = [(d, o) for d, o in steps if not (isinstance(o, RemoveContainer) and o.container == failed)]
        if not steps:
            return
        self.listener.undo_started(reason)
        for done, operation in steps:
            self.listener.step_started(operation)
            started = time.monotonic()
            try:
                self._apply_undo(done, operation)
            except (ChatbotError, KeyboardInterrupt) as error:
                self.listener.step_failed(operation, time.monotonic() - started)
                words = error.message if isinstance(error, ChatbotError) else "interrupted again"
                raise RollbackFailed(
                    f"{cause.message}; taking it back failed too, at: {text.step(operation)}",
                    hint="look at what runs: chatbot status; then: chatbot deploy",
                    details=(words, *cause.details),
                ) from error
            self.listener.step_done(operation, time.monotonic() - started)

    def _apply_undo(self, done: _Done, operation: Operation) -> None:
        if isinstance(operation, WriteSecrets):
            if done.before is not None:
                self._files().write_volume(operation.volume, list(done.before), delete_others=True)
        elif isinstance(operation, WriteRoutes):
            before = routes.current({entry.path: entry.content for entry in done.before or ()})
            if before is not None:
                volume = self._routes_volume()
                self._write_routes(volume, self._files().read_volume(volume) or (), before)
        else:
            self.engine.apply(operation, self.stack, release=self.release)

    def _files(self) -> HoldsFiles:
        if not isinstance(self.engine, HoldsFiles):
            raise NotSupported(
                f"the {self.engine.kind} engine cannot write files into volumes, as secrets and routes need"
            )
        return self.engine

    def _routes_volume(self) -> Volume:
        proxy = self.stack.service(self.stack.proxy_service)
        for mount in proxy.mounts if proxy else ():
            volume = self.stack.volume(mount.source)
            if volume and self.stack.routes_path.startswith(mount.target.rstrip("/") + "/"):
                return volume
        raise NotSupported("the proxy mounts no volume at the place of its routes file")

    def _failed_container(self, error: ChatbotError) -> str:
        # Nothing can be learnt from a container that was never created or that only lacks a free port.
        if isinstance(self.at, CreateContainer) or isinstance(error, PortTaken):
            return ""
        return str(getattr(self.at, "container", ""))


def _owner(user: str) -> tuple[int, int]:
    """uid and gid of a compose `user` ("10001", "10001:10001"); a name cannot be known here and becomes 0."""
    uid, _, gid = user.partition(":")
    if not uid.isdigit():
        return 0, 0
    return int(uid), int(gid) if gid.isdigit() else int(uid)


def _gate_failed(error: ChatbotError) -> GateFailed:
    return GateFailed(error.message, hint=error.hint, where=error.where, details=error.details)
