"""Plans compared as text, on stacks and observations made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploytool.plan import text
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.plan.operations import AwaitHealthy, RemoveContainer, StartContainer, StopContainer
from deploytool.plan.planner import plan, plan_down
from deploytool.stack import routes
from deploytool.stack.fingerprint import configuration, fingerprint
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
MIB = 1 << 20
ROUTES = """\
http:
  routers:
    backend: {rule: "PathPrefix(`/`)", service: backend, entryPoints: [backend]}
  services:
    backend: {loadBalancer: {servers: [{url: "http://backend:8000"}]}}
"""


def backend(**changes: object) -> Service:
    service = Service(
        name="backend",
        image="chatbot/backend:aaa",
        environment=(("OPENAI_MODEL", "small"),),
        healthcheck=Healthcheck(test=("CMD", "true"), timeout=SECOND),
        limits=Resources(cpus=SECOND, memory=512 * MIB, pids=100),
        networks=("app-network",),
        mounts=(Mount("volume", "backend-data", "/data"),),
        update=UpdateConfig(order="start-first", failure_action="rollback", monitor=5 * SECOND),
        stop_grace_period=30 * SECOND,
        build=Build(context="service/backend", dockerfile="backend.Dockerfile"),
        secrets=("JWT_SECRET",),
        secrets_volume="backend-secrets",
    )
    return replace(service, **changes)  # type: ignore[arg-type]


def proxy(**changes: object) -> Service:
    service = Service(
        name="proxy",
        image="traefik:1",
        networks=("app-network",),
        ports=(Port(8000, 8000, "127.0.0.1"),),
        mounts=(Mount("volume", "proxy-config", "/etc/traefik/dynamic", read_only=True),),
    )
    return replace(service, **changes)  # type: ignore[arg-type]


def stack(*services: Service) -> Stack:
    return Stack(
        project="chatbot-local",
        environment="local",
        services=services or (backend(), proxy()),
        networks=(Network("app-network", "chatbot-local_app-network"),),
        volumes=tuple(
            Volume(key, f"chatbot-local_{key}") for key in ("backend-data", "backend-secrets", "proxy-config")
        ),
        proxy_service="proxy",
        routes_path="/etc/traefik/dynamic/routes.yaml",
        routes=ROUTES,
    )


def running(wanted: Stack, **changes: dict[str, object]) -> Observed:
    """Everything of the stack as it should be; `backend_1={"state": "exited"}` changes one container."""
    images = {service.image: f"sha256:{service.image}" for service in wanted.services}
    containers = []
    for service in wanted.services:
        for number in range(1, service.replicas + 1):
            container = ObservedContainer(
                id=f"id-{service.name}-{number}",
                name=f"chatbot-local-{service.name}-{number}",
                service=service.name,
                number=number,
                image=service.image,
                image_id=images[service.image],
                state="running",
                health="healthy" if service.healthcheck else "",
                fingerprint=fingerprint(service),
                configuration=configuration(service),
                release=1,
                secrets_version="v1" if service.secrets else "",
                limits=service.limits,
                networks=("chatbot-local_app-network",),
            )
            containers.append(replace(container, **changes.get(f"{service.name}_{number}", {})))  # type: ignore[arg-type]
    upstreams = {"backend": [c.name for c in containers if c.service == "backend"]}
    return Observed(
        containers=tuple(containers),
        networks=("chatbot-local_app-network",),
        volumes=tuple(volume.name for volume in wanted.volumes),
        images=tuple(sorted(images.items())),
        routes=routes.expand(ROUTES, upstreams),
    )


VERSIONS = {"backend": "v1"}


def lines(wanted: Stack, observed: Observed, versions: dict[str, str] | None = None) -> list[str]:
    made = plan(wanted, observed, secrets_versions=VERSIONS if versions is None else versions)
    return [line.strip().split("  ", 1)[1] for line in text.step_lines(made)]


def test_nothing_to_do_is_an_empty_plan():
    wanted = stack()
    made = plan(wanted, running(wanted), secrets_versions=VERSIONS)
    assert made.empty
    assert list(text.overview(made)) == [
        "  = backend  unchanged (1 replica)",
        "  = proxy    unchanged (1 replica)",
        "Nothing to do: what runs is what is wanted.",
    ]


def test_first_deploy():
    assert lines(stack(), Observed()) == [
        "build chatbot/backend:aaa  (not built yet)",
        "pull traefik:1  (not on the engine)",
        "create network chatbot-local_app-network  (does not exist)",
        "create volume chatbot-local_backend-data  (does not exist)",
        "create volume chatbot-local_backend-secrets  (does not exist)",
        "create volume chatbot-local_proxy-config  (does not exist)",
        "write secrets of backend: JWT_SECRET  (does not run yet)",
        "create chatbot-local-backend-1  (does not run yet)",
        "start chatbot-local-backend-1  (does not run yet)",
        "create chatbot-local-proxy-1  (does not run yet)",
        "start chatbot-local-proxy-1  (does not run yet)",
        "wait until chatbot-local-backend-1 is healthy, ≤ 33 s  (gate)",
        "wait until chatbot-local-proxy-1 is healthy, ≤ 30 s  (gate)",
        "write routes: backend → chatbot-local-backend-1  (first routes)",
    ]


def test_a_dependency_is_healthy_before_its_dependent_is_started():
    wanted = stack(backend(), proxy(depends_on=(("backend", "service_healthy"),)))
    found = lines(wanted, Observed())
    gate = next(i for i, line in enumerate(found) if "backend-1 is healthy" in line)
    assert gate < found.index("create chatbot-local-proxy-1  (does not run yet)")


def test_a_changed_limit_is_rolled_out_start_first_and_says_why():
    before = stack()
    after = stack(backend(limits=Resources(cpus=SECOND, memory=1024 * MIB, pids=100)), proxy())
    made = plan(after, running(before), secrets_versions=VERSIONS)
    assert list(text.overview(made)) == [
        "  ~ backend  rolling, start first, 1 at a time, drain ≤ 30 s",
        "      limits.memory  512 MiB → 1 GiB",
        "  = proxy    unchanged (1 replica)",
        "0 to create, 1 to change, 0 to repair, 0 to remove.",
    ]
    why = "limits.memory 512 MiB → 1 GiB"
    assert lines(after, running(before)) == [
        f"create chatbot-local-backend-2  ({why})",
        f"start chatbot-local-backend-2  ({why})",
        "wait until chatbot-local-backend-2 is healthy, ≤ 33 s  (gate)",
        "write routes: backend → chatbot-local-backend-2  (traffic of backend to chatbot-local-backend-2)",
        "watch chatbot-local-backend-2 for 5 s  (update_config.monitor)",
        "drain chatbot-local-backend-1, ≤ 30 s  (takes no new traffic)",
        "stop chatbot-local-backend-1, ≤ 30 s  (replaced)",
        "remove chatbot-local-backend-1  (no longer needed)",
    ]


def test_nothing_is_removed_before_the_last_gate():
    before = stack(backend(replicas=3), proxy())
    after = stack(backend(replicas=3, environment=(("OPENAI_MODEL", "large"),)), proxy())
    operations = plan(after, running(before), secrets_versions=VERSIONS).operations
    last_gate = max(i for i, o in enumerate(operations) if isinstance(o, AwaitHealthy))
    first_removal = min(i for i, o in enumerate(operations) if isinstance(o, RemoveContainer))
    assert first_removal > last_gate


def test_every_stop_of_an_old_replica_is_undone_by_a_start_and_a_gate():
    before, after = stack(), stack(backend(user="1000"), proxy())
    stops = [
        o
        for o in plan(after, running(before), secrets_versions=VERSIONS).operations
        if isinstance(o, StopContainer)
    ]
    assert [[type(entry) for entry in stop.undo] for stop in stops] == [[StartContainer, AwaitHealthy]]


def test_rolling_takes_replicas_in_batches():
    before = stack(backend(replicas=3), proxy())
    update = UpdateConfig(order="start-first", failure_action="rollback", parallelism=2, delay=3 * SECOND)
    after = stack(backend(replicas=3, user="1000", update=update), proxy())
    what = [line.split("  (")[0] for line in lines(after, running(before))]
    assert what == [
        "create chatbot-local-backend-4",
        "create chatbot-local-backend-5",
        "start chatbot-local-backend-4",
        "start chatbot-local-backend-5",
        "wait until chatbot-local-backend-4 is healthy, ≤ 33 s",
        "wait until chatbot-local-backend-5 is healthy, ≤ 33 s",
        "write routes: backend → chatbot-local-backend-3 chatbot-local-backend-4 chatbot-local-backend-5",
        "drain chatbot-local-backend-1, ≤ 30 s",
        "drain chatbot-local-backend-2, ≤ 30 s",
        "stop chatbot-local-backend-1, ≤ 30 s",
        "stop chatbot-local-backend-2, ≤ 30 s",
        "wait 3 s",
        "create chatbot-local-backend-6",
        "start chatbot-local-backend-6",
        "wait until chatbot-local-backend-6 is healthy, ≤ 33 s",
        "write routes: backend → chatbot-local-backend-4 chatbot-local-backend-5 chatbot-local-backend-6",
        "drain chatbot-local-backend-3, ≤ 30 s",
        "stop chatbot-local-backend-3, ≤ 30 s",
        "remove chatbot-local-backend-1",
        "remove chatbot-local-backend-2",
        "remove chatbot-local-backend-3",
    ]


def test_a_held_host_port_forces_stop_first():
    before, after = stack(), stack(backend(), proxy(user="1000"))
    what = [line.split("  (")[0] for line in lines(after, running(before))]
    assert what == [
        "drain chatbot-local-proxy-1, ≤ 10 s",
        "stop chatbot-local-proxy-1, ≤ 10 s",
        "create chatbot-local-proxy-2",
        "start chatbot-local-proxy-2",
        "wait until chatbot-local-proxy-2 is healthy, ≤ 30 s",
        "remove chatbot-local-proxy-1",
    ]


def test_scaling_up_and_down_touches_only_the_difference():
    one, three = stack(), stack(backend(replicas=3), proxy())
    assert [line.split("  (")[0] for line in lines(three, running(one))] == [
        "create chatbot-local-backend-2",
        "create chatbot-local-backend-3",
        "start chatbot-local-backend-2",
        "start chatbot-local-backend-3",
        "wait until chatbot-local-backend-2 is healthy, ≤ 33 s",
        "wait until chatbot-local-backend-3 is healthy, ≤ 33 s",
        "write routes: backend → chatbot-local-backend-1 chatbot-local-backend-2 chatbot-local-backend-3",
    ]
    assert [line.split("  (")[0] for line in lines(one, running(three))] == [
        "write routes: backend → chatbot-local-backend-1",
        "drain chatbot-local-backend-2, ≤ 30 s",
        "drain chatbot-local-backend-3, ≤ 30 s",
        "stop chatbot-local-backend-2, ≤ 30 s",
        "stop chatbot-local-backend-3, ≤ 30 s",
        "remove chatbot-local-backend-2",
        "remove chatbot-local-backend-3",
    ]


def test_a_container_stopped_by_hand_is_started_again():
    wanted = stack()
    observed = running(wanted, backend_1={"state": "exited", "exit_code": 137})
    assert lines(wanted, observed) == [
        "write secrets of backend: JWT_SECRET  (backend 1 is stopped (exit code 137))",
        "start chatbot-local-backend-1  (stopped)",
        "wait until chatbot-local-backend-1 is healthy, ≤ 33 s  (gate)",
    ]
    made = plan(wanted, observed, secrets_versions=VERSIONS)
    assert "  ! backend 1 is stopped (exit code 137)" in list(text.overview(made))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"health": "unhealthy"}, "backend 1 is unhealthy"),
        ({"state": "restarting"}, "backend 1 restarts again and again"),
        ({"state": "paused"}, "backend 1 is paused"),
        ({"networks": ()}, "backend 1 was taken off the network chatbot-local_app-network"),
    ],
)
def test_a_faulty_container_is_replaced(fault: dict[str, object], words: str):
    wanted = stack()
    made = plan(wanted, running(wanted, backend_1=fault), secrets_versions=VERSIONS)
    change = next(change for change in made.services if change.service == "backend")
    assert change.action == "replace"
    assert change.drift == (words,)
    assert any(
        isinstance(o, RemoveContainer) and o.container == "chatbot-local-backend-1" for o in made.operations
    )


def test_limits_changed_by_hand_are_put_back_without_a_restart():
    wanted = stack()
    observed = running(wanted, backend_1={"limits": Resources(cpus=SECOND, memory=256 * MIB, pids=100)})
    assert lines(wanted, observed) == ["set the limits of chatbot-local-backend-1  (limits changed by hand)"]


def test_changed_secrets_are_written_and_their_service_replaced():
    wanted = stack()
    found = lines(wanted, running(wanted), {"backend": "v2"})
    assert found[0] == "write secrets of backend: JWT_SECRET  (secrets as deployed → changed)"
    assert "create chatbot-local-backend-2  (secrets as deployed → changed)" in found


def test_a_new_image_under_the_same_settings_is_rolled_out():
    wanted = stack(backend(image="chatbot/backend:bbb"), proxy())
    observed = running(stack())
    found = lines(wanted, observed)
    assert found[0] == "build chatbot/backend:bbb  (not built yet)"
    assert "create chatbot-local-backend-2  (image chatbot/backend:aaa → chatbot/backend:bbb)" in found


def test_a_rebuilt_base_replaces_containers_of_the_same_tag():
    wanted = stack()
    made = plan(
        wanted, running(wanted), secrets_versions=VERSIONS, rebuild=frozenset({"chatbot/backend:aaa"})
    )
    assert text.step(made.operations[0]) == "build chatbot/backend:aaa  (its base image changed)"
    assert any("create chatbot-local-backend-2" in text.step(o) for o in made.operations)


def test_changed_routes_touch_no_container():
    wanted = replace(stack(), routes=ROUTES.replace("PathPrefix", "HostRegexp"))
    made = plan(wanted, running(stack()), secrets_versions=VERSIONS)
    assert [text.step(o) for o in made.operations] == [
        "write routes: backend → chatbot-local-backend-1  (routes changed)"
    ]
    assert [c.action for c in made.services] == ["none", "routes"]


def test_a_service_that_left_the_stack_is_taken_down():
    before = stack(backend(), proxy(), Service(name="redis", image="redis:7", networks=("app-network",)))
    assert lines(stack(), running(before)) == [
        "stop chatbot-local-redis-1, ≤ 10 s  (not part of the stack any more)",
        "remove chatbot-local-redis-1  (not part of the stack any more)",
    ]


def test_a_container_of_somebody_else_with_our_labels_is_replaced_and_named():
    wanted = stack()
    observed = running(wanted, backend_1={"fingerprint": "", "configuration": ""})
    made = plan(wanted, observed, secrets_versions=VERSIONS)
    change = next(change for change in made.services if change.service == "backend")
    assert [(c.before, c.after) for c in change.changes] == [("made by something else", "made by chatbot")]


def test_the_release_command_runs_once_before_the_first_new_replica():
    wanted = stack(backend(replicas=2, release_command=("migrate",)), proxy())
    found = lines(wanted, Observed())
    assert sum("run migrate" in line for line in found) == 1
    release = next(i for i, line in enumerate(found) if line.startswith("run migrate"))
    assert release < next(
        i for i, line in enumerate(found) if line.startswith("create chatbot-local-backend-1")
    )
    more = replace(wanted, services=(backend(replicas=3, release_command=("migrate",)), proxy()))
    assert not any("run migrate" in line for line in lines(more, running(wanted)))


def test_down_takes_dependents_first_and_volumes_only_when_asked():
    wanted = stack(backend(), proxy(depends_on=(("backend", "service_healthy"),)))
    observed = running(wanted)
    kept = [text.step(o) for o in plan_down(wanted, observed, volumes=False).operations]
    assert kept == [
        "stop chatbot-local-proxy-1, ≤ 10 s  (down)",
        "stop chatbot-local-backend-1, ≤ 30 s  (down)",
        "remove chatbot-local-proxy-1  (down)",
        "remove chatbot-local-backend-1  (down)",
        "remove network chatbot-local_app-network  (down)",
    ]
    gone = [text.step(o) for o in plan_down(wanted, observed, volumes=True).operations]
    assert gone[5:] == [
        f"remove volume chatbot-local_{key} and its data  (down --volumes)"
        for key in ("backend-data", "backend-secrets", "proxy-config")
    ]


def test_an_external_volume_survives_down_volumes():
    wanted = stack()
    external = tuple(replace(volume, external=volume.key == "backend-data") for volume in wanted.volumes)
    wanted = replace(wanted, volumes=external)
    steps = [text.step(o) for o in plan_down(wanted, running(wanted), volumes=True).operations]
    assert not any("backend-data" in step for step in steps)


def test_a_plan_holds_no_secret_value_and_is_the_same_twice():
    made = [plan(stack(), Observed(), secrets_versions=VERSIONS) for _ in range(2)]
    assert made[0] == made[1]
    assert text.as_data(made[0])["operations"][6]["text"].startswith("write secrets of backend: JWT_SECRET")
