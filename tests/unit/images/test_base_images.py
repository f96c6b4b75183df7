"""Base images on an engine that is played: found, pulled, made, or refused with words."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from support.fake_image_engine import Answer, Reply, Request, engine

from deploytool.errors import BaseImageUnavailable, DiskFull, EngineUnreachable
from deploytool.images import base_images
from deploytool.images.base_images import DEFAULTS, BaseImages, pull, registry_of
from deploytool.images.standins import making

NOT_RESOLVED = (
    'Get "https://registry-1.docker.io/v2/": dial tcp: '
    "lookup registry-1.docker.io on 192.0.2.53:53: no such host"
)


def playing(images: dict[str, dict[str, str]], pulled: Reply | None = None) -> Answer:
    """An engine that has `images` (reference → labels) and answers a pull with `pulled`."""

    def answer(request: Request) -> Reply:
        if request.path == "/info":
            return Reply(body={"Architecture": "x86_64"})
        if request.path == "/images/create":
            return pulled or Reply(500, {"message": NOT_RESOLVED})
        reference = request.path.removeprefix("/images/").removesuffix("/json")
        if reference in images:
            return Reply(body={"Id": f"sha256:{reference}", "Config": {"Labels": images[reference]}})
        return Reply(404, {"message": f"No such image: {reference}"})

    return answer


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Making a stand-in is only written down."""
    seen: list[str] = []

    def make(api: object, recipe: making.Recipe, *, stands_for: str, **_: object) -> str:
        seen.append(stands_for)
        return recipe.reference("x86_64")

    monkeypatch.setattr(making, "make", make)
    return seen


def test_what_is_there_is_used_and_nothing_else_is_asked(tmp_path: Path, made: list[str]) -> None:
    with engine(playing({reference: {} for reference in DEFAULTS.values()})) as fake:
        found = BaseImages(fake.api, cache=tmp_path).ensure(DEFAULTS)
    assert {image.reference for image in found.values()} == set(DEFAULTS.values())
    assert not any(image.stand_in for image in found.values())
    assert {request.method for request in fake.requests} == {"GET"}
    assert made == []


def test_a_stand_in_that_is_there_is_used_without_any_network(tmp_path: Path, made: list[str]) -> None:
    there = making.RECIPES["python"].reference("x86_64")
    with engine(playing({there: {}})) as fake:
        bases = BaseImages(fake.api, cache=tmp_path)
        found = bases.ensure({"python": DEFAULTS["python"]})["python"]
        assert bases.find(DEFAULTS) == {"python": found}
    assert (found.reference, found.stand_in, found.wanted) == (there, True, DEFAULTS["python"])
    assert {request.method for request in fake.requests} == {"GET"}
    assert made == []


def test_an_unreachable_registry_is_asked_once_and_stand_ins_are_made(
    tmp_path: Path, made: list[str]
) -> None:
    told: list[str] = []
    with engine(playing({})) as fake:
        bases = BaseImages(fake.api, cache=tmp_path, report=lambda name, text: told.append(f"{name}: {text}"))
        found = bases.ensure({"python": DEFAULTS["python"]})
        found |= bases.ensure({"node": DEFAULTS["node"], "traefik": DEFAULTS["traefik"]})
    assert len(fake.paths("/images/create")) == 1, "the failure is remembered"
    assert sorted(made) == sorted(DEFAULTS.values())
    assert all(
        image.stand_in and image.reason == "docker.io cannot be reached: no such host"
        for image in found.values()
    )
    assert (
        "node: node:20-alpine cannot be pulled (docker.io cannot be reached: no such host):"
        " making a stand-in from packages" in told
    )


def test_what_can_be_pulled_is_pulled_by_its_digest(tmp_path: Path, made: list[str]) -> None:
    images: dict[str, dict[str, str]] = {}
    answer = playing(images, Reply(lines=[b'{"status":"Pulling from library/node"}', b'{"status":"done"}']))

    def pulling(request: Request) -> Reply:
        if request.path == "/images/create":
            images[DEFAULTS["node"]] = {}
        return answer(request)

    with engine(pulling) as fake:
        found = BaseImages(fake.api, cache=tmp_path).ensure({"node": DEFAULTS["node"]})["node"]
    (asked,) = [request for request in fake.requests if request.path == "/images/create"]
    assert asked.parameters == {"fromImage": "node", "tag": DEFAULTS["node"].partition("@")[2]}
    assert (found.reference, found.stand_in) == (DEFAULTS["node"], False)
    assert made == []


def test_pull_asks_the_registry_though_a_stand_in_is_there_and_keeps_it_when_nobody_answers(
    tmp_path: Path, made: list[str]
) -> None:
    there = making.RECIPES["node"].reference("x86_64")
    with engine(playing({there: {}})) as fake:
        found = BaseImages(fake.api, cache=tmp_path).ensure({"node": DEFAULTS["node"]}, pull=True)["node"]
    assert len(fake.paths("/images/create")) == 1
    assert found.reference == there
    assert made == []


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("python", "python:3.12-slim"),
        ("python", "registry.example/python:3.11-slim"),
        ("postgres", "postgres:17"),
    ],
)
def test_no_other_image_than_the_official_one_is_stood_in_for(
    tmp_path: Path, made: list[str], name: str, reference: str
) -> None:
    with engine(playing({})) as fake, pytest.raises(BaseImageUnavailable) as error:
        BaseImages(fake.api, cache=tmp_path).ensure({name: reference})
    assert reference in error.value.message
    assert f"build.base_images.{name}" in error.value.hint
    assert made == []


def test_an_image_the_settings_name_that_is_a_stand_in_is_said_to_be_one(tmp_path: Path) -> None:
    with engine(playing({"own/python:1": {"io.chatbot.stand-in": "python:3.11-slim"}})) as fake:
        assert BaseImages(fake.api, cache=tmp_path).find({"python": "own/python:1"})["python"].stand_in


def test_a_stand_in_that_cannot_be_made_tells_both_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: object, **__: object) -> str:
        raise BaseImageUnavailable(
            "mmdebstrap is missing", hint="apt-get install mmdebstrap", details=("E: x",)
        )

    monkeypatch.setattr(making, "make", make)
    with engine(playing({})) as fake, pytest.raises(BaseImageUnavailable) as error:
        BaseImages(fake.api, cache=tmp_path).ensure({"python": DEFAULTS["python"]})
    assert "no such host" in error.value.message
    assert "mmdebstrap is missing" in error.value.message
    assert (error.value.hint, error.value.details) == ("apt-get install mmdebstrap", ("E: x",))


JUDGED = [
    (Reply(500, {"message": NOT_RESOLVED}), "docker.io cannot be reached: no such host", True),
    (
        Reply(500, {"message": "Get https://x/v2/: net/http: TLS handshake timeout"}),
        "cannot be reached",
        True,
    ),
    (
        Reply(lines=[b'{"error":"toomanyrequests: You have reached your pull rate limit"}']),
        "refuses more",
        True,
    ),
    (Reply(404, {"message": "manifest for node:20 not found: manifest unknown"}), "manifest unknown", False),
    (
        Reply(lines=[b'{"status":"Pulling"}', b'{"error":"unauthorized: access denied"}']),
        "unauthorized",
        False,
    ),
    (Reply(lines=[b'{"status":"done"}']), "", False),
]


@pytest.mark.parametrize(("reply", "words", "silent"), JUDGED)
def test_what_an_engine_says_of_a_pull(reply: Reply, words: str, silent: bool) -> None:
    with engine(lambda request: reply) as fake:
        problem, out_of_reach = pull(fake.api, "node:20-alpine")
    assert words in problem
    assert bool(problem) is bool(words)
    assert out_of_reach is silent


def test_a_registry_that_never_answers_is_noticed_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_images, "_FIRST_WORD_SECONDS", 0.2)
    held = threading.Event()
    with engine(lambda request: Reply(hold=held)) as fake:
        began = time.monotonic()
        assert pull(fake.api, "node:20-alpine") == ("docker.io does not answer", True)
        assert time.monotonic() - began < 3
        held.set()


def test_a_slow_download_is_no_silent_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_images, "_FIRST_WORD_SECONDS", 0.3)
    held = threading.Event()
    timer = threading.Timer(0.9, held.set)
    timer.start()
    with engine(lambda request: Reply(lines=[b'{"status":"Pulling"}'], hold=held)) as fake:
        assert pull(fake.api, "node:20-alpine") == ("", False)
    timer.join()


def test_a_full_disk_and_a_lost_engine_are_not_the_registrys_fault() -> None:
    full = Reply(lines=[b'{"error":"write /x: no space left on device"}'])
    with engine(lambda request: full) as fake, pytest.raises(DiskFull):
        pull(fake.api, "node:20")
    with pytest.raises(EngineUnreachable):
        pull(fake.api, "node:20")


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("python:3.11", "docker.io"),
        ("library/python", "docker.io"),
        ("registry.example/python", "registry.example"),
        ("localhost:5000/x", "localhost:5000"),
        ("localhost/x", "localhost"),
    ],
)
def test_registry_of(reference: str, registry: str) -> None:
    assert registry_of(reference) == registry


def test_the_settings_name_the_same_defaults() -> None:
    from deploytool.settings.model import BASE_IMAGES

    assert dict(DEFAULTS) == BASE_IMAGES
