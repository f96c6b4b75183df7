"""The Docker Engine as this tool sees it: every power of the protocol, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploytool.engines.docker import (
    execute,
    interactive,
    lifecycle,
    logs,
    measure,
    observe,
    state,
    support,
)
from deploytool.engines.docker import (
    files as volume_files,
)
from deploytool.engines.docker.address import Address
from deploytool.engines.docker.client import TIMEOUT, Client
from deploytool.engines.docker.follow import follow_logs
from deploytool.engines.protocol import EngineDescription, FileEntry, LockHolder, LogLine, Report, Usage
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import Operation
from deploytool.stack.model import Stack, Volume


class DockerEngine:
    """Implements every protocol of engines.protocol; see there. Safe for use by many threads."""

    kind = "docker"

    def __init__(
        self, address: str | Address = "", *, read_only: bool = False, timeout: float = TIMEOUT
    ) -> None:
        found = Address(address, source="the given address") if isinstance(address, str) and address else None
        self.client = Client(
            address if isinstance(address, Address) else found, read_only=read_only, timeout=timeout
        )

    @property
    def read_only(self) -> bool:
        """True for a dry run: whatever would change something raises WriteRefused."""
        return self.client.read_only

    def describe(self) -> EngineDescription:
        """Who answers."""
        return support.describe(self.client)

    def observe(self, stack: Stack) -> Observed:
        """What of the project runs."""
        return observe.observe(self.client, stack)

    def unsupported(self, stack: Stack) -> tuple[str, ...]:
        """What this engine cannot honour."""
        return support.unsupported(self.client, stack)

    def apply(
        self, operation: Operation, stack: Stack, *, release: int, report: Report | None = None
    ) -> None:
        """Carry out one operation."""
        context = lifecycle.Context(self.client, stack, release, report or _silent)
        lifecycle.apply(context, operation)

    def logs(
        self,
        containers: Sequence[ObservedContainer],
        *,
        follow: bool = False,
        since: float | None = None,
        tail: int | None = None,
    ) -> Iterator[LogLine]:
        """The containers' lines, by time."""
        if follow:
            return follow_logs(self.client, containers, since=since, tail=tail)
        return logs.read_logs(self.client, containers, since=since, tail=tail)

    def execute(self, container: ObservedContainer, command: Sequence[str]) -> tuple[int, bytes]:
        """Run a command to its end."""
        return execute.run(self.client, container.id, command, name=container.name)

    def execute_interactively(
        self, container: ObservedContainer, command: Sequence[str], *, tty: bool
    ) -> int:
        """Run a command on this process's own terminal."""
        return interactive.execute_interactively(
            self.client, container.id, command, tty=tty, name=container.name
        )

    def measure(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, Usage]:
        """What containers use now."""
        return measure.measure(self.client, containers, deadline=deadline)

    def probe(self, containers: Sequence[ObservedContainer], *, deadline: float) -> Mapping[str, str]:
        """Health now."""
        return measure.probe_all(self.client, containers, deadline=deadline)

    def volume_sizes(self, names: Sequence[str], *, deadline: float) -> Mapping[str, int | None]:
        """Bytes on disk."""
        return measure.volume_sizes(self.client, names, deadline=deadline)

    def image_sizes(self, references: Sequence[str]) -> Mapping[str, int | None]:
        """Bytes of images."""
        return measure.image_sizes(self.client, references)

    def image_client(self) -> Any:
        """The Docker SDK's low-level client, for the room `images`."""
        return self.client.session

    def image_labels(self, references: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Labels of the images that are there."""
        return observe.image_labels(self.client, references)

    def read_volume(self, volume: Volume) -> tuple[FileEntry, ...] | None:
        """All files of a small volume."""
        return volume_files.read_volume(self.client, volume.name)

    def write_volume(
        self, volume: Volume, files: Sequence[FileEntry], *, delete_others: bool = False
    ) -> None:
        """Write files into a volume."""
        volume_files.write_volume(self.client, volume.name, files, delete_others=delete_others)

    def read_state(self, project: str) -> Mapping[str, bytes]:
        """This tool's own files."""
        return state.read_state(self.client, project)

    def write_state(self, project: str, files: Mapping[str, bytes]) -> None:
        """Add or replace such files."""
        state.write_state(self.client, project, files)

    def remove_state(self, project: str) -> None:
        """Forget them."""
        state.remove_state(self.client, project)

    def lock(self, project: str, holder: LockHolder) -> None:
        """Take the project's lock."""
        state.lock(self.client, project, holder)

    def unlock(self, project: str) -> None:
        """Release it."""
        state.unlock(self.client, project)

    def lock_holder(self, project: str) -> LockHolder | None:
        """Who holds it."""
        return state.lock_holder(self.client, project)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _silent(_words: str) -> None:
    """Nobody listens."""
