"""Planner, executor and fake engine together: properties that hold for every stack.

A world is a fake engine plus what a proxy would see; stacks are generated, deployed, changed, made to fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploytool.actions.carry_out import CarryOut
from deploytool.actions.progress import Silent
from deploytool.engines.fake import FakeEngine
from deploytool.errors import BuildFailed, ChatbotError, GateFailed, Interrupted, RollbackFailed, StepFailed
from deploytool.plan import text
from deploytool.plan.model import Plan
from deploytool.plan.operations import (
    AwaitHealthy,
    BuildImage,
    CreateContainer,
    Operation,
    RemoveContainer,
    StartContainer,
    StopContainer,
    Watch,
    WriteRoutes,
    WriteSecrets,
)
from deploytool.plan.planner import plan, plan_down
from deploytool.stack.model import (
    Build,
    Healthcheck,
    Mount,
    Network,
    Port,
    Resources,
    Service,
    Stack,
    UpdateConfig,
    Volume,
)

SECOND = 1_000_000_000
NAMES = ("backend", "frontend", "model", "worker")
VOLUMES = ("data", "backend-secrets", "proxy-config")


class World:
    """A fake engine, its builder, and the traffic that a proxy would route at every step."""

    def __init__(self) -> None:
        self.engine = FakeEngine(registry=["pulled:1", "pulled:2", "proxy:1"])
        self.dropped: list[str] = []

    def build(self, operations: Sequence[BuildImage]) -> None:
        for operation in operations:
            self.engine.images[operation.image] = f"sha256:{operation.image}"

    def plan(self, stack: Stack, version: str = "v1") -> Plan:
        versions = {service.name: version for service in stack.services if service.secrets}
        return plan(stack, self.engine.observe(stack), secrets_versions=versions)

    def deploy(self, stack: Stack, version: str = "v1", release: int = 1) -> Plan:
        made = self.plan(stack, version)
        watch = Watching(self, stack)
        CarryOut(
            engine=self.engine,
            stack=stack,
            release=release,
            secrets={s.name: dict.fromkeys(s.secrets, version) for s in stack.services},
            build=self.build,
            listener=watch,
        ).run(made)
        return made

    def running(self) -> set[str]:
        return {
            name
            for name, c in self.engine.containers.items()
            if c.observed(self.engine.now, can_be_healthy=True).running
        }

    def routed(self, stack: Stack) -> dict[str, list[str]]:
        text = self.engine.observe(stack).routes
        services = yaml.safe_load(text)["http"]["services"] if text else {}
        return {
            name: [
                s["url"].removeprefix("http://").partition(":")[0] for s in entry["loadBalancer"]["servers"]
            ]
            for name, entry in services.items()
        }


class Watching(Silent):
    """After every step: where replicas start first, the proxy sends traffic to running containers alone."""

    def __init__(self, world: World, stack: Stack) -> None:
        self.world, self.stack = world, stack

    def step_done(self, operation: Operation, seconds: float) -> None:
        running = self.world.running()
        for service, names in self.world.routed(self.stack).items():
            wanted = self.stack.service(service)
            if wanted is None or wanted.update.order == "stop-first":
                continue  # asked for: never two at once, so there is a gap
            for name in names:
                # The name of the service itself is what was rendered: nothing of it runs yet.
                if name != service and name not in running:
                    self.world.dropped.append(f"{name} after {type(operation).__name__}")


@st.composite
def services(draw: st.DrawFn, name: str, earlier: Sequence[str]) -> Service:
    built = draw(st.booleans())
    tag = draw(st.sampled_from(["1", "2"]))
    return Service(
        name=name,
        image=f"{name}:{tag}" if built else f"pulled:{tag}",
        build=Build("context", "Dockerfile") if built else None,
        environment=draw(st.sampled_from([(), (("LEVEL", "a"),), (("LEVEL", "b"),)])),
        limits=Resources(cpus=SECOND, memory=draw(st.sampled_from([1 << 28, 1 << 29])), pids=100),
        healthcheck=draw(st.sampled_from([None, Healthcheck(("CMD", "x"), timeout=SECOND)])),
        replicas=draw(st.integers(0, 3)),
        networks=("net",),
        mounts=(Mount("volume", "data", "/data"),),
        depends_on=tuple(
            (other, draw(st.sampled_from(["service_started", "service_healthy"])))
            for other in draw(st.lists(st.sampled_from(earlier), unique=True) if earlier else st.just([]))
        ),
        update=UpdateConfig(
            parallelism=draw(st.integers(0, 2)),
            order=draw(st.sampled_from(["start-first", "stop-first"])),
            failure_action="rollback",
            monitor=draw(st.sampled_from([0, 5 * SECOND])),
            delay=draw(st.sampled_from([0, SECOND])),
        ),
        release_command=draw(st.sampled_from([(), ("sh", "-c", "true")])),
        secrets=("JWT_SECRET",) if name == "backend" else (),
        secrets_volume="backend-secrets" if name == "backend" else "",
    )


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)))
    made: list[Service] = []
    for index, name in enumerate(names):
        made.append(draw(services(name, names[:index])))
    proxy = Service(
        name="proxy",
        image="proxy:1",
        networks=("net",),
        ports=(Port(8000, 8000, "127.0.0.1"),),
        mounts=(Mount("volume", "proxy-config", "/etc/traefik/dynamic", read_only=True),),
        environment=draw(st.sampled_from([(), (("LEVEL", "b"),)])),
        update=UpdateConfig(failure_action="rollback"),
    )
    routes = {
        "http": {
            "services": {
                name: {"loadBalancer": {"servers": [{"url": f"http://{name}:80"}]}} for name in names
            }
        }
    }
    return Stack(
        project="p-local",
        environment="local",
        services=(*made, proxy),
        networks=(Network("net", "p-local_net"),),
        volumes=tuple(Volume(key, f"p-local_{key}") for key in VOLUMES),
        proxy_service="proxy",
        routes_path="/etc/traefik/dynamic/routes.yaml",
        routes=yaml.safe_dump(routes),
    )


many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def secrets_are(world: World, stack: Stack, version: str) -> bool:
    """True when every service that runs finds its secrets of that version."""
    volumes = {volume.key: volume.name for volume in stack.volumes}
    wanted = {"JWT_SECRET": version.encode()}
    return all(
        {name: entry.content for name, entry in world.engine.volumes[volumes[s.secrets_volume]].items()}
        == wanted
        for s in stack.services
        if s.secrets and s.replicas
    )


@many
@given(stacks(), stacks())
def test_after_a_deploy_nothing_is_left_to_do_and_no_traffic_was_lost(first: Stack, second: Stack):
    world = World()
    for number, stack in enumerate((first, second, first), 1):
        world.deploy(stack, release=number)
        assert world.plan(stack).empty
        wanted = sum(service.replicas for service in stack.services)
        assert len(world.running()) == wanted == len(world.engine.containers)
        assert secrets_are(world, stack, "v1")
    assert world.dropped == []


@many
@given(stacks(), stacks())
def test_what_is_carried_out_is_what_was_planned(first: Stack, second: Stack):
    world = World()
    world.deploy(first)
    world.engine.applied.clear()
    made = world.deploy(second, release=2)
    ours = (BuildImage, WriteSecrets, WriteRoutes)
    assert world.engine.applied == [o for o in made.operations if not isinstance(o, ours)]


@many
@given(stacks(), stacks(), st.data())
def test_a_failure_anywhere_leaves_what_ran_before(first: Stack, second: Stack, data: st.DataObject):
    world = World()
    world.deploy(first)
    before, routed = world.running(), world.routed(first)
    secrets = {name: dict(files) for name, files in world.engine.volumes.items() if "secrets" in name}
    made = world.plan(second, "v2")
    can_fail = [
        o for o in made.operations if isinstance(o, (CreateContainer, StartContainer, AwaitHealthy, Watch))
    ]
    if not can_fail:
        return
    failing = data.draw(st.sampled_from(can_fail))
    error = data.draw(st.sampled_from([StepFailed("it fails"), KeyboardInterrupt()]))
    world.engine.fail(type(failing), failing.container, error)
    with pytest.raises((GateFailed, Interrupted)) as caught:
        world.deploy(second, "v2", release=2)
    assert caught.value.exit_code == (130 if isinstance(error, KeyboardInterrupt) else 4)
    assert world.running() == before
    if routed:
        assert world.routed(first) == routed
    for name, files in secrets.items():
        assert world.engine.volumes[name] == files
    left = set(world.engine.containers) - before
    assert left <= {failing.container}
    world.deploy(second, "v2", release=3)
    assert list(text.step_lines(world.plan(second, "v2"))) == []
    assert secrets_are(world, second, "v2")
    assert world.dropped == []


@many
@given(stacks())
def test_down_takes_everything_and_keeps_data(stack: Stack):
    world = World()
    world.deploy(stack)
    for volumes in (False, True):
        made = plan_down(stack, world.engine.observe(stack), volumes=volumes)
        CarryOut(world.engine, stack, 0, {}, world.build, Silent()).run(made)
        assert world.engine.containers == {}
        assert world.engine.networks == {}
        assert bool(world.engine.volumes) == (not volumes)
    assert plan_down(stack, world.engine.observe(stack), volumes=True).empty


def small(**changes: object) -> Stack:
    backend = Service(
        name="backend",
        image="pulled:1",
        networks=("net",),
        update=UpdateConfig(order="start-first", failure_action="rollback"),
        secrets=("JWT_SECRET",),
        secrets_volume="backend-secrets",
        user="10001:10002",
    )
    backend = replace(backend, **changes)  # type: ignore[arg-type]
    return Stack(
        project="p-local",
        environment="local",
        services=(backend,),
        networks=(Network("net", "p-local_net"),),
        volumes=(Volume("backend-secrets", "p-local_backend-secrets", purpose="secrets"),),
    )


def test_secret_files_belong_to_the_services_user_and_nobody_else_reads_them():
    world = World()
    world.deploy(small())
    (entry,) = world.engine.volumes["p-local_backend-secrets"].values()
    assert (entry.path, entry.content, entry.mode) == ("JWT_SECRET", b"v1", 0o400)
    assert (entry.uid, entry.gid) == (10001, 10002)


def test_a_failed_undo_says_that_a_person_is_needed():
    world = World()
    world.deploy(small())
    world.engine.fail(AwaitHealthy, "p-local-backend-2", StepFailed("not well"))
    world.engine.fail(StopContainer, "p-local-backend-2", StepFailed("will not stop"))
    with pytest.raises(RollbackFailed) as caught:
        world.deploy(small(user="1"), release=2)
    assert caught.value.exit_code == 5
    assert "not well" in caught.value.message
    assert "stop p-local-backend-2" in caught.value.message
    assert "will not stop" in caught.value.details
    assert "p-local-backend-1" in world.running()


def test_a_failed_build_changes_nothing():
    world = World()
    world.deploy(small())
    before = dict(world.engine.containers)

    def broken(operations: Sequence[BuildImage]) -> None:
        raise BuildFailed("npm ci failed", details=["line"])

    stack = small(image="own:1", build=Build("c", "d"))
    made = world.plan(stack)
    with pytest.raises(BuildFailed) as caught:
        CarryOut(world.engine, stack, 2, {}, broken, Silent()).run(made)
    assert caught.value.exit_code == 4
    assert world.engine.containers == before


def test_a_container_of_somebody_else_is_never_removed_by_an_undo():
    world = World()
    stack = small()
    world.engine.fail(CreateContainer, "p-local-backend-1", StepFailed("the name is taken"))
    with pytest.raises(GateFailed):
        world.deploy(stack)
    assert not any(isinstance(o, RemoveContainer) for o in world.engine.applied)


def test_an_internal_error_is_not_dressed_up_as_a_gate():
    world = World()
    world.engine.fail(StartContainer, "p-local-backend-1", ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError):
        world.deploy(small())


def test_errors_keep_their_evidence():
    world = World()
    failure = StepFailed("it ended with code 1", details=["Traceback", "ValueError"], hint="look")
    world.engine.fail(StartContainer, "p-local-backend-1", failure)
    with pytest.raises(GateFailed) as caught:
        world.deploy(small())
    assert caught.value.details == ("Traceback", "ValueError")
    assert isinstance(caught.value.__cause__, ChatbotError)
