"""What an engine says about a project."""

from __future__ import annotations

from dataclasses import replace

from support.engines import FOR_EVER, World

from deploytool.engines.protocol import EngineDescription, FileEntry
from deploytool.plan import operations as op
from deploytool.stack.fingerprint import configuration, fingerprint
from deploytool.stack.model import Mount, Resources


def test_an_empty_project(world: World) -> None:
    observed = world.observe()
    assert observed.containers == ()
    assert observed.networks == ()
    assert observed.volumes == ()
    assert observed.routes is None
    assert observed.image_id(world.image), "images belong to the engine, not to a project"


def test_a_container_says_where_it_comes_from(world: World) -> None:
    service = world.checked("true", limits=Resources(cpus=500_000_000, memory=64 * 2**20, pids=40))
    world.make_stack(service)
    world.prepare()
    name = world.create(service, number=2, release=7, version="v1")
    seen = world.seen(name)
    assert (seen.service, seen.number, seen.release, seen.secrets_version) == ("web", 2, 7, "v1")
    assert seen.fingerprint == fingerprint(service)
    assert seen.configuration == configuration(service)
    assert seen.image == world.image
    assert seen.image_id == world.observe().image_id(world.image)
    assert seen.limits == service.limits
    assert seen.networks == (f"{world.project}_default",)
    assert not seen.one_off
    assert seen.created_at > 0
    assert seen.started_at == 0


def test_health_is_the_engines_own_until_somebody_asks(world: World) -> None:
    seen = world.up(world.checked("true"))
    assert seen.health == "starting", "the first interval has not passed"
    assert world.engine.probe([seen], deadline=5) == {seen.id: "healthy"}
    assert world.up(world.service(name="plain")).health == ""


def test_containers_of_services_that_are_no_longer_wanted_are_seen(world: World) -> None:
    service = world.service()
    name = world.up(service).name
    world.make_stack()
    assert world.names() == [name]


def test_other_projects_are_not_seen(world: World) -> None:
    world.up(world.service())
    other = replace(world.stack, project="another-project", networks=(), volumes=())
    observed = world.engine.observe(other)
    assert observed.containers == ()
    assert observed.networks == ()
    assert observed.volumes == ()


def test_exit_codes_and_restarts(world: World) -> None:
    name = world.up(world.service("sh", "-c", "exit 3")).name
    ended = world.until(name, lambda c: c.state == "exited")
    assert (ended.exit_code, ended.oom_killed, ended.restarts) == (3, False, 0)
    loop = world.service("sh", "-c", "exit 3", name="loop", restart="on-failure:2")
    world.make_stack(loop)
    name = world.start(loop)
    assert world.until(name, lambda c: c.restarts > 0).restarts > 0


def test_routes_come_from_the_proxys_volume(world: World) -> None:
    proxy = world.service(
        *FOR_EVER, name="proxy", mounts=(Mount("volume", "data", "/etc/routes", read_only=True),)
    )
    world.make_stack(proxy, proxy_service="proxy", routes_path="/etc/routes/routes.yaml")
    world.prepare()
    world.create(proxy)
    assert world.observe().routes is None
    world.engine.write_volume(world.stack.volumes[0], [FileEntry("routes.yaml", b"http: {}\n")])
    assert world.observe().routes == "http: {}\n"
    world.apply(op.StartContainer(container=world.name(proxy)))
    world.engine.write_volume(world.stack.volumes[0], [FileEntry("routes.yaml", b"http: {a: 1}\n")])
    assert world.observe().routes == "http: {a: 1}\n"


def test_the_engine_describes_itself(world: World) -> None:
    described = world.engine.describe()
    assert isinstance(described, EngineDescription)
    assert described.kind == world.engine.kind
    assert described.cpus >= 1
    assert described.memory > 0


def test_an_ordinary_stack_is_supported(world: World) -> None:
    stack = world.make_stack(world.checked("true"))
    assert world.engine.unsupported(stack) == ()
