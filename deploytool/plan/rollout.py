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

    def send(self, service: str, containers: Sequence[str]) -> None:
        """Traffic of a service goes to these containers from the next write on."""
        self.upstreams[service] = in_order(containers)

    def write(self, cause: str, service: str) -> WriteRoutes:
        """The step that makes the proxy follow."""
        restore = WriteRoutes(service=service, cause=f"undo: {cause}", upstreams=(), restore=True)
        return WriteRoutes(
            service=service, cause=cause, upstreams=routes.pairs(self.upstreams), undo=(restore,)
        )


def in_order(containers: Sequence[str]) -> list[str]:
    """By replica number, so that the same containers always give the same routes."""
    return sorted(containers, key=lambda name: (len(name), name))


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
class _Arrival:
    """A replica to come: a new one with a number, or (0) a stopped one that is right and need only start."""

    name: str
    number: int


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
        stopped = [_Arrival(container.name, 0) for container in self.comparison.start]
        numbers = free_numbers(self.present)
        created = [
            _Arrival(replica_name(self.stack, self.service, number), number)
            for number, _ in zip(numbers, range(self.comparison.missing), strict=False)
        ]
        arrivals = stopped + created
        retire = list(self.comparison.retire)
        begin: list[Operation] = []
        later: list[Operation] = []
        if retire:
            begin += self._roll(arrivals, retire, live)
        else:
            begin += self._bring_up(arrivals)
            later += [self._await(arrival.name) for arrival in arrivals]
            if self.service.name in live.routed:
                kept = [container.name for container in self.comparison.keep]
                live.send(self.service.name, kept + [arrival.name for arrival in arrivals])
        remove = [self._remove(container.name) for container in (*retire, *self.comparison.clear)]
        return begin, later, remove

    def _roll(
        self, arrivals: list[_Arrival], retire: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        """Batch by batch; the last batch takes with it whatever old replicas are left."""
        size = self.service.update.parallelism or max(len(arrivals), len(retire), 1)
        batches = max(-(-len(arrivals) // size), 1)
        for index in range(batches):
            new = arrivals[index * size : (index + 1) * size]
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
        self, new: list[_Arrival], old: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        yield from self._bring_up(new)
        yield from (self._await(arrival.name) for arrival in new)
        yield from self._switch(live, join=[arrival.name for arrival in new], leave=[c.name for c in old])
        yield from self._watch(new)
        yield from self._retire(old)

    def _stop_first(
        self, new: list[_Arrival], old: list[ObservedContainer], live: Live
    ) -> Iterator[Operation]:
        yield from self._switch(live, join=[], leave=[c.name for c in old], keep_one=bool(new))
        yield from self._retire(old)
        yield from self._bring_up(new)
        yield from (self._await(arrival.name) for arrival in new)
        yield from self._switch(live, join=[arrival.name for arrival in new], leave=[c.name for c in old])
        yield from self._watch(new)

    def _bring_up(self, new: list[_Arrival]) -> Iterator[Operation]:
        """All are created before the first is started: a name or volume in the way shows early."""
        yield from (self._create(arrival.number, arrival.name) for arrival in new if arrival.number)
        yield from (self._start(arrival.name, self.cause if arrival.number else "stopped") for arrival in new)

    def _switch(
        self, live: Live, *, join: list[str], leave: list[str], keep_one: bool = False
    ) -> Iterator[Operation]:
        name = self.service.name
        if name not in live.routed:
            return
        before = live.upstreams.get(name, [])
        after = in_order([container for container in before if container not in leave] + join)
        if after == before or (keep_one and not after):
            return
        live.send(name, after)
        yield live.write(f"traffic of {name} to {', '.join(after) or 'nobody'}", name)

    def _watch(self, new: list[_Arrival]) -> Iterator[Operation]:
        if self.service.update.monitor:
            for arrival in new:
                yield Watch(
                    service=self.service.name,
                    cause="update_config.monitor",
                    container=arrival.name,
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
