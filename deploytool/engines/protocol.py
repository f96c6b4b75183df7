"""What an engine must be able to do, and what it may be able to do.

`Engine` is required and small. Every further power is a protocol of its own; callers ask with
`isinstance(engine, Power)` and say NotSupported when it is missing. tests/contract holds the one suite
that every engine passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import Operation
from deploytool.stack.model import Stack, Volume


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """Who answers: for headers, doctor and error messages."""

    kind: str
    version: str
    api_version: str
    address: str
    operating_system: str = ""
    architecture: str = ""
    cpus: int = 0
    memory: int = 0
    storage_driver: str = ""
    cgroup_version: str = ""
    root_directory: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one container uses now. CPU in CPUs (1.0 = one core), memory and traffic in bytes.

    None means: the engine could not say (in time).
    """

    cpus: float | None = None
    memory: int | None = None
    memory_limit: int | None = None
    network_received: int | None = None
    network_sent: int | None = None
    disk_read: int | None = None
    disk_written: int | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's output; timestamp is RFC 3339 with nanoseconds; stream: stdout|stderr."""

    service: str
    container: str
    timestamp: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file to be written into or read from a volume. mode in octal as in 0o400; uid/gid numeric."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock: user@host, what for, since when (epoch seconds)."""

    who: str
    purpose: str
    since: float


Report = Callable[[str], None]
"""Called with short words while an operation goes on ("healthy 1.1 s"); may be ignored."""


class Engine(Protocol):
    """The required part."""

    kind: str

    def describe(self) -> EngineDescription:
        """Who answers. Raises EngineUnreachable, EnginePermissionDenied or EngineTooOld."""

    def observe(self, stack: Stack) -> Observed:
        """What of this stack's project runs now (containers of other services of the project included)."""

    def unsupported(self, stack: Stack) -> tuple[str, ...]:
        """Sentences on what this engine cannot honour; empty when it can run the stack."""

    def apply(
        self, operation: Operation, stack: Stack, *, release: int, report: Report | None = None
    ) -> None:
        """Carry out one container, network, volume or image-pull operation of a plan for `stack`.

        Doing one twice is no error (create: exists already with the same fingerprint; remove: gone already).
        Raises StepFailed (NotHealthy, PortTaken, …), ImageMissing, DiskFull. `release` goes into the labels.
        BuildImage, WriteSecrets and WriteRoutes are not engine operations: the executor turns them into
        builds and `write_volume` calls.
        """


@runtime_checkable
class StreamsLogs(Protocol):
    """The engine keeps the containers' output."""

    def logs(
        self,
        containers: Sequence[ObservedContainer],
        *,
        follow: bool = False,
        since: float | None = None,
        tail: int | None = None,
    ) -> Iterator[LogLine]:
        """The lines of several containers, interleaved by time; `tail` counts per container.

        With follow, until the caller stops; containers of the same services join when they start. When
        none of them runs there is nothing to follow: it ends after the lines so far.
        """


@runtime_checkable
class RunsCommands(Protocol):
    """Commands can be run inside a container."""

    def execute(self, container: ObservedContainer, command: Sequence[str]) -> tuple[int, bytes]:
        """Run to the end; exit code and combined output."""

    def execute_interactively(
        self, container: ObservedContainer, command: Sequence[str], *, tty: bool
    ) -> int:
        """Connect this process's own stdin, stdout and stderr; the exit code."""


@runtime_checkable
class Measures(Protocol):
    """The engine knows what containers use."""

    def measure(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, Usage]:
        """Usage by container id, fetched concurrently; what is not there after `deadline` seconds is None."""

    def probe(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, str]:
        """Health by container id (healthy | unhealthy | starting), by running the health command of those
        whose first interval has not passed yet."""

    def volume_sizes(self, names: Sequence[str], *, deadline: float) -> Mapping[str, int | None]:
        """Bytes used by each volume; None when not known in time."""

    def image_sizes(self, references: Sequence[str]) -> Mapping[str, int | None]:
        """Bytes of each image."""


@runtime_checkable
class BuildsImages(Protocol):
    """Images can be built and looked at."""

    def image_client(self) -> Any:
        """The Docker SDK's low-level client (docker.APIClient), for the room `images`; None for the fake."""

    def image_labels(self, references: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The labels of each image that is there, by reference."""


@runtime_checkable
class HoldsFiles(Protocol):
    """Volumes and containers can be read and written from here, also on a remote engine."""

    def read_volume(self, volume: Volume) -> tuple[FileEntry, ...] | None:
        """All files of a (small) volume; None when the volume does not exist."""

    def write_volume(
        self, volume: Volume, files: Sequence[FileEntry], *, delete_others: bool = False
    ) -> None:
        """Write files into a volume; with `delete_others`, nothing else stays in it."""


@runtime_checkable
class KeepsState(Protocol):
    """The engine stores this tool's own files (release history) beside the stack, and holds a lock."""

    def read_state(self, project: str) -> Mapping[str, bytes]:
        """Files by path; empty when nothing was stored."""

    def write_state(self, project: str, files: Mapping[str, bytes]) -> None:
        """Add or replace files."""

    def remove_state(self, project: str) -> None:
        """Forget everything, for `down --volumes`."""

    def lock(self, project: str, holder: LockHolder) -> None:
        """Take the project's lock; raises Locked naming the present holder. Atomic."""

    def unlock(self, project: str) -> None:
        """Release it; no error when it is not held."""

    def lock_holder(self, project: str) -> LockHolder | None:
        """Who holds it now."""
