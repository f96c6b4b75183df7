"""Stack + Observed → Plan. Deploy, scale, restart and rollback differ only in the stack that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from deploytool.plan.compare import Comparison, compare
from deploytool.plan.model import Plan, ServiceChange, SettingChange
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import (
    AwaitCompleted,
    BuildImage,
    CreateNetwork,
    CreateVolume,
    Operation,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RunRelease,
    StopContainer,
    UpdateLimits,
    WriteSecrets,
)
from deploytool.plan.rollout import Live, Rollout, gate_timeout, in_order, replica_name, stop_first
from deploytool.stack import order, routes, words
from deploytool.stack.model import Service, Stack

COMPLETED = "service_completed_successfully"


def plan(
    stack: Stack,
    observed: Observed,
    *,
    secrets_versions: Mapping[str, str] | None = None,
    rebuild: frozenset[str] = frozenset(),
) -> Plan:
    """The steps from what runs to the stack.

    `secrets_versions` gives the version of each service's secrets as they should be; `rebuild` names images
    to be built although a tag of that name is there (its base image changed).
    """
    return _Planner(stack, observed, dict(secrets_versions or {}), rebuild).plan()


@dataclass(slots=True)
class _Planner:
    stack: Stack
    observed: Observed
    secrets_versions: dict[str, str]
    rebuild: frozenset[str]
    operations: list[Operation] = field(default_factory=list)
    gates: dict[str, list[Operation]] = field(default_factory=dict)
    removals: list[Operation] = field(default_factory=list)

    def plan(self) -> Plan:
        """Images, networks, volumes; secrets and services in order; routes; removals."""
        self.operations += self._images()
        if self.rebuild:
            known = tuple((ref, image) for ref, image in self.observed.images if ref not in self.rebuild)
            self.observed = replace(self.observed, images=known)
        self.operations += self._networks_and_volumes()
        live = self._live()
        changes = []
        needed = self._needed_healthy()
        for wave in order.waves(self.stack.services):
            for service in wave:
                changes.append(self._service(service, live, needed))
        for name in list(self.gates):
            self.operations += self.gates.pop(name)
        changes += self._unwanted(live)
        routes_change = self._routes(live)
        if routes_change:
            changes = [
                replace(c, action="routes", how="configuration only, no restart")
                if c.service == self.stack.proxy_service and c.action == "none"
                else c
                for c in changes
            ]
        return Plan(
            project=self.stack.project,
            services=tuple(sorted(changes, key=lambda c: c.service)),
            operations=(*self.operations, *self.removals),
        )

    def _images(self) -> Iterator[Operation]:
        seen = set()
        for service in self.stack.services:
            present = self.observed.image_id(service.image) and service.image not in self.rebuild
            if present or service.image in seen:
                continue
            seen.add(service.image)
            if service.build:
                yield BuildImage(
                    service=service.name,
                    cause="its base image changed" if service.image in self.rebuild else "not built yet",
                    image=service.image,
                    build=service.build,
                )
            else:
                yield PullImage(service=service.name, cause="not on the engine", image=service.image)

    def _networks_and_volumes(self) -> Iterator[Operation]:
        used = {key for service in self.stack.services for key in service.networks}
        for network in self.stack.networks:
            if network.key in used and network.name not in self.observed.networks:
                yield CreateNetwork(cause="does not exist", network=network)
        for volume in self.stack.volumes:
            if not volume.external and volume.name not in self.observed.volumes:
                yield CreateVolume(cause="does not exist", volume=volume)

    def _live(self) -> Live:
        if not self.stack.routes:
            return Live(routed=frozenset())
        routed = frozenset(routes.routed_services(self.stack.routes)) & {s.name for s in self.stack.services}
        running = {
            name: [c.name for c in self.observed.of_service(name) if c.running and c.health != "unhealthy"]
            for name in routed
        }
        return Live(
            routed=routed, upstreams={name: in_order(found) for name, found in running.items() if found}
        )

    def _needed_healthy(self) -> dict[str, str]:
        """Services that another one waits for, and the condition."""
        return {
            name: condition
            for service in self.stack.services
            for name, condition in service.depends_on
            if condition != "service_started"
        }

    def _service(self, service: Service, live: Live, needed: Mapping[str, str]) -> ServiceChange:
        version = self.secrets_versions.get(service.name, "")
        present = self.observed.of_service(service.name)
        comparison = compare(service, self.stack, self.observed, version)
        if comparison.missing or comparison.start:
            for name, condition in service.depends_on:
                if condition != "service_started":
                    self.operations += self.gates.pop(name, [])
        change = _describe(service, comparison, present)
        cause = _cause(change)
        begins = comparison.missing or comparison.start
        if begins and service.secrets_volume and _secrets_differ(present, version):
            self.operations.append(self._write_secrets(service, version, cause))
        if comparison.missing and service.release_command and change.action in ("create", "replace"):
            self.operations.append(
                RunRelease(
                    service=service.name,
                    cause="before the first replica",
                    specification=service,
                    container=f"{self.stack.project}-{service.name}-release",
                    secrets_version=version,
                )
            )
        begin, later, remove = Rollout(self.stack, service, comparison, present, version, cause).steps(live)
        if needed.get(service.name) == COMPLETED:
            later = [
                AwaitCompleted(
                    service=service.name, cause="gate", container=name, timeout=gate_timeout(service)
                )
                for name in (replica_name(self.stack, service, 1),)
                if later
            ]
        self.operations += begin
        for container in comparison.relimit:
            self.operations.append(
                UpdateLimits(
                    service=service.name,
                    cause="limits changed by hand",
                    container=container.name,
                    specification=service,
                )
            )
        if later:
            self.gates[service.name] = later
        self.removals += remove
        return change

    def _write_secrets(self, service: Service, version: str, cause: str) -> Operation:
        volume = self.stack.volume(service.secrets_volume)
        assert volume is not None, "parse_stack checks that secrets volumes are declared"  # noqa: S101
        first = WriteSecrets(
            service=service.name, cause=cause, volume=volume, names=service.secrets, version=version
        )
        return replace(first, undo=(replace(first, cause=f"undo: {cause}", restore=True),))

    def _unwanted(self, live: Live) -> Iterator[ServiceChange]:
        """Services that run and are no longer part of the stack, and one-off containers left behind."""
        wanted = {service.name for service in self.stack.services}
        gone: dict[str, list[ObservedContainer]] = {}
        for container in self.observed.containers:
            if container.one_off and not container.running:
                self.removals.append(
                    RemoveContainer(
                        service=container.service, cause="left by a release step", container=container.name
                    )
                )
            elif container.service not in wanted:
                gone.setdefault(container.service, []).append(container)
        for name, containers in sorted(gone.items()):
            live.upstreams.pop(name, None)
            self.removals += _take_down(containers, "not part of the stack any more")
            running = sum(container.running for container in containers)
            yield ServiceChange(service=name, action="remove", replicas_before=running, replicas_after=0)

    def _routes(self, live: Live) -> bool:
        """A last write when the file would not say what it should; True when only the file changes."""
        if not self.stack.routes:
            return False
        before = any(type(operation).__name__ == "WriteRoutes" for operation in self.operations)
        wanted = routes.expand(self.stack.routes, live.upstreams)
        if before and self._last_write_equals(live):
            return False
        if not before and routes.same(wanted, self.observed.routes):
            return False
        cause = "routes changed" if self.observed.routes else "first routes"
        self.operations.append(live.write(cause, self.stack.proxy_service))
        return not before

    def _last_write_equals(self, live: Live) -> bool:
        writes = [operation for operation in self.operations if type(operation).__name__ == "WriteRoutes"]
        return getattr(writes[-1], "upstreams", None) == routes.pairs(live.upstreams)


def plan_down(stack: Stack, observed: Observed, *, volumes: bool) -> Plan:
    """Take everything away: containers in reverse order of dependency, networks, and (if asked) volumes."""
    position = {s.name: index for index, wave in enumerate(order.waves(stack.services)) for s in wave}
    containers = sorted(
        observed.containers, key=lambda c: (-position.get(c.service, len(position)), c.service, c.number)
    )
    grace = {service.name: service.stop_grace_period for service in stack.services}
    operations: list[Operation] = list(_take_down(containers, "down", grace))
    operations += [RemoveNetwork(cause="down", name=name) for name in observed.networks]
    if volumes:
        external = {volume.name for volume in stack.volumes if volume.external}
        operations += [
            RemoveVolume(cause="down --volumes", name=name)
            for name in observed.volumes
            if name not in external
        ]
    counts: dict[str, int] = {}
    for container in containers:
        counts[container.service] = counts.get(container.service, 0) + container.running
    return Plan(
        project=stack.project,
        services=tuple(
            ServiceChange(service=name, action="remove", replicas_before=count, replicas_after=0)
            for name, count in sorted(counts.items())
        ),
        operations=tuple(operations),
    )


def _take_down(
    containers: list[ObservedContainer], cause: str, grace: Mapping[str, int] | None = None
) -> Iterator[Operation]:
    for container in containers:
        if container.state not in ("exited", "created", "dead"):
            yield StopContainer(
                service=container.service,
                cause=cause,
                container=container.name,
                timeout=(grace or {}).get(container.service, 10_000_000_000),
            )
    for container in containers:
        yield RemoveContainer(service=container.service, cause=cause, container=container.name)


def _describe(
    service: Service, comparison: Comparison, present: tuple[ObservedContainer, ...]
) -> ServiceChange:
    running = sum(container.running for container in present)
    how = ""
    changes = comparison.changes
    if comparison.retire and comparison.missing:
        action = "replace"
        how = _how(service)
    elif comparison.missing and comparison.changes:
        action = "replace"
    elif comparison.missing and not comparison.keep and not comparison.start:
        action = "create"
        changes = ()
    elif comparison.missing or (comparison.retire and not comparison.missing):
        action = "scale"
        changes = (SettingChange("replicas", str(running), str(service.replicas)),)
    elif comparison.start:
        action = "start"
    elif comparison.relimit:
        action = "update"
    elif comparison.clear:
        action, changes = "clear", ()
        how = f"{len(comparison.clear)} stopped container(s) of an older or failed release go"
    else:
        action, changes = "none", ()
    return ServiceChange(
        service=service.name,
        action=action,
        replicas_before=running,
        replicas_after=service.replicas,
        changes=changes,
        drift=comparison.drift,
        how=how,
    )


def _secrets_differ(present: tuple[ObservedContainer, ...], version: str) -> bool:
    """True unless something runs on these very secrets.

    Stopped containers say nothing about the volume: an undo may have put back what stood there before them.
    """
    running = [container.secrets_version for container in present if container.running]
    return not running or any(found != version for found in running)


def _how(service: Service) -> str:
    if stop_first(service):
        return f"stop first, {words.nanoseconds(service.stop_grace_period)} at most to stop"
    batch = service.update.parallelism or service.replicas
    drain = f"drain ≤ {words.nanoseconds(service.stop_grace_period)}"
    return f"rolling, start first, {batch} at a time, {drain}"


def _cause(change: ServiceChange) -> str:
    if change.changes:
        first = change.changes[0]
        more = f" and {len(change.changes) - 1} more" if len(change.changes) > 1 else ""
        return f"{first.setting} {first.before} → {first.after}{more}"
    if change.drift:
        return change.drift[0]
    return {"create": "does not run yet", "start": "is stopped"}.get(change.action, "")
