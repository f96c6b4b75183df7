"""The fake engine: implements every protocol, on a clock of its own that only moves when something waits."""

# ruff: noqa: ARG002 - the signatures are the protocol's
from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploytool.engines.fake import programs
from deploytool.engines.fake.container import Container, stamp
from deploytool.engines.fake.steps import Steps
from deploytool.engines.protocol import EngineDescription, FileEntry, LockHolder, LogLine, Report, Usage
from deploytool.errors import Locked, StepFailed, WriteRefused
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import Operation
from deploytool.stack import labels, routes
from deploytool.stack.model import Stack, Volume


@dataclass(slots=True)
class _Failure:
    what: type[Operation] | str
    subject: str
    error: BaseException
    times: int


class FakeEngine(Steps):
    """An engine in memory. Public attributes are for tests to look at and to tamper with.

    `images` are those the engine has (reference → id), `registry` those it could pull. `applied` lists the
    operations that were asked for, in order, failed ones included; `calls` counts every other call.
    """

    kind = "fake"

    def __init__(
        self,
        *,
        images: Mapping[str, str] | Sequence[str] = (),
        registry: Sequence[str] = (),
        read_only: bool = False,
    ) -> None:
        named = images if isinstance(images, Mapping) else {name: f"sha256:{name}" for name in images}
        self.read_only = read_only
        self.now = 1_800_000_000.0
        self.images: dict[str, str] = dict(named)
        self.registry: dict[str, str] = {name: f"sha256:{name}" for name in registry}
        self.containers: dict[str, Container] = {}
        self.networks: dict[str, str] = {}
        """Full name → project."""
        self.volumes: dict[str, dict[str, FileEntry]] = {}
        self.volume_projects: dict[str, str] = {}
        self.states: dict[str, dict[str, bytes]] = {}
        self.locks: dict[str, LockHolder] = {}
        self.ports_held: dict[int, str] = {}
        """Host ports held by somebody outside → by whom."""
        self.never_healthy: set[str] = set()
        """Services or containers whose health check never succeeds."""
        self.healthy_after: dict[str, float] = {}
        """Seconds that a service or container takes to become healthy."""
        self.cannot: tuple[str, ...] = ()
        """What `unsupported` answers."""
        self.applied: list[Operation] = []
        self.calls: Counter[str] = Counter()
        self.serial = 0
        self._failures: list[_Failure] = []

    # --- for tests -----------------------------------------------------------------------------------------

    def fail(
        self,
        what: type[Operation] | str,
        subject: str = "",
        error: BaseException | None = None,
        *,
        times: int = 1,
    ) -> None:
        """Let an operation (by type) or call (by name) fail; `subject` is a container, service, image,
        network or volume name, "" means any."""
        name = what if isinstance(what, str) else what.__name__
        self._failures.append(
            _Failure(what, subject, error or StepFailed(f"injected: {name} {subject}".rstrip()), times)
        )

    def pass_time(self, seconds: float) -> None:
        """Move the clock on, with all that happens meanwhile."""
        self.now += seconds
        for container in self.containers.values():
            container.settle(self.now)

    # --- Engine --------------------------------------------------------------------------------------------

    def describe(self) -> EngineDescription:
        """Made-up facts."""
        self._called("describe")
        return EngineDescription(
            kind="fake", version="0", api_version="0", address="memory", cpus=2, memory=8 * 2**30
        )

    def observe(self, stack: Stack) -> Observed:
        """What of the project runs."""
        self._called("observe")
        self.pass_time(0)
        mine = [c for c in self.containers.values() if c.marks.get(labels.PROJECT) == stack.project]
        named = {volume.name for volume in stack.volumes} | {network.name for network in stack.networks}
        return Observed(
            containers=tuple(sorted((self.seen(c) for c in mine), key=lambda c: c.name)),
            networks=tuple(
                sorted(n for n, project in self.networks.items() if project == stack.project or n in named)
            ),
            volumes=tuple(
                sorted(n for n in self.volumes if self.volume_projects.get(n) == stack.project or n in named)
            ),
            images=tuple(sorted(self.images.items())),
            routes=self._routes(stack, mine),
        )

    def unsupported(self, stack: Stack) -> tuple[str, ...]:
        """What the test says."""
        self._called("unsupported")
        return self.cannot

    def apply(
        self, operation: Operation, stack: Stack, *, release: int, report: Report | None = None
    ) -> None:
        """Carry out one operation."""
        self._must_write(type(operation).__name__)
        self.applied.append(operation)
        subjects = {
            operation.service,
            getattr(operation, "container", ""),
            getattr(operation, "image", ""),
            getattr(operation, "name", ""),
            getattr(getattr(operation, "network", None), "name", ""),
            getattr(getattr(operation, "volume", None), "name", ""),
        }
        self._maybe_fail(type(operation), subjects)
        self.carry_out(operation, stack, release, report or (lambda _: None))

    # --- the further powers --------------------------------------------------------------------------------

    def logs(
        self,
        containers: Sequence[ObservedContainer],
        *,
        follow: bool = False,
        since: float | None = None,
        tail: int | None = None,
    ) -> Iterator[LogLine]:
        """Lines so far; with follow it ends there, since nothing happens here by itself."""
        self._called("logs")
        found = []
        for container in containers:
            lines = [line for line in self._of(container).lines if line.timestamp <= stamp(self.now)]
            lines = [line for line in lines if since is None or line.timestamp >= stamp(since)]
            found += lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        yield from sorted(found, key=lambda line: line.timestamp)

    def execute(self, container: ObservedContainer, command: Sequence[str]) -> tuple[int, bytes]:
        """Run a command of the tiny shell."""
        self._must_write("execute")
        present = self._of(container)
        if present.state != "running":
            raise StepFailed(f"container {container.name} does not run")
        done = programs.run(command, present.read_file)
        return done.code, done.text()

    def execute_interactively(
        self, container: ObservedContainer, command: Sequence[str], *, tty: bool
    ) -> int:
        """Run a command; its output goes nowhere."""
        return self.execute(container, command)[0]

    def measure(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, Usage]:
        """Made-up figures for what runs."""
        self._called("measure")
        known = {c.id: c for c in self.containers.values()}
        return {
            c.id: Usage(0.1, 50 * 2**20, known[c.id].limits.memory or 8 * 2**30, 1000, 2000, 0, 0, 3)
            if c.id in known and known[c.id].state == "running"
            else Usage()
            for c in containers
        }

    def probe(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, str]:
        """Health by running the check of those that are starting."""
        self._called("probe")
        found = {}
        for container in containers:
            if container.health:
                present = self._of(container)
                starting = container.health == "starting" and not self.read_only
                found[container.id] = "healthy" if starting and self.is_healthy(present) else container.health
        return found

    def volume_sizes(self, names: Sequence[str], *, deadline: float) -> Mapping[str, int | None]:
        """Sum of the files' sizes."""
        self._called("volume_sizes")
        return {
            name: sum(len(f.content) for f in self.volumes[name].values()) if name in self.volumes else None
            for name in names
        }

    def image_sizes(self, references: Sequence[str]) -> Mapping[str, int | None]:
        """100 MB each."""
        self._called("image_sizes")
        return {name: 100_000_000 if name in self.images else None for name in references}

    def read_volume(self, volume: Volume) -> tuple[FileEntry, ...] | None:
        """All files."""
        self._called("read_volume", volume.name)
        held = self.volumes.get(volume.name)
        return None if held is None else tuple(held[path] for path in sorted(held))

    def write_volume(
        self, volume: Volume, files: Sequence[FileEntry], *, delete_others: bool = False
    ) -> None:
        """Write files."""
        self._must_write("write_volume", volume.name)
        if volume.name not in self.volumes:
            raise StepFailed(f"volume {volume.name} does not exist")
        if delete_others:
            self.volumes[volume.name].clear()
        self.volumes[volume.name].update({file.path: file for file in files})

    def read_state(self, project: str) -> Mapping[str, bytes]:
        """Files by path."""
        self._called("read_state", project)
        return dict(self.states.get(project, {}))

    def write_state(self, project: str, files: Mapping[str, bytes]) -> None:
        """Add or replace."""
        self._must_write("write_state", project)
        self.states.setdefault(project, {}).update(files)

    def remove_state(self, project: str) -> None:
        """Forget."""
        self._must_write("remove_state", project)
        self.states.pop(project, None)

    def lock(self, project: str, holder: LockHolder) -> None:
        """Take the lock."""
        self._must_write("lock", project)
        if project in self.locks:
            present = self.locks[project]
            raise Locked(f"{project} is locked by {present.who} ({present.purpose})")
        self.locks[project] = holder

    def unlock(self, project: str) -> None:
        """Release it."""
        self._must_write("unlock", project)
        self.locks.pop(project, None)

    def lock_holder(self, project: str) -> LockHolder | None:
        """Who holds it."""
        self._called("lock_holder", project)
        return self.locks.get(project)

    def close(self) -> None:
        """Nothing to close."""

    # --- within --------------------------------------------------------------------------------------------

    def _called(self, name: str, subject: str = "") -> None:
        self.calls[name] += 1
        self._maybe_fail(name, {subject})

    def _must_write(self, name: str, subject: str = "") -> None:
        if self.read_only:
            raise WriteRefused(f"a dry run tried to change something: {name}")
        self._called(name, subject)

    def _maybe_fail(self, what: type[Operation] | str, subjects: set[str]) -> None:
        for failure in self._failures:
            if failure.what == what and (not failure.subject or failure.subject in subjects):
                failure.times -= 1
                if failure.times <= 0:
                    self._failures.remove(failure)
                raise failure.error

    def _of(self, container: ObservedContainer) -> Container:
        found = next((c for c in self.containers.values() if c.id == container.id), None)
        if found is None:
            raise StepFailed(f"there is no container {container.name}")
        return found

    def _routes(self, stack: Stack, mine: list[Container]) -> str | None:
        folder = posixpath.dirname(stack.routes_path)
        for container in mine:
            if stack.routes_path and container.service.name == stack.proxy_service:
                for mount in container.service.mounts:
                    volume = stack.volume(mount.source)
                    if volume and posixpath.normpath(mount.target) == folder:
                        files = self.volumes.get(volume.name, {})
                        return routes.current({name: entry.content for name, entry in files.items()})
        return None
