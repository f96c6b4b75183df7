"""Builds against an engine that is played: what is sent, what is told, and how failures and Ctrl-C end."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from pathlib import Path

import pytest
from support.fake_image_engine import Reply, Request, engine

from deploytool.errors import BuildFailed, ContextMissing, DiskFull, EngineUnreachable
from deploytool.images.buildkit import ImageBuild, build_all, build_image
from deploytool.images.progress import Event, ImageBuilt, StepStarted

HERE = Path(__file__).parent
FAILING = (HERE / "failing_build.jsonl").read_bytes().splitlines()
CACHED = (HERE / "cached_build.jsonl").read_bytes().splitlines()
IDENTITY = "sha256:4b45fb24d71829e7751e2133269609b0dc2a2cc66497382b2d665874ddff5674"


MOUNTING = "FROM x\nRUN --mount=type=bind,source=.build/ca.crt,target=/run/ca.crt true\n"


def build(name: str = "backend", **changes: object) -> ImageBuild:
    facts: dict[str, object] = {
        "name": name, "tag": f"chatbot/{name}:1", "dockerfile": "FROM x\n", "context": None,
    }  # fmt: skip
    return ImageBuild(**{**facts, **changes})  # type: ignore[arg-type]


def test_what_is_sent_and_told() -> None:
    events: list[Event] = []
    with engine(lambda request: Reply(lines=CACHED)) as fake:
        wanted = build(
            dockerfile=MOUNTING,
            files={"routes.yaml": b"{}"},
            args={"A": "ü"},
            labels={"l": "v"},
            target="runner",
            network_mode="host",
            certificates=b"PEM",
            no_cache=True,
        )
        assert build_image(fake.api, wanted, events.append) == IDENTITY
    (request,) = fake.requests
    sent = request.parameters
    assert (request.method, request.path) == ("POST", "/build")
    assert (sent["version"], sent["t"], sent["target"]) == ("2", "chatbot/backend:1", "runner")
    assert (sent["networkmode"], sent["nocache"]) == ("host", "1")
    assert (json.loads(sent["buildargs"]), json.loads(sent["labels"])) == ({"A": "ü"}, {"l": "v"})
    with tarfile.open(fileobj=io.BytesIO(request.body)) as tar:
        assert tar.getnames() == [".build", ".build/Dockerfile", ".build/ca.crt", "routes.yaml"]
        dockerfile, certificates = tar.extractfile(sent["dockerfile"]), tar.extractfile(".build/ca.crt")
        assert dockerfile is not None
        assert certificates is not None
        assert (dockerfile.read(), certificates.read()) == (MOUNTING.encode(), b"PEM")
    assert isinstance(events[0], StepStarted)
    assert isinstance(events[-1], ImageBuilt)
    assert (events[-1].identity, events[-1].tag) == (IDENTITY, "chatbot/backend:1")


@pytest.mark.parametrize(("dockerfile", "sent"), [("FROM x\nCOPY . .\n", []), (MOUNTING, [".build/ca.crt"])])
def test_certificates_go_only_to_a_dockerfile_that_asks_for_them(dockerfile: str, sent: list[str]) -> None:
    with engine(lambda request: Reply(lines=CACHED)) as fake:
        build_image(fake.api, build(dockerfile=dockerfile, certificates=b"PEM"))
    with tarfile.open(fileobj=io.BytesIO(fake.requests[0].body)) as tar:
        assert tar.getnames() == [".build", ".build/Dockerfile", *sent]


def test_a_failing_step_is_named_with_its_last_lines() -> None:
    with engine(lambda request: Reply(lines=FAILING)) as fake, pytest.raises(BuildFailed) as error:
        build_image(fake.api, build())
    assert error.value.where.startswith("[other 1/1] RUN printf")
    assert error.value.message.endswith(": exit code: 3")
    assert error.value.details == tuple(f"line {number}" for number in range(6, 21))
    assert "backend" in error.value.message


def test_a_dockerfile_that_cannot_be_read_has_no_step() -> None:
    words = "dockerfile parse error line 1: unknown instruction: FORM"
    with (
        engine(lambda request: Reply(lines=[json.dumps({"error": words}).encode()])) as fake,
        pytest.raises(BuildFailed, match="unknown instruction: FORM"),
    ):
        build_image(fake.api, build())


def test_a_refused_request_says_what_the_engine_said() -> None:
    with (
        engine(lambda request: Reply(400, {"message": "invalid tag"})) as fake,
        pytest.raises(BuildFailed, match="invalid tag"),
    ):
        build_image(fake.api, build())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(lines=[json.dumps({"error": "write /var/lib/docker/x: no space left on device"}).encode()]),
        Reply(500, {"message": "mkdir: No space left on device"}),
    ],
)
def test_a_full_disk_is_recognised(reply: Reply) -> None:
    with engine(lambda request: reply) as fake, pytest.raises(DiskFull, match="backend"):
        build_image(fake.api, build())


def test_a_broken_connection_is_the_engines_not_the_builds() -> None:
    with (
        engine(lambda request: Reply(lines=FAILING[:3], broken=True)) as fake,
        pytest.raises(EngineUnreachable, match="broke while backend was built"),
    ):
        build_image(fake.api, build())


def test_no_engine() -> None:
    with engine(lambda request: Reply()) as fake:
        api = fake.api
    with pytest.raises(EngineUnreachable):
        build_image(api, build())


def test_a_missing_context_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with engine(lambda request: Reply()) as fake, pytest.raises(ContextMissing):
        build_image(fake.api, build(context=tmp_path / "nowhere"))
    assert fake.requests == []


def test_an_unreadable_trace_does_not_stop_a_build() -> None:
    noise = [json.dumps({"id": "moby.buildkit.trace", "aux": "////"}).encode(), b"[1]"]
    with engine(lambda request: Reply(lines=noise + CACHED)) as fake:
        assert build_image(fake.api, build()) == IDENTITY


def test_several_builds_run_at_once_and_report_one_at_a_time() -> None:
    together = threading.Barrier(3, timeout=10)
    inside = threading.Lock()

    def answer(request: Request) -> Reply:
        together.wait()
        return Reply(lines=CACHED)

    def listen(event: Event) -> None:
        assert inside.acquire(blocking=False), "two threads reported at the same time"
        inside.release()

    with engine(answer) as fake:
        built = build_all(fake.api, [build(name) for name in ("a", "b", "c")], listen)
    assert built == dict.fromkeys(("a", "b", "c"), IDENTITY)


def test_nothing_to_build() -> None:
    with engine(lambda request: Reply()) as fake:
        assert build_all(fake.api, []) == {}


class Cancellable:
    """An engine on which the build of `slow` runs until it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.number = ""
        self.slow_began = threading.Event()

    def __call__(self, request: Request) -> Reply:
        if request.path == "/build/cancel":
            assert request.parameters["id"] == self.number
            self.cancelled.set()
            return Reply()
        if "slow" in request.parameters["t"]:
            self.number = request.parameters["buildid"]
            self.slow_began.set()
            return Reply(lines=CACHED[:2], hold=self.cancelled, broken=True)
        self.slow_began.wait(10)
        return Reply(lines=FAILING)


def test_one_failure_cancels_the_others_and_is_the_error() -> None:
    play = Cancellable()
    with engine(play) as fake, pytest.raises(BuildFailed) as error:
        build_all(fake.api, [build("slow"), build("failing")])
    assert play.cancelled.is_set()
    assert "image of failing" in error.value.message


def test_ctrl_c_cancels_on_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Cancellable()

    def interrupted(*arguments: object, **more: object) -> None:
        assert play.slow_began.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr("deploytool.images.buildkit.wait", interrupted)
    with engine(play) as fake, pytest.raises(KeyboardInterrupt):
        build_all(fake.api, [build("slow")])
    assert play.cancelled.is_set()
