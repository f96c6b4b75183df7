"""Fingerprints, labels, routes, order and words."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploytool.errors import BundleInvalid
from deploytool.stack import labels, order, routes, words
from deploytool.stack.fingerprint import EXEMPT, fingerprint
from deploytool.stack.model import (
    Build,
    Healthcheck,
    Logging,
    Mount,
    Network,
    Port,
    Resources,
    Service,
    Stack,
    UpdateConfig,
    Volume,
)

SERVICE = Service(name="backend", image="a:1")
OTHER: dict[str, object] = {
    "name": "other",
    "image": "b:1",
    "command": ("x",),
    "entrypoint": ("x",),
    "environment": (("A", "b"),),
    "healthcheck": Healthcheck(("CMD", "x")),
    "limits": Resources(memory=1),
    "reservations": Resources(memory=1),
    "networks": ("n",),
    "mounts": (Mount("volume", "v", "/v"),),
    "ports": (Port(1, 1),),
    "logging": Logging("json-file"),
    "update": UpdateConfig(parallelism=7),
    "depends_on": (("x", "service_started"),),
    "build": Build("c", "d"),
    "ulimits": (("nofile", 1, 1),),
    "sysctls": (("a", "b"),),
    "labels": (("a", "b"),),
}


def another_value(name: str, value: object) -> object:
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return "other" if isinstance(value, str) else ("other",)


@pytest.mark.parametrize("name", [entry.name for entry in fields(Service)])
def test_every_field_counts_in_the_fingerprint_unless_it_is_exempt(name: str):
    changed = replace(SERVICE, **{name: another_value(name, getattr(SERVICE, name))})  # type: ignore[arg-type]
    assert changed != SERVICE
    assert (fingerprint(changed) == fingerprint(SERVICE)) == (name in EXEMPT)


def test_exemptions_are_fields():
    assert {entry.name for entry in fields(Service)} >= EXEMPT


def test_containers_carry_the_labels_that_compose_looks_for():
    stack = Stack(project="chatbot-local", environment="local", services=(SERVICE,))
    found = labels.container_labels(stack, SERVICE, number=2, release=7, secrets_version="abc")
    assert found["com.docker.compose.project"] == "chatbot-local"
    assert found["com.docker.compose.service"] == "backend"
    assert found["com.docker.compose.container-number"] == "2"
    assert found["com.docker.compose.oneoff"] == "False"
    assert found["com.docker.compose.config-hash"] == found["io.chatbot.fingerprint"] == fingerprint(SERVICE)
    assert (found["io.chatbot.release"], found["io.chatbot.secrets-version"]) == ("7", "abc")
    assert labels.network_labels(stack, Network("n", "p_n"))["com.docker.compose.network"] == "n"
    assert labels.volume_labels(stack, Volume("v", "p_v"))["com.docker.compose.volume"] == "v"


ROUTES = """
http:
  services:
    backend: {loadBalancer: {servers: [{url: "http://backend:8000"}], healthCheck: {path: /health}}}
    other: {loadBalancer: {servers: [{url: "http://elsewhere.example:80"}]}}
"""


def servers(text: str, service: str) -> list[str]:
    return [s["url"] for s in yaml.safe_load(text)["http"]["services"][service]["loadBalancer"]["servers"]]


@given(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,20}-[0-9]{1,3}", fullmatch=True), min_size=1, unique=True))
def test_routes_name_every_container_once_and_keep_the_rest(names: list[str]):
    text = routes.expand(ROUTES, {"backend": names})
    assert servers(text, "backend") == [f"http://{name}:8000" for name in names]
    assert servers(text, "other") == ["http://elsewhere.example:80"]
    kept = yaml.safe_load(text)["http"]["services"]["backend"]["loadBalancer"]["healthCheck"]
    assert kept == {"path": "/health"}
    assert routes.mapping(routes.pairs({"backend": names})) == {"backend": names}


def test_a_service_without_containers_keeps_what_was_rendered():
    assert servers(routes.expand(ROUTES, {}), "backend") == ["http://backend:8000"]
    assert routes.routed_services(ROUTES) == ("backend", "elsewhere.example")


def test_routes_are_compared_by_meaning():
    assert routes.same("a: 1\nb: 2\n", "b: 2\na: 1\n")
    assert not routes.same("a: 1\n", "a: 2\n")
    assert not routes.same("a: 1\n", None)


@pytest.mark.parametrize("text", ["a: [", "- x\n"])
def test_routes_that_cannot_be_read_are_refused(text: str):
    with pytest.raises(BundleInvalid) as caught:
        routes.expand(text, {})
    assert caught.value.where == "proxy/routes.yaml"


def service(name: str, *needs: str) -> Service:
    return Service(name=name, image="x", depends_on=tuple((need, "service_healthy") for need in needs))


def test_waves_start_what_is_needed_first():
    found = order.waves((service("a", "b", "c"), service("b", "c"), service("c"), service("d")))
    assert [[entry.name for entry in wave] for wave in found] == [["c", "d"], ["b"], ["a"]]
    assert order.cycle((service("a", "b"), service("b", "a"))) == ("a", "b", "a")
    assert order.cycle((service("a", "b"), service("b"))) == ()
    with pytest.raises(ValueError, match="circle"):
        order.waves((service("a", "b"), service("b", "a")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (41, "41 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (3599.7, "1 h"),
        (11520, "3 h 12 min"),
        (187200, "2 d 4 h"),
        (-5, "-5 s"),
    ],
)
def test_durations_in_words(seconds: float, text: str):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (512 << 20, "512 MiB"),
        (1536 << 20, "1.5 GiB"),
        (1 << 41, "2 TiB"),
    ],
)
def test_sizes_in_words(count: int, text: str):
    assert words.size(count) == text


@given(st.integers(min_value=0, max_value=1 << 50))
def test_sizes_stay_short(count: int):
    assert len(words.size(count)) <= 9


@given(st.integers(min_value=1, max_value=200))
def test_the_newest_routes_file_is_the_one_that_counts_and_is_read_first(generations: int):
    files = {routes.SEED: b"seed"}
    for generation in range(generations):
        name = routes.next_file(files)
        assert name not in files
        files[name] = str(generation).encode()
        assert sorted(files)[0] == name
        assert routes.current(files) == str(generation)
    assert routes.current({routes.SEED: b"seed", "notes.txt": b"x"}) == "seed"
    assert routes.current({}) is None
