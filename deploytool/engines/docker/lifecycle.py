"""Carrying out a plan's operations, one function each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploytool.engines.docker import containers, health, resources
from deploytool.engines.docker.client import Client
from deploytool.engines.docker.measure import traffic
from deploytool.errors import EngineRefused
from deploytool.plan import operations as op
from deploytool.stack.model import Stack

_NANO = 1_000_000_000
QUIET_BYTES = 512
"""Traffic below this in one sample is background noise (ARP, neighbour discovery)."""
QUIET_FOR = 1.0
_SAMPLE = 0.2


@dataclass(frozen=True, slots=True)
class Context:
    """What every step needs."""

    client: Client
    stack: Stack
    release: int
    report: Callable[[str], None]


def apply(context: Context, operation: op.Operation) -> None:
    """Carry out one operation; see protocol.Engine.apply for what it raises."""
    step = _STEPS.get(type(operation))
    if step is None:
        raise EngineRefused(f"{type(operation).__name__} is not an operation of the engine")
    step(context, operation)


def _pull(context: Context, step: op.PullImage) -> None:
    resources.pull_image(context.client, step.image, context.report)


def _create_network(context: Context, step: op.CreateNetwork) -> None:
    resources.create_network(context.client, context.stack, step.network)


def _create_volume(context: Context, step: op.CreateVolume) -> None:
    resources.create_volume(context.client, context.stack, step.volume)


def _remove_network(context: Context, step: op.RemoveNetwork) -> None:
    resources.remove_network(context.client, step.name)


def _remove_volume(context: Context, step: op.RemoveVolume) -> None:
    resources.remove_volume(context.client, step.name)


def _create(context: Context, step: op.CreateContainer) -> None:
    containers.create_replica(
        context.client,
        context.stack,
        step.specification,
        name=step.container,
        number=step.number,
        release=context.release,
        secrets_version=step.secrets_version,
    )


def _start(context: Context, step: op.StartContainer) -> None:
    containers.start(context.client, step.container)


def _stop(context: Context, step: op.StopContainer) -> None:
    containers.stop(context.client, step.container, step.timeout / _NANO)


def _remove(context: Context, step: op.RemoveContainer) -> None:
    containers.remove(context.client, step.container)


def _update_limits(context: Context, step: op.UpdateLimits) -> None:
    containers.update_limits(context.client, step.container, step.specification)


def _release(context: Context, step: op.RunRelease) -> None:
    """Run the release command to its end; its container stays for inspection when it failed."""
    client, name, service = context.client, step.container, step.specification
    containers.create_release(
        client,
        context.stack,
        service,
        name=name,
        release=context.release,
        secrets_version=step.secrets_version,
    )
    containers.start(client, name)
    try:
        health.await_completed(client, name, None, context.report)
    except (KeyboardInterrupt, SystemExit):
        # Left alone it would go on behind the operator's back.
        containers.stop(client, name, service.stop_grace_period / _NANO)
        raise
    containers.remove(client, name)


def _await_healthy(context: Context, step: op.AwaitHealthy) -> None:
    health.await_healthy(context.client, step.container, step.timeout / _NANO, context.report)


def _await_completed(context: Context, step: op.AwaitCompleted) -> None:
    health.await_completed(context.client, step.container, step.timeout / _NANO, context.report)


def _watch(context: Context, step: op.Watch) -> None:
    health.watch(context.client, step.container, step.duration / _NANO, context.report)


def _drain(context: Context, step: op.Drain) -> None:
    """Wait until the container's network has been quiet for a second, at most the step's timeout.

    What is still silent then (a stream that waits for its first word) is covered by the service's own
    graceful stop, which follows.
    """
    began = time.monotonic()
    quiet_since = began
    before = traffic(context.client, step.container)
    while before is not None:
        now = time.monotonic()
        if now - quiet_since >= QUIET_FOR or now - began >= step.timeout / _NANO:
            break
        time.sleep(_SAMPLE)
        current = traffic(context.client, step.container)
        if current is None:
            break
        if current - before > QUIET_BYTES:
            quiet_since = time.monotonic()
        before = current
    context.report(f"drained {time.monotonic() - began:.1f} s")


def _pause(_context: Context, step: op.Pause) -> None:
    time.sleep(step.duration / _NANO)


_STEPS: dict[type[op.Operation], Callable[[Context, Any], None]] = {
    op.PullImage: _pull,
    op.CreateNetwork: _create_network,
    op.CreateVolume: _create_volume,
    op.RunRelease: _release,
    op.CreateContainer: _create,
    op.StartContainer: _start,
    op.AwaitHealthy: _await_healthy,
    op.AwaitCompleted: _await_completed,
    op.Watch: _watch,
    op.Drain: _drain,
    op.Pause: _pause,
    op.UpdateLimits: _update_limits,
    op.StopContainer: _stop,
    op.RemoveContainer: _remove,
    op.RemoveNetwork: _remove_network,
    op.RemoveVolume: _remove_volume,
}
