"""The same compose.yaml, run by us and by the real Compose binary, gives equal containers.

And the other way round: `docker compose` sees and handles what we created.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import engines, tiny_image
from support.inspected import containers_differ

from deploytool.engines.docker.engine import DockerEngine
from deploytool.engines.protocol import LockHolder
from deploytool.plan import operations as op
from deploytool.stack.model import Stack
from deploytool.stack.parse import parse_stack

pytestmark = pytest.mark.docker

COMPOSE = Path(sys.executable).with_name("docker-compose")
SECOND = 1_000_000_000

PLAIN = """
name: PROJECT
services:
  web:
    image: chatbot-test/tiny:2
    stop_grace_period: 1s
"""

HARDENED = """
name: PROJECT
services:
  web:
    image: chatbot-test/tiny:2
    command: ["sh", "-c", "echo ready; exec sleep 100000"]
    environment: {A: "1", B: "two words", EMPTY: ""}
    user: "10001:10001"
    working_dir: /tmp
    init: true
    read_only: true
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    tmpfs: ["/tmp:size=16m,mode=1777"]
    healthcheck: {test: [CMD, "true"], interval: 30s, timeout: 10s, retries: 3, start_period: 5s}
    deploy:
      resources:
        limits: {cpus: "0.5", memory: 64M, pids: 50}
        reservations: {cpus: "0.25", memory: 32M}
    networks: [app-network]
    volumes:
      - {type: volume, source: data, target: /data}
      - {type: volume, source: secrets, target: /run/secrets, read_only: true}
    ports:
      - {target: 8000, host_ip: 127.0.0.1}
    expose: ["9000"]
    restart: unless-stopped
    stop_signal: SIGINT
    stop_grace_period: 7s
    labels: {team: ours}
    logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
networks: {app-network: {}}
volumes: {data: {}, secrets: {}}
"""

UNUSUAL = """
name: PROJECT
services:
  web:
    image: chatbot-test/tiny:2
    entrypoint: ["sh", "-c"]
    command: ["exec sleep 100000"]
    hostname: named
    group_add: ["1234"]
    shm_size: 32M
    ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 100}
    sysctls: {net.core.somaxconn: "1024"}
    extra_hosts: ["other:10.0.0.1"]
    dns: [127.0.0.11]
    healthcheck: {test: "true || exit 1", interval: 5s, timeout: 3s, retries: 2}
    networks: [second, first]
    volumes:
      - {type: bind, source: /etc/hostname, target: /etc/origin, read_only: true}
    restart: on-failure:3
    stop_grace_period: 1500ms
    depends_on: {other: {condition: service_started}}
  other:
    image: chatbot-test/tiny:2
    healthcheck: {disable: true}
    networks: [first]
    stop_grace_period: 1s
    tmpfs: [/run]
networks: {first: {}, second: {internal: true, labels: {a: b}}}
"""


class Pair:
    """One compose.yaml as two projects: one for us, one for Compose."""

    def __init__(self, text: str, folder: Path) -> None:
        self.ours, self.theirs = (f"parity{uuid.uuid4().hex[:10]}" for _ in range(2))
        self.text, self.folder = text, folder
        self.engine = DockerEngine()
        tiny_image.ensure(self.engine.client)
        self.stack = parse_stack({"compose.yaml": text.replace("PROJECT", self.ours).encode()})

    def compose(self, project: str, *arguments: str) -> str:
        file = self.folder / f"{project}.yaml"
        file.write_text(self.text.replace("PROJECT", project))
        done = subprocess.run(
            [str(COMPOSE), "-p", project, "-f", str(file), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "DOCKER_HOST": _host()},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deploy(self) -> Stack:
        """Our way: every operation that a first deploy has, without the planner."""
        world = engines.World(self.engine, tiny_image.TAG)
        world.project, world.stack = self.ours, self.stack
        world.prepare()
        for service in self.stack.services:
            world.start(service)
        return self.stack

    def inspect(self, project: str, service: str) -> dict[str, Any]:
        found = self.engine.client.inspect(f"{project}-{service}-1")
        assert found, f"{project}-{service}-1"
        return json.loads(json.dumps(found).replace(project, "PROJECT"))

    def remove(self) -> None:
        for project in (self.ours, self.theirs):
            engines.remove_project(self.engine.client, project)
        self.engine.close()


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(request.param, tmp_path)
    try:
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize(
    "pair", [PLAIN, HARDENED, UNUSUAL], indirect=True, ids=["plain", "hardened", "unusual"]
)
def test_containers_networks_and_volumes_are_equal(pair: Pair) -> None:
    stack = pair.deploy()
    pair.compose(pair.theirs, "up", "-d")
    for service in stack.services:
        ours, theirs = (pair.inspect(project, service.name) for project in (pair.ours, pair.theirs))
        assert containers_differ(ours, theirs) == []
    for network in stack.networks:
        assert _network(pair, network.name) == _network(pair, network.name.replace(pair.ours, pair.theirs))
    for volume in stack.volumes:
        assert _volume(pair, volume.name) == _volume(pair, volume.name.replace(pair.ours, pair.theirs))


@pytest.mark.parametrize("pair", [HARDENED], indirect=True, ids=["hardened"])
def test_compose_sees_and_handles_our_stack(pair: Pair) -> None:
    stack = pair.deploy()
    name = f"{pair.ours}-web-1"
    pair.engine.apply(op.AwaitHealthy(container=name, timeout=20 * SECOND), stack, release=1)
    pair.engine.write_state(pair.ours, {"a": b"1"})
    pair.engine.lock(pair.ours, LockHolder("me", "deploy", 0.0))

    listed = [
        json.loads(line) for line in pair.compose(pair.ours, "ps", "-a", "--format", "json").splitlines()
    ]
    assert [(entry["Name"], entry["Service"], entry["State"]) for entry in listed] == [
        (name, "web", "running")
    ]
    assert "ready" in pair.compose(pair.ours, "logs", "web")
    assert pair.compose(pair.ours, "exec", "-T", "web", "id", "-u").strip() == "10001"

    pair.compose(pair.ours, "down", "--volumes", "--remove-orphans")
    observed = pair.engine.observe(stack)
    assert (observed.containers, observed.networks, observed.volumes) == ((), (), ())
    assert pair.engine.read_state(pair.ours) == {"a": b"1"}, "our own state is none of Compose's business"
    assert pair.engine.lock_holder(pair.ours) is not None


@pytest.mark.parametrize("pair", [HARDENED], indirect=True, ids=["hardened"])
def test_we_see_what_compose_started(pair: Pair) -> None:
    pair.compose(pair.ours, "up", "-d")
    observed = pair.engine.observe(pair.stack)
    (container,) = observed.containers
    assert (container.service, container.number, container.running) == ("web", 1, True)
    assert container.fingerprint == "", "not ours: a deploy will replace it"
    assert container.limits == pair.stack.services[0].limits
    assert observed.networks == (f"{pair.ours}_app-network",)
    assert observed.volumes == (f"{pair.ours}_data", f"{pair.ours}_secrets")


def _network(pair: Pair, name: str) -> dict[str, Any]:
    found = pair.engine.client.get(f"/networks/{name}")
    return {
        key: found[key] for key in ("Driver", "Internal", "Attachable", "EnableIPv6", "Scope", "Options")
    } | {"Labels": _own(found["Labels"])}


def _volume(pair: Pair, name: str) -> dict[str, Any]:
    found = pair.engine.client.get(f"/volumes/{name}")
    return {"Driver": found["Driver"], "Options": found["Options"] or {}, "Labels": _own(found["Labels"])}


def _own(labels: dict[str, str]) -> dict[str, str]:
    kept = ("com.docker.compose.network", "com.docker.compose.volume")
    return {
        key: value
        for key, value in labels.items()
        if key in kept or not key.startswith(("com.docker.compose.", "io.chatbot."))
    }


def _host() -> str:
    return DockerEngine().client.address.url
