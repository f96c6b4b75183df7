"""`chatbot status`: what runs, what it uses, and whether it is still what was deployed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from deploytool.actions.powers import require
from deploytool.actions.prepare import Prepared
from deploytool.engines.protocol import Engine, EngineDescription, KeepsState, Measures, Usage
from deploytool.plan.model import ServiceChange
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.planner import plan
from deploytool.releases.history import Release, bundle_of, releases
from deploytool.stack.model import Stack
from deploytool.stack.parse import parse_stack

DEADLINE = 2.0
"""Seconds after which a figure is left out rather than waited for."""


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """One replica. health: healthy | unhealthy | starting | none; times are epoch seconds."""

    name: str
    number: int
    state: str
    health: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: float
    finished_at: float
    release: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service. Limits in canonical units (nano-CPUs, bytes), per replica; 0: unlimited."""

    service: str
    wanted: int
    running: int
    healthy: int
    release: int
    image: str
    cpu_limit: int
    memory_limit: int
    containers: tuple[ContainerStatus, ...]


@dataclass(frozen=True, slots=True)
class VolumeStatus:
    """One volume; size in bytes, None when it could not be measured in time."""

    name: str
    purpose: str
    size: int | None


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """One image; size in bytes."""

    service: str
    reference: str
    size: int | None
    present: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `status` shows."""

    project: str
    environment: str
    engine: EngineDescription
    release: Release | None
    services: tuple[ServiceStatus, ...]
    volumes: tuple[VolumeStatus, ...]
    images: tuple[ImageStatus, ...]
    drift: tuple[ServiceChange, ...]
    """What a deploy of the recorded release would change: what runs is not what was deployed."""
    pending: bool | None
    """True when the settings ask for something else than the recorded release; None: nothing to compare."""
    leftovers: tuple[ContainerStatus, ...]
    """Stopped containers of failed or older releases."""
    stand_ins: tuple[str, ...]
    urls: Mapping[str, str]

    @property
    def healthy(self) -> bool:
        """True when every wanted replica is healthy (or running, where there is no health check)."""
        return bool(self.services) and all(service.healthy >= service.wanted for service in self.services)


def status(prepared: Prepared, engine: Engine, *, deadline: float = DEADLINE) -> Status:
    """Observe, and measure everything at once; no figure waits for another one longer than `deadline`."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        describing = pool.submit(engine.describe)
        reading = pool.submit(require(engine, KeepsState, "keep releases").read_state, prepared.stack.project)
        observed = engine.observe(prepared.stack)
        measures = require(engine, Measures, "measure")
        running = [container for container in observed.containers if container.running]
        usage = pool.submit(measures.measure, running, deadline=deadline)
        probing = pool.submit(
            measures.probe, [c for c in running if c.health == "starting"], deadline=deadline
        )
        sizes = pool.submit(measures.volume_sizes, observed.volumes, deadline=deadline)
        references = [service.image for service in prepared.stack.services]
        images = pool.submit(measures.image_sizes, references)
        state = reading.result()
        history = releases(state)
        recorded = _recorded(state, history)
        description = describing.result()
        stand_ins = pool.submit(_stand_ins, prepared, engine)
        measured = usage.result()
        health = probing.result()
        return Status(
            project=prepared.stack.project,
            environment=prepared.facts.environment,
            engine=description,
            release=history[-1] if history else None,
            services=_services(prepared.stack, observed, measured, health),
            volumes=_volumes(prepared.stack, observed, sizes),
            images=_images(prepared.stack, observed, images.result()),
            drift=_drift(recorded, observed, history),
            pending=recorded != prepared.stack if recorded else None,
            leftovers=tuple(
                _container(c, measured, health)
                for c in observed.containers
                if c.state in ("exited", "created", "dead") and not c.one_off
            ),
            stand_ins=stand_ins.result(),
            urls=prepared.facts.public_urls,
        )


def _recorded(state: Mapping[str, bytes], history: tuple[Release, ...]) -> Stack | None:
    files = bundle_of(state, history[-1].number) if history else {}
    return parse_stack(files) if files else None


def _drift(
    recorded: Stack | None, observed: Observed, history: tuple[Release, ...]
) -> tuple[ServiceChange, ...]:
    if recorded is None:
        return ()
    made = plan(recorded, observed, secrets_versions=history[-1].secrets)
    return tuple(change for change in made.services if change.action not in ("none", "clear"))


def _services(
    stack: Stack, observed: Observed, measured: Mapping[str, Usage], health: Mapping[str, str]
) -> tuple[ServiceStatus, ...]:
    found = []
    for service in stack.services:
        containers = tuple(
            _container(c, measured, health)
            for c in observed.of_service(service.name)
            if c.state not in ("created",)
        )
        up = [c for c in containers if c.state == "running"]
        found.append(
            ServiceStatus(
                service=service.name,
                wanted=service.replicas,
                running=len(up),
                healthy=sum(c.health in ("healthy", "none") for c in up),
                release=max((c.release for c in up), default=0),
                image=service.image,
                cpu_limit=service.limits.cpus,
                memory_limit=service.limits.memory,
                containers=containers,
            )
        )
    return tuple(found)


def _container(
    container: ObservedContainer, measured: Mapping[str, Usage], health: Mapping[str, str]
) -> ContainerStatus:
    return ContainerStatus(
        name=container.name,
        number=container.number,
        state=container.state,
        health=health.get(container.id, container.health or "none"),
        exit_code=container.exit_code,
        oom_killed=container.oom_killed,
        restarts=container.restarts,
        started_at=container.started_at,
        finished_at=container.finished_at,
        release=container.release,
        usage=measured.get(container.id, Usage()),
    )


def _volumes(
    stack: Stack, observed: Observed, sizes: Future[Mapping[str, int | None]]
) -> tuple[VolumeStatus, ...]:
    purposes = {volume.name: volume.purpose for volume in stack.volumes}
    known = sizes.result()
    return tuple(
        VolumeStatus(name=name, purpose=purposes.get(name, "data"), size=known.get(name))
        for name in observed.volumes
    )


def _images(stack: Stack, observed: Observed, sizes: Mapping[str, int | None]) -> tuple[ImageStatus, ...]:
    return tuple(
        ImageStatus(
            service=service.name,
            reference=service.image,
            size=sizes.get(service.image),
            present=bool(observed.image_id(service.image)),
        )
        for service in stack.services
    )


def _stand_ins(prepared: Prepared, engine: Engine) -> tuple[str, ...]:
    from deploytool.actions.build import stand_ins

    return stand_ins(prepared, engine)
