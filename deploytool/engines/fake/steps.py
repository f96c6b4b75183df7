"""The fake engine's operations."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from deploytool.engines.fake import programs
from deploytool.engines.fake.container import Container
from deploytool.engines.fake.gates import Gates
from deploytool.engines.fake.programs import ReadFile
from deploytool.engines.protocol import FileEntry
from deploytool.errors import EngineRefused, ImageMissing, PortTaken, StepFailed
from deploytool.plan import operations as op
from deploytool.stack import labels
from deploytool.stack.model import Service, Stack

_NANO = 1_000_000_000


class Steps(Gates):
    """The part of the fake engine that carries out operations."""

    images: dict[str, str]
    registry: dict[str, str]
    networks: dict[str, str]
    volumes: dict[str, dict[str, FileEntry]]
    volume_projects: dict[str, str]
    ports_held: dict[int, str]
    serial: int

    def carry_out(
        self, step: op.Operation, stack: Stack, release: int, report: Callable[[str], None]
    ) -> None:
        """One operation; the same errors as a real engine."""
        match step:
            case op.PullImage():
                if step.image not in self.registry:
                    raise ImageMissing(f"cannot pull {step.image}")
                self.images[step.image] = self.registry[step.image]
            case op.CreateNetwork():
                owner = self.networks.setdefault(step.network.name, stack.project)
                self._must_own(owner, stack, f"network {step.network.name}")
            case op.CreateVolume():
                self._create_volume(step, stack)
            case op.RemoveNetwork():
                self._remove_network(step.name)
            case op.RemoveVolume():
                self._remove_volume(step.name)
            case op.CreateContainer():
                self._create(step, stack, release)
            case op.RunRelease():
                self._run_release(step, stack, release)
            case op.StartContainer():
                self._start(step.container)
            case op.StopContainer():
                if step.container in self.containers:
                    self.containers[step.container].stop(self.now)
            case op.RemoveContainer():
                self._remove(step.container)
            case op.UpdateLimits():
                self._existing(step.container).limits = step.specification.limits
            case op.AwaitHealthy():
                self._await_healthy(step.container, step.timeout / _NANO)
                report("healthy")
            case op.AwaitCompleted():
                self._await_completed(step.container, step.timeout / _NANO)
            case op.Watch():
                self._watch(step.container, step.duration / _NANO)
            case op.Drain():
                self.pass_time(min(1.0, step.timeout / _NANO))
            case op.Pause():
                self.pass_time(step.duration / _NANO)
            case _:
                raise EngineRefused(f"{type(step).__name__} is not an operation of the engine")

    def _create_volume(self, step: op.CreateVolume, stack: Stack) -> None:
        name = step.volume.name
        if step.volume.external and name not in self.volumes:
            raise StepFailed(f"volume {name} is external and does not exist")
        self.volumes.setdefault(name, {})
        if not step.volume.external:
            owner = self.volume_projects.setdefault(name, stack.project)
            self._must_own(owner, stack, f"volume {name}")

    def _must_own(self, owner: str, stack: Stack, what: str) -> None:
        if owner not in ("", stack.project):
            raise StepFailed(f"{what} belongs to the project {owner}")

    def _remove_network(self, name: str) -> None:
        users = sorted(
            c.name for c in self.containers.values() if name in c.networks and c.state == "running"
        )
        if users:
            raise StepFailed(f"network {name} is in use by {', '.join(users)}")
        self.networks.pop(name, None)

    def _remove_volume(self, name: str) -> None:
        users = sorted(c.name for c in self.containers.values() if name in c.volumes)
        if users:
            raise StepFailed(f"volume {name} is in use by {', '.join(users)}")
        self.volumes.pop(name, None)
        self.volume_projects.pop(name, None)

    def _create(self, step: op.CreateContainer, stack: Stack, release: int) -> None:
        made = self._make(
            step.specification, stack, step.container, step.number, release, step.secrets_version
        )
        present = self.containers.get(step.container)
        if present is not None:
            if self._same(present, made) and present.state != "exited":
                return
            self._clear(present, stack)
        self.containers[made.name] = made

    def _same(self, present: Container, made: Container) -> bool:
        kept = (labels.SERVICE, labels.ONE_OFF, labels.FINGERPRINT, labels.SECRETS_VERSION)
        return present.image_id == made.image_id and all(
            present.marks.get(label) == made.marks.get(label) for label in kept
        )

    def _clear(self, present: Container, stack: Stack) -> None:
        if present.marks.get(labels.PROJECT) != stack.project:
            raise StepFailed(
                f"the name {present.name} is taken by a container that is not part of this project"
            )
        if present.state not in ("created", "exited"):
            raise StepFailed(f"the name {present.name} is taken by a container of this project that runs")
        del self.containers[present.name]

    def _make(
        self,
        service: Service,
        stack: Stack,
        name: str,
        number: int,
        release: int,
        version: str,
        *,
        one_off: bool = False,
    ) -> Container:
        if service.image not in self.images:
            raise ImageMissing(f"image {service.image} is not on the engine")
        volumes = {m.target: self._volume_name(stack, m.source) for m in service.mounts if m.kind == "volume"}
        networks = {n.key: n.name for n in stack.networks}
        attached = tuple(networks.get(key, f"{stack.project}_{key}") for key in service.networks)
        for what, names, known in (
            ("volume", volumes.values(), self.volumes),
            ("network", attached, self.networks),
        ):
            for needed in names:
                if needed not in known:
                    raise StepFailed(f"cannot create {name}: {what} {needed} does not exist")
        self.serial += 1
        marks = labels.container_labels(
            stack, service, number=number, release=release, secrets_version=version, one_off=one_off
        )
        return Container(
            id=f"{self.serial:064x}",
            name=name,
            service=service,
            image_id=self.images[service.image],
            marks=marks,
            networks=attached,
            volumes=tuple(volumes.values()),
            created_at=self.now,
            limits=service.limits,
            read_file=file_reader(self.volumes, volumes),
            command=(*(service.entrypoint or ()), *(service.command or ())) or ("sleep", "1000000"),
        )

    def _volume_name(self, stack: Stack, key: str) -> str:
        volume = stack.volume(key)
        return volume.name if volume else key

    def _run_release(self, step: op.RunRelease, stack: Stack, release: int) -> None:
        present = self.containers.get(step.container)
        if present is not None:
            self._clear(present, stack)
        container = self._make(
            step.specification, stack, step.container, 1, release, step.secrets_version, one_off=True
        ).as_release_step()
        self.containers[container.name] = container
        container.start(self.now)
        if container.ends_at is None:
            raise StepFailed(f"{container.name} would never end")
        self.pass_time(container.ends_at - self.now)
        if container.exit_code:
            raise StepFailed(
                f"{container.name} ended with exit code {container.exit_code}", details=self._said(container)
            )
        del self.containers[container.name]

    def _start(self, name: str) -> None:
        container = self._existing(name)
        if container.state == "running":
            return
        for port in container.service.ports:
            if not port.published:
                continue
            by = self.ports_held.get(port.published, "")
            for other in self.containers.values():
                if other.state == "running" and any(
                    p.published == port.published for p in other.service.ports
                ):
                    by = f"container {other.name}"
            if by:
                raise PortTaken(f"port {port.host_ip or '0.0.0.0'}:{port.published} is held by {by}")  # noqa: S104
        if container.state == "paused":
            container.state = "running"
            return
        if programs.run(container.command, container.read_file).code == 127:
            raise StepFailed(f"{name} could not be started", details=("no such program",))
        container.restarts = 0
        container.start(self.now)

    def _remove(self, name: str) -> None:
        container = self.containers.get(name)
        if container is None:
            return
        container.settle(self.now)
        if container.state in ("running", "paused"):
            raise StepFailed(f"{name} still runs, so it is not removed")
        del self.containers[name]


def file_reader(volumes: Mapping[str, Mapping[str, FileEntry]], mounts: Mapping[str, str]) -> ReadFile:
    """Reads files by their path in a container, through its mounts (target → volume name)."""

    def read(path: str) -> bytes | None:
        clean = posixpath.normpath(path)
        for target, volume in mounts.items():
            if posixpath.commonpath([target, clean]) == posixpath.normpath(target):
                entry = volumes.get(volume, {}).get(posixpath.relpath(clean, target))
                return entry.content if entry else None
        return None

    return read
