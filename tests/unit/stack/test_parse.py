"""compose.yaml → Stack: canonical units, and refusals that name the key."""

from __future__ import annotations

import pytest
import yaml

from deploytool.errors import BundleInvalid, ComposeKeyUnsupported, DependencyCycle
from deploytool.stack.model import Build, Healthcheck, Mount, Port, Resources, UpdateConfig
from deploytool.stack.parse import parse_stack

SECOND = 1_000_000_000

COMPOSE = """
name: chatbot-local
x-chatbot:
  environment: local
  proxy_service: proxy
  routes_path: /etc/traefik/dynamic/routes.yaml
  routes_file: proxy/routes.yaml
services:
  backend:
    image: chatbot/backend:abc
    command: [python, -m, app]
    environment: {LEVEL: info, DEBUG: false, PORT: 8000, PRICE: "5$$"}
    user: "10001:10001"
    init: true
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    tmpfs: /tmp
    healthcheck: {test: [CMD, "true"], interval: 30s, timeout: 1m30s, retries: 5, start_period: 500ms}
    deploy:
      replicas: 2
      resources:
        limits: {cpus: "1.5", memory: 1G, pids: 200}
        reservations: {cpus: "0.25", memory: 512M}
      update_config: {order: start-first, parallelism: 2, delay: 1s, monitor: 5s, failure_action: rollback}
    networks: {app-network: {}}
    volumes:
      - {type: volume, source: backend-data, target: /data}
      - {type: volume, source: backend-secrets, target: /run/secrets, read_only: true}
    restart: unless-stopped
    stop_grace_period: 1m
    labels: {a: b}
    logging: {driver: json-file, options: {max-size: 10m}}
    depends_on: {proxy: {condition: service_started}}
    ulimits: {nofile: 1024, nproc: {soft: 10, hard: 20}}
    shm_size: 64m
    x-chatbot:
      build:
        context: service/backend
        dockerfile: backend.Dockerfile
        base_images: {PYTHON_BASE: "python:3.11"}
      secrets: [JWT_SECRET]
      secrets_volume: backend-secrets
      proxied_port: 8000
      release_command: [python, -m, app.migrate]
  proxy:
    image: traefik:1
    ports: [{target: 8000, published: "8000", host_ip: 127.0.0.1, protocol: tcp}]
    networks: [app-network]
networks:
  app-network: {driver: bridge}
volumes:
  backend-data: {x-chatbot: {purpose: data}}
  backend-secrets: {x-chatbot: {purpose: secrets}}
  shared: {external: true}
"""


def bundle(compose: str = COMPOSE) -> dict[str, bytes]:
    return {"compose.yaml": compose.encode(), "proxy/routes.yaml": b"http: {}\n"}


def changed(path: str, value: object) -> dict[str, bytes]:
    """The bundle with one value set, by dotted path."""
    document = yaml.safe_load(COMPOSE)
    place = document
    *parents, last = path.split(".")
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return bundle(yaml.safe_dump(document))


def test_values_come_out_in_canonical_units():
    stack = parse_stack(bundle())
    backend = stack.service("backend")
    assert backend is not None
    assert backend.command == ("python", "-m", "app")
    assert backend.environment == (("DEBUG", "false"), ("LEVEL", "info"), ("PORT", "8000"), ("PRICE", "5$"))
    assert backend.healthcheck == Healthcheck(("CMD", "true"), 30 * SECOND, 90 * SECOND, 5, SECOND // 2)
    assert backend.limits == Resources(cpus=1_500_000_000, memory=1 << 30, pids=200)
    assert backend.reservations == Resources(cpus=250_000_000, memory=512 << 20)
    assert backend.update == UpdateConfig(2, SECOND, 5 * SECOND, "start-first", "rollback")
    assert backend.mounts == (
        Mount("volume", "backend-data", "/data"),
        Mount("volume", "backend-secrets", "/run/secrets", read_only=True),
    )
    assert backend.stop_grace_period == 60 * SECOND
    assert backend.ulimits == (("nofile", 1024, 1024), ("nproc", 10, 20))
    assert backend.shm_size == 64 << 20
    assert backend.tmpfs == ("/tmp",)
    assert backend.replicas == 2
    assert backend.depends_on == (("proxy", "service_started"),)
    assert backend.build == Build(
        "service/backend", "backend.Dockerfile", base_images=(("PYTHON_BASE", "python:3.11"),)
    )
    assert backend.release_command == ("python", "-m", "app.migrate")
    proxy = stack.service("proxy")
    assert proxy is not None
    assert proxy.ports == (Port(8000, 8000, "127.0.0.1"),)
    assert stack.routes == "http: {}\n"


def test_names_on_the_engine_are_those_that_compose_gives():
    stack = parse_stack(bundle())
    assert [network.name for network in stack.networks] == ["chatbot-local_app-network"]
    assert {volume.key: volume.name for volume in stack.volumes} == {
        "backend-data": "chatbot-local_backend-data",
        "backend-secrets": "chatbot-local_backend-secrets",
        "shared": "shared",
    }
    assert {volume.key: volume.purpose for volume in stack.volumes}["backend-secrets"] == "secrets"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("services.backend.memroy", "memroy"),
        ("services.backend.build", "build"),
        ("services.backend.container_name", "container_name"),
        ("services.backend.network_mode", "network_mode"),
        ("services.backend.secrets", "secrets"),
        ("services.backend.deploy.placement", "placement"),
        ("services.backend.deploy.resources.limits.gpus", "gpus"),
        ("services.backend.healthcheck.start_interval", "start_interval"),
        ("services.backend.x-chatbot.bild", "bild"),
        ("configs", "configs"),
        ("volumes.backend-data.size", "size"),
        ("networks.app-network.ipam", "ipam"),
    ],
)
def test_a_key_outside_the_subset_is_refused_by_name(path: str, named: str):
    with pytest.raises(ComposeKeyUnsupported) as caught:
        parse_stack(changed(path, {"a": 1}))
    assert f"`{named}`" in caught.value.message
    assert caught.value.where.endswith(path)
    assert caught.value.exit_code == 2


def test_the_nearest_key_is_suggested():
    with pytest.raises(ComposeKeyUnsupported) as caught:
        parse_stack(changed("services.backend.comand", "x"))
    assert caught.value.hint == "did you mean `command`?"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("services.backend.deploy.resources.limits.memory", "1 elephant", "size"),
        ("services.backend.deploy.replicas", "many", "whole number"),
        ("services.backend.deploy.replicas", -1, "whole number"),
        ("services.backend.read_only", "perhaps", "true or false"),
        ("services.backend.deploy.update_config.order", "sideways", "stop-first, start-first"),
        ("services.backend.depends_on", {"nobody": {"condition": "service_started"}}, "`nobody`"),
        ("services.backend.depends_on", {"proxy": {"condition": "service_happy"}}, "service_healthy"),
        ("services.backend.networks", ["elsewhere"], "`elsewhere`"),
        ("services.backend.volumes", [{"type": "volume", "source": "lost", "target": "/x"}], "`lost`"),
        ("services.backend.volumes", ["backend-data:/data"], "mapping"),
        ("services.backend.image", "", "no image"),
        ("services.backend.healthcheck.interval", "soon", "duration"),
        ("services.backend", "text", "mapping"),
        ("name", "", "no name"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(path: str, value: object, words: str):
    with pytest.raises(BundleInvalid) as caught:
        parse_stack(changed(path, value))
    assert words in caught.value.message
    assert caught.value.where.startswith("compose.yaml")


def test_a_circle_of_dependencies_is_named():
    with pytest.raises(DependencyCycle) as caught:
        parse_stack(changed("services.proxy.depends_on", ["backend"]))
    assert "backend → proxy → backend" in caught.value.message


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "\tname: x"])
def test_what_is_no_compose_file_is_refused(text: str):
    with pytest.raises(BundleInvalid):
        parse_stack(bundle(text))


def test_a_bundle_without_compose_yaml_is_refused():
    with pytest.raises(BundleInvalid, match=r"no compose\.yaml"):
        parse_stack({})


def test_a_service_that_names_no_network_gets_the_default_one():
    document = yaml.safe_load(COMPOSE)
    del document["services"]["proxy"]["networks"]
    stack = parse_stack(bundle(yaml.safe_dump(document)))
    assert [network.name for network in stack.networks] == [
        "chatbot-local_app-network",
        "chatbot-local_default",
    ]
