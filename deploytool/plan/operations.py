"""The steps a plan is made of. Each says its cause; most say how they are undone.

An operation names things, never secret values: plans are printed, logged and stored.
`undo` holds the operations that take it back, in the order they are to be run.
Durations are nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deploytool.stack.model import Build, Network, Pairs, Service, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What all steps share. `subject` is what a person would call the thing that is changed."""

    service: str = ""
    cause: str = ""
    undo: tuple[Operation, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildImage(Operation):
    """Build an image of this project; several in a row are built at once."""

    image: str
    build: Build


@dataclass(frozen=True, slots=True, kw_only=True)
class PullImage(Operation):
    """Fetch an image from its registry."""

    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateNetwork(Operation):
    """Create a network; not undone: empty networks cost nothing and a failed container may need it."""

    network: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVolume(Operation):
    """Create a volume; never undone: a deploy deletes no data."""

    volume: Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSecrets(Operation):
    """Write a service's secret files into its secrets volume (mode 0400, owned by the service's user)."""

    volume: Volume
    names: tuple[str, ...]
    version: str
    restore: bool = False
    """True in an undo: put back what the volume held before this plan wrote to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRoutes(Operation):
    """Point the proxy at these containers: pairs of service and container name, all services at once."""

    upstreams: Pairs
    restore: bool = False
    """True in an undo: put back what the routes file held before this plan wrote to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRelease(Operation):
    """Run the service's release command (migrations) to its end in a container of its own."""

    specification: Service = field(repr=False)
    container: str
    secrets_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContainer(Operation):
    """Create (not start) one replica."""

    specification: Service = field(repr=False)
    container: str
    number: int
    secrets_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartContainer(Operation):
    """Start a created or stopped container."""

    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitHealthy(Operation):
    """Gate: wait until the container's own health command succeeds (or, without one, until it runs).

    The engine runs the command itself right after the start instead of waiting for the first interval.
    """

    container: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitCompleted(Operation):
    """Gate: wait until the container has ended with code 0 (service_completed_successfully)."""

    container: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain(Operation):
    """Give a container without new traffic time to finish what it serves, at most `timeout`."""

    container: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Operation):
    """Gate: for `duration` (update_config.monitor) a new replica must stay up and not turn unhealthy.

    It stands after the traffic was switched and before the old replica is stopped: the way back is short.
    """

    container: str
    duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Operation):
    """Wait `duration` between two batches (update_config.delay)."""

    duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLimits(Operation):
    """Put back limits that somebody changed on the running container; no restart."""

    container: str
    specification: Service = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopContainer(Operation):
    """Stop with the service's stop signal, kill after `timeout`."""

    container: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveContainer(Operation):
    """Remove a stopped container. Never undone, so it stands after everything that can fail."""

    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNetwork(Operation):
    """Remove a network that no container uses."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveVolume(Operation):
    """Remove a volume and its data: only by `down --volumes`, asked and confirmed."""

    name: str
