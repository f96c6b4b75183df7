"""The steps that bring one service from its old replicas to its new ones, each with its undo.

Old replicas are only stopped on the way; they are removed when every gate of the whole plan has passed, so
that the way back is a start and not a new creation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deploytool.plan.compare import Comparison
from deploytool.plan.observed import ObservedContainer
from deploytool.plan.operations import (
    AwaitHealthy,
    CreateContainer,
    Drain,
    Operation,
    Pause,
    RemoveContainer,
    StartContainer,
    StopContainer,
    Watch,
    WriteRoutes,
)
from deploytool.stack import routes
from deploytool.stack.model import Service, Stack

_SECOND = 1_000_000_000
GATE_MARGIN = 30 * _SECOND
"""Added to what the health check itself allows before a gate gives up: slow machines start slowly."""


@dataclass(slots=True)
class Live:
    """Which containers the proxy sends traffic to as the plan goes on."""

    routed: frozenset[str]
    upstreams: dict[str, list[str]] = field(default_factory=dict)

    def write(self, cause: str, service: str) -> WriteRoutes:
        """The step that makes the proxy follow."""
        restore = WriteRoutes(service=service, cause=f"undo: {cause}", upstreams=(), restore=True)
        return WriteRoutes(
            service=service, cause=cause, upstreams=routes.pairs(self.upstreams), undo=(restore,)
        )


def gate_timeout(service: Service) -> int:
    """How long a replica may take to become healthy, in nanoseconds.

    The start period plus what Docker itself would need to call it unhealthy after an instant first probe
    (retries × timeout), plus a margin.
    """
    check = service.healthcheck
    return GATE_MARGIN + (check.start_period + check.retries * check.timeout if check else 0)


def stop_first(service: Service) -> bool:
    """True when old and new cannot run side by side: as configured, or because a fixed host port is held."""
    return service.update.order == "stop-first" or any(port.published for port in service.ports)


def replica_name(stack: Stack, service: Service, number: int) -> str:
    """A replica's container name: Compose's own pattern, so that both agree."""
    return f"{stack.project}-{service.name}-{number}"


def free_numbers(present: Sequence[ObservedContainer]) -> Iterator[int]:
    """Replica numbers that no container of the service has, smallest first."""
    taken = {container.number for container in present}
    number = 0
    while True:
        number += 1
        if number not in taken:
            yield number


@dataclass(frozen=True, slots=True)
class Rollout:
    """What the steps of one service need to know."""

    stack: Stack
    service: Service
    comparison: Comparison
    present: tuple[ObservedContainer, ...]
    secrets_version: str
    cause: str

    def steps(self, live: Live) -> tuple[list[Operation], list[Operation], list[Operation]]:
        """Steps now, gates that may wait until somebody depends on them, and removals for the end."""
        numbers = free_numbers(self.present)
        names = [
            (number, replica_name(self.stack, self.service, number))
            for number, _ in zip(numbers, range(self.comparison.missing), strict=False)
        ]
        begin: list[Operation] = []
        later: list[Operation] = []
        retire = list(self.comparison.retire)
        started = [self._start(container.name, "stopped") for container in self.comparison.start]
        joined = [container.name for container in self.comparison.start]
        begin += started
        later += [self._await(name) for name in joined]
        if not retire:
            begin += [self._create(number, name) for number, name in names]
            begin += [self._start(name, self.cause) for _, name in names]
            later += [self._await(name) for _, name in names]
            joined += [name for _, name in names]
            if self.service.name in live.routed:
                live.upstreams[self.service.name] = [c.name for c in self.comparison.keep] + joined
        else:
            begin += later
            later = []
            if self.service.name in live.routed:
                live.upstreams.setdefault(self.service.name, []).extend(joined)
            begin += self._roll(names, retire, live)
        remove = [self._remove(container.name) for container in (*retire, *self.comparison.clear)]
        return begin, later, remove

    def _roll(
        self, names: list[tuple[int, str]], retire: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        """Batch by batch; the last batch takes with it whatever old replicas are left."""
        size = self.service.update.parallelism or max(len(names), len(retire), 1)
        batches = max(-(-len(names) // size), 1)
        for index in range(batches):
            new = names[index * size : (index + 1) * size]
            old = (
                retire[index * size :] if index == batches - 1 else retire[index * size : (index + 1) * size]
            )
            if index and self.service.update.delay:
                yield Pause(
                    service=self.service.name, cause="update_config.delay", duration=self.service.update.delay
                )
            yield from (
                self._stop_first(new, old, live)
                if stop_first(self.service)
                else self._start_first(new, old, live)
            )

    def _start_first(
        self, new: list[tuple[int, str]], old: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        yield from (self._create(number, name) for number, name in new)
        yield from (self._start(name, self.cause) for _, name in new)
        yield from (self._await(name) for _, name in new)
        yield from self._switch(live, join=[name for _, name in new], leave=[c.name for c in old])
        yield from self._watch(new)
        yield from self._retire(old)

    def _stop_first(
        self, new: list[tuple[int, str]], old: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        yield from self._switch(live, join=[], leave=[c.name for c in old], keep_one=True)
        yield from self._retire(old)
        yield from (self._create(number, name) for number, name in new)
        yield from (self._start(name, self.cause) for _, name in new)
        yield from (self._await(name) for _, name in new)
        yield from self._switch(live, join=[name for _, name in new], leave=[c.name for c in old])
        yield from self._watch(new)

    def _switch(
        self, live: Live, *, join: list[str], leave: list[str], keep_one: bool = False
    ) -> Iterator[Operation]:
        name = self.service.name
        if name not in live.routed:
            return
        before = live.upstreams.get(name, [])
        after = [container for container in before if container not in leave] + join
        if after == before or (keep_one and not after):
            return
        live.upstreams[name] = after
        yield live.write(f"traffic of {name} to {', '.join(after) or 'nobody'}", name)

    def _watch(self, new: list[tuple[int, str]]) -> Iterator[Operation]:
        if self.service.update.monitor:
            for _, name in new:
                yield Watch(
                    service=self.service.name,
                    cause="update_config.monitor",
                    container=name,
                    duration=self.service.update.monitor,
                )

    def _retire(self, old: list[ObservedContainer]) -> Iterator[Operation]:
        service = self.service
        undo = service.update.failure_action == "rollback"
        for container in old:
            yield Drain(
                service=service.name,
                cause="takes no new traffic",
                container=container.name,
                timeout=service.stop_grace_period,
            )
        for container in old:
            back: tuple[Operation, ...] = ()
            if undo and container.running:
                back = (
                    StartContainer(
                        service=service.name, cause="undo: back to what ran", container=container.name
                    ),
                    AwaitHealthy(
                        service=service.name,
                        cause="undo: back to what ran",
                        container=container.name,
                        timeout=gate_timeout(service),
                    ),
                )
            yield StopContainer(
                service=service.name,
                cause="replaced" if self.comparison.missing else "no longer wanted",
                container=container.name,
                timeout=service.stop_grace_period,
                undo=back,
            )

    def _create(self, number: int, name: str) -> Operation:
        return CreateContainer(
            service=self.service.name,
            cause=self.cause,
            specification=self.service,
            container=name,
            number=number,
            secrets_version=self.secrets_version,
            undo=(RemoveContainer(service=self.service.name, cause=f"undo: {self.cause}", container=name),),
        )

    def _start(self, name: str, cause: str) -> Operation:
        stop = StopContainer(
            service=self.service.name,
            cause=f"undo: {cause}",
            container=name,
            timeout=self.service.stop_grace_period,
        )
        return StartContainer(service=self.service.name, cause=cause, container=name, undo=(stop,))

    def _await(self, name: str) -> Operation:
        return AwaitHealthy(
            service=self.service.name, cause="gate", container=name, timeout=gate_timeout(self.service)
        )

    def _remove(self, name: str) -> Operation:
        return RemoveContainer(service=self.service.name, cause="no longer needed", container=name)
