"""What runs, as an engine reports it. Units as in stack.model; times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from deploytool.stack.model import Pairs, Resources


@dataclass(frozen=True, slots=True)
class ObservedContainer:
    """One container of the project."""

    id: str
    name: str
    service: str
    number: int
    image: str
    """The reference it was created from."""
    image_id: str
    state: str
    """created | running | paused | restarting | exited | dead"""
    health: str = ""
    """"" (no health check) | starting | healthy | unhealthy"""
    one_off: bool = False
    exit_code: int = 0
    oom_killed: bool = False
    restarts: int = 0
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    fingerprint: str = ""
    """Label io.chatbot.fingerprint; "" when something else created the container."""
    configuration: str = ""
    """Label io.chatbot.configuration: canonical JSON of the service it was created from."""
    release: int = 0
    secrets_version: str = ""
    limits: Resources = field(default_factory=Resources)
    """What is in force now, which `docker update` may have changed."""
    networks: tuple[str, ...] = ()
    """Full names of the networks it is attached to."""
    ports: tuple[tuple[str, int, int, str], ...] = ()
    """Published ports: host address, host port, container port, protocol."""

    @property
    def running(self) -> bool:
        """True when the process is there, healthy or not."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Observed:
    """All that an engine knows of one project."""

    containers: tuple[ObservedContainer, ...] = ()
    networks: tuple[str, ...] = ()
    """Full names."""
    volumes: tuple[str, ...] = ()
    """Full names."""
    images: Pairs = ()
    """Pairs of reference and image id, for every tag of the engine."""
    routes: str | None = None
    """The routes file as it stands in the proxy; None when there is none yet."""

    def image_id(self, reference: str) -> str:
        """The id of a tagged image, "" when the engine does not have it."""
        return dict(self.images).get(reference, "")

    def of_service(self, service: str) -> tuple[ObservedContainer, ...]:
        """The service's replicas (one-off containers left out), by number."""
        found = [c for c in self.containers if c.service == service and not c.one_off]
        return tuple(sorted(found, key=lambda c: (c.number, c.name)))
