"""Waiting for a container: healthy, up for a while, or ended.

Docker runs the first health check after a whole interval (30 s by default; `start_interval` came with API
1.44). Running the same command by exec right after the start finds readiness in about a second, and tells
apart "not yet" from "never": a container that has ended is noticed at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.engines.docker import execute, memory_kills
from deploytool.engines.docker.client import Client
from deploytool.engines.docker.logs import last_lines
from deploytool.errors import NotHealthy, StepFailed

_NANO = 1_000_000_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 0.25
SETTLED = 1.0
"""Seconds that a container without a health check must run to count as up."""
LOOPING = 2
"""Restarts after which a container is said to restart in a loop (the first may be an honest retry)."""
_DOCKER_TIMEOUT = 30 * _NANO
"""The engine's own default for a health check's timeout (docs.docker.com/reference/dockerfile)."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """What a health command said; healthy is None when it could not be run."""

    healthy: bool | None
    words: str = ""


def command_of(inspected: Mapping[str, Any]) -> tuple[str, ...]:
    """The container's health command as arguments; () when it has none."""
    test = (inspected["Config"].get("Healthcheck") or {}).get("Test") or []
    if test[:1] == ["CMD"]:
        return tuple(test[1:])
    if test[:1] == ["CMD-SHELL"]:
        shell = inspected["Config"].get("Shell") or ["/bin/sh", "-c"]
        return (*shell, *test[1:])
    return ()


def probe(client: Client, inspected: Mapping[str, Any], *, timeout: float | None = None) -> Probe:
    """Run the health command once, with its own timeout (or a shorter one, in seconds)."""
    own = (inspected["Config"]["Healthcheck"].get("Timeout") or _DOCKER_TIMEOUT) / _NANO
    limit = own if timeout is None else max(min(own, timeout), 0.1)
    try:
        code, output = execute.run(client, inspected["Id"], command_of(inspected), timeout=limit)
    except execute.TookTooLong:
        return Probe(False, f"no answer within {limit:.3g} s")
    except StepFailed as error:
        return Probe(None, error.message)
    text = output.decode(errors="replace").strip()
    return Probe(code == 0, text or f"exit code {code}")


def await_healthy(client: Client, name: str, timeout: float, report: Report) -> None:
    """Wait until the health command succeeds; without one, until the container has run for a second.

    Raises NotHealthy when it ended, restarts in a loop, or `timeout` seconds have passed.
    """
    began = time.monotonic()
    words, pause = "", _FIRST_PAUSE
    up_since: float | None = None
    while True:
        inspected = _present(client, name)
        state = inspected["State"]
        _must_live(client, name, inspected, time.monotonic() - began)
        now = time.monotonic()
        if state["Status"] != "running":
            up_since = None
        elif not command_of(inspected):
            up_since = now if up_since is None else up_since
            if now - up_since >= SETTLED:
                report(f"up {now - began:.1f} s")
                return
        elif (state.get("Health") or {}).get("Status") == "healthy":
            report(f"healthy {now - began:.1f} s")
            return
        else:
            found = probe(client, inspected, timeout=max(timeout - (now - began), 1.0))
            if found.healthy:
                report(f"healthy {time.monotonic() - began:.1f} s")
                return
            words = found.words or words
        if time.monotonic() - began >= timeout:
            raise NotHealthy(
                f"{name} did not become healthy within {timeout:.3g} s",
                hint=f"docker logs {name}",
                details=(*_said(words), *last_lines(client, name)),
            )
        time.sleep(pause)
        pause = min(pause * 1.3, _LONGEST_PAUSE)


def watch(client: Client, name: str, duration: float, report: Report) -> None:
    """For `duration` seconds the container must stay up and not turn unhealthy. Raises NotHealthy."""
    began = time.monotonic()
    restarts = _present(client, name).get("RestartCount", 0)
    while True:
        inspected = _present(client, name)
        elapsed = time.monotonic() - began
        _must_live(client, name, inspected, elapsed)
        state = inspected["State"]
        if inspected.get("RestartCount", 0) > restarts:
            raise NotHealthy(f"{name} ended and was restarted", details=last_lines(client, name))
        if (state.get("Health") or {}).get("Status") == "unhealthy":
            log = (state["Health"].get("Log") or [{}])[-1]
            raise NotHealthy(
                f"{name} turned unhealthy",
                details=(*_said(str(log.get("Output", "")).strip()), *last_lines(client, name)),
            )
        if elapsed >= duration:
            report(f"steady for {duration:.3g} s")
            return
        time.sleep(min(_LONGEST_PAUSE, max(duration - elapsed, 0.01)))


def await_completed(client: Client, name: str, timeout: float | None, report: Report) -> None:
    """Wait until the container has ended with code 0. Raises StepFailed for another code or too late."""
    began = time.monotonic()
    pause = 0.05
    while True:
        inspected = _present(client, name)
        state = inspected["State"]
        elapsed = time.monotonic() - began
        if state["Status"] in ("exited", "dead"):
            if state["ExitCode"] == 0:
                report(f"done {elapsed:.1f} s")
                return
            raise StepFailed(
                f"{name} {ending(client, inspected)}",
                hint=f"docker logs {name}",
                details=last_lines(client, name),
            )
        if timeout is not None and elapsed >= timeout:
            raise StepFailed(
                f"{name} did not end within {timeout:.3g} s",
                hint=f"docker logs {name}",
                details=last_lines(client, name),
            )
        time.sleep(pause)
        pause = min(pause * 1.3, _LONGEST_PAUSE)


def ending(client: Client, inspected: Mapping[str, Any]) -> str:
    """How a container ended, as a person says it."""
    state = inspected["State"]
    if memory_kills.killed(client, inspected):
        return "was killed: it used more memory than its limit"
    text = f"ended with exit code {state.get('ExitCode', 0)}"
    return f"{text}: {state['Error']}" if state.get("Error") else text


def _present(client: Client, name: str) -> dict[str, Any]:
    inspected = client.inspect(name)
    if inspected is None:
        raise StepFailed(f"container {name} is gone", hint="somebody removed it; run the command again")
    return inspected


def _must_live(client: Client, name: str, inspected: Mapping[str, Any], elapsed: float) -> None:
    state = inspected["State"]
    if state["Status"] in ("exited", "dead"):
        raise NotHealthy(
            f"{name} {ending(client, inspected)} after {elapsed:.1f} s",
            hint=f"docker logs {name}",
            details=last_lines(client, name),
        )
    if state["Status"] == "created":
        raise NotHealthy(f"{name} was never started", details=_said(str(state.get("Error", ""))))
    if inspected.get("RestartCount", 0) >= LOOPING and _short_lived(inspected):
        raise NotHealthy(
            f"{name} restarts in a loop ({inspected['RestartCount']} times): it {ending(client, inspected)}",
            hint=f"docker logs {name}",
            details=last_lines(client, name),
        )


def _short_lived(inspected: Mapping[str, Any]) -> bool:
    """False for a container that restarted now and then in a long life: that is no loop."""
    from deploytool.engines.docker.observe import seconds

    state = inspected["State"]
    count = max(inspected.get("RestartCount", 0), 1)
    life = seconds(state.get("StartedAt", "")) - seconds(inspected.get("Created", ""))
    return bool(state["Status"] == "restarting" or life / count < 60.0)


def _said(words: str) -> tuple[str, ...]:
    return tuple(f"health check: {line}" for line in words.splitlines()[-5:])
