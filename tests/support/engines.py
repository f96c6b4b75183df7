"""A project of its own on an engine, for one test; everything of it is removed afterwards."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from support import tiny_image

from deploytool.engines.fake import FakeEngine
from deploytool.plan import operations as op
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.stack import labels
from deploytool.stack.model import Healthcheck, Mount, Network, Resources, Service, Stack, Volume

SECOND = 1_000_000_000
FOR_EVER = ("sleep", "1000000")


class World:
    """One engine, one project on it, and short words for what the tests do with both."""

    def __init__(self, engine: Any, image: str) -> None:
        self.engine = engine
        self.image = image
        self.project = f"contract{uuid.uuid4().hex[:10]}"
        self.stack = self.make_stack()
        self.said: list[str] = []

    @property
    def fake(self) -> bool:
        return isinstance(self.engine, FakeEngine)

    def make_stack(self, *services: Service, **changes: Any) -> Stack:
        """A stack with the network `default` and the volume `data`."""
        self.stack = Stack(
            project=self.project,
            environment="test",
            services=services,
            networks=(Network("default", f"{self.project}_default"),),
            volumes=(Volume("data", f"{self.project}_data"),),
        )
        self.stack = replace(self.stack, **changes)
        return self.stack

    def service(self, *command: str, name: str = "web", **changes: Any) -> Service:
        """A service of the tiny image with limits, an init process and a short grace period."""
        base = Service(
            name=name,
            image=self.image,
            command=command or FOR_EVER,
            init=True,
            networks=("default",),
            mounts=(Mount("volume", "data", "/data"),),
            limits=Resources(memory=64 * 2**20),
            stop_grace_period=2 * SECOND,
        )
        return replace(base, **changes)

    def checked(self, *test: str, **changes: Any) -> Service:
        """The same with a health check whose first interval is Docker's 30 seconds."""
        return self.service(healthcheck=Healthcheck(("CMD", *(test or ("true",)))), **changes)

    def apply(self, operation: op.Operation, *, release: int = 1) -> None:
        self.engine.apply(operation, self.stack, release=release, report=self.said.append)

    def prepare(self) -> None:
        """Networks and volumes."""
        for network in self.stack.networks:
            self.apply(op.CreateNetwork(network=network))
        for volume in self.stack.volumes:
            self.apply(op.CreateVolume(volume=volume))

    def name(self, service: Service, number: int = 1) -> str:
        return f"{self.project}-{service.name}-{number}"

    def create(self, service: Service, number: int = 1, *, release: int = 1, version: str = "") -> str:
        name = self.name(service, number)
        self.apply(
            op.CreateContainer(
                specification=service,
                container=name,
                number=number,
                secrets_version=version,
                service=service.name,
            ),
            release=release,
        )
        return name

    def start(self, service: Service, number: int = 1) -> str:
        """Create and start."""
        name = self.create(service, number)
        self.apply(op.StartContainer(container=name, service=service.name))
        return name

    def up(self, service: Service, number: int = 1, **changes: Any) -> ObservedContainer:
        """The stack of that one service, prepared, started; the container."""
        self.make_stack(service, **changes)
        self.prepare()
        return self.seen(self.start(service, number))

    def await_healthy(self, name: str, seconds: float = 10) -> None:
        self.apply(op.AwaitHealthy(container=name, timeout=int(seconds * SECOND)))

    def stop(self, name: str) -> None:
        self.apply(op.StopContainer(container=name, timeout=1 * SECOND))

    def observe(self) -> Observed:
        observed: Observed = self.engine.observe(self.stack)
        return observed

    def seen(self, name: str) -> ObservedContainer:
        """The container of that name, which must be there."""
        return next(c for c in self.observe().containers if c.name == name)

    def names(self) -> list[str]:
        return [c.name for c in self.observe().containers]

    def until(
        self, name: str, holds: Callable[[ObservedContainer], bool], seconds: float = 15
    ) -> ObservedContainer:
        """The container as soon as it is in the state that is asked for."""
        end = time.monotonic() + seconds
        while not holds(found := self.seen(name)):
            assert time.monotonic() < end, f"still {found}"
            if self.fake:
                self.engine.pass_time(0.2)
            else:
                time.sleep(0.05)
        return found

    def set_memory(self, name: str, memory: int) -> None:
        """What somebody may do behind our back with `docker update`."""
        if self.fake:
            self.engine.containers[name].limits = Resources(memory=memory)
        else:
            self.engine.client.call(
                "POST", f"/containers/{name}/update", body={"Memory": memory, "MemorySwap": 2 * memory}
            )

    def remove(self) -> None:
        """Everything that carries the project's label."""
        if not self.fake:
            remove_project(self.engine.client, self.project)


def remove_project(client: Any, project: str) -> None:
    """Containers, networks, volumes, state and lock of one project."""
    for label in (f"{labels.PROJECT}={project}", f"{labels.STATE_PROJECT}={project}"):
        mine = {"label": [label]}
        for container in client.get("/containers/json", all=True, filters=mine):
            client.call(
                "DELETE",
                f"/containers/{container['Id']}",
                parameters={"force": True, "v": True},
                expect=(404, 409),
            )
        for network in client.get("/networks", filters=mine):
            client.call("DELETE", f"/networks/{network['Id']}", expect=(404,))
        for volume in client.get("/volumes", filters=mine)["Volumes"] or []:
            client.call("DELETE", f"/volumes/{volume['Name']}", expect=(404,))


@contextmanager
def docker_world() -> Iterator[World]:
    """A project on the real engine; everything of it is gone afterwards."""
    from deploytool.engines.docker.engine import DockerEngine

    engine = DockerEngine()
    made = World(engine, tiny_image.ensure(engine.client))
    try:
        yield made
    finally:
        made.remove()
        engine.close()


def fake_world() -> World:
    return World(FakeEngine(images=[tiny_image.TAG]), tiny_image.TAG)
