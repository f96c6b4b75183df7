"""`chatbot deploy`: observe → plan → confirm → carry out."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploytool import __version__
from deploytool.actions import build as building
from deploytool.actions.carry_out import CarryOut
from deploytool.actions.plan import Planned, plan_environment
from deploytool.actions.powers import require
from deploytool.actions.prepare import Prepared, require_secrets
from deploytool.actions.progress import Listener
from deploytool.engines.protocol import Engine, KeepsState, LockHolder
from deploytool.errors import ConfirmationNeeded, GateFailed, NotHealthy
from deploytool.releases.history import Release, with_release
from deploytool.secrets import versions

Confirm = Callable[[Planned], bool]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy did."""

    planned: Planned
    changed: bool
    release: int
    """The release that runs now."""
    seconds: float
    urls: Mapping[str, str]
    generated: tuple[str, ...]
    stand_ins: tuple[str, ...]
    """Base images that were made from packages."""


def deploy(
    prepared: Prepared,
    engine: Engine,
    *,
    message: str,
    confirm: Confirm,
    listener: Listener,
    rebuild: bool = False,
) -> Deployed:
    """Make the environment run what its settings say. With `rebuild`, every image is built again.

    Raises SecretMissing, Locked, NotSupported, ConfirmationNeeded, BuildFailed, GateFailed, RollbackFailed,
    Interrupted.
    """
    started = time.monotonic()
    require_secrets(prepared)
    anew = frozenset(s.image for s in prepared.stack.services if s.build) if rebuild else frozenset()
    planned = plan_environment(prepared, engine, rebuild=anew)
    if planned.plan.empty and planned.previous:
        return _result(prepared, engine, planned, changed=False, seconds=time.monotonic() - started)
    if not confirm(planned):
        raise ConfirmationNeeded("not deployed: not confirmed", hint="answer yes, or give --yes")
    state = require(engine, KeepsState, "keep releases")
    state.lock(prepared.stack.project, holder("deploy"))
    try:
        planned = plan_environment(prepared, engine, rebuild=anew)
        _carry_out(prepared, engine, planned, message, listener, started)
    finally:
        state.unlock(prepared.stack.project)
    return _result(prepared, engine, planned, changed=True, seconds=time.monotonic() - started)


def _carry_out(
    prepared: Prepared, engine: Engine, planned: Planned, message: str, listener: Listener, started: float
) -> None:
    state = require(engine, KeepsState, "keep releases")
    stack = prepared.stack
    if versions.KEY_FILE not in planned.state:
        state.write_state(stack.project, {versions.KEY_FILE: planned.secrets_key})
    try:
        CarryOut(
            engine=engine,
            stack=stack,
            release=planned.release,
            secrets=prepared.secrets,
            build=lambda operations: building.build_images(prepared, engine, operations, listener),
            listener=listener,
        ).run(planned.plan)
    except GateFailed as error:
        raise _failed(error, planned, prepared) from error
    ran = engine.observe(stack)
    release = Release(
        number=planned.release,
        at=time.time(),
        by=who(),
        message=message,
        seconds=round(time.monotonic() - started, 1),
        images={service.name: ran.image_id(service.image) for service in stack.services},
        secrets=dict(planned.secrets_versions),
        tool=__version__,
    )
    state.write_state(stack.project, with_release(planned.state, release, prepared.bundle.files))


def _failed(error: GateFailed, planned: Planned, prepared: Prepared) -> GateFailed:
    """The same failure with the words an operator needs: what serves now, and what to type next."""
    environment = prepared.facts.environment
    kept = f"chatbot logs {environment} --release {planned.release}"
    serving = f"release {planned.previous.number} serves on" if planned.previous else "nothing serves yet"
    hint = error.hint or f"mend it, then: chatbot deploy {environment}"
    if isinstance(error.__cause__, NotHealthy):
        hint = f"mend it, then: chatbot deploy {environment}; the failed container is kept: {kept}"
    return GateFailed(
        f"release {planned.release} was not deployed, {serving}: {error.message}",
        hint=hint,
        where=error.where,
        details=error.details,
    )


def _result(
    prepared: Prepared, engine: Engine, planned: Planned, *, changed: bool, seconds: float
) -> Deployed:
    return Deployed(
        planned=planned,
        changed=changed,
        release=planned.release if changed or not planned.previous else planned.previous.number,
        seconds=seconds,
        urls=prepared.facts.public_urls,
        generated=prepared.generated,
        stand_ins=building.stand_ins(prepared, engine),
    )


def holder(purpose: str) -> LockHolder:
    """This operator, as the holder of a lock."""
    return LockHolder(who=who(), purpose=purpose, since=time.time())


def who() -> str:
    """user@host, for records and locks."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
