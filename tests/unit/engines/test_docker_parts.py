"""Small pieces of the Docker engine that need no engine."""

from __future__ import annotations

import os
import socket
import struct
import time
from dataclasses import replace

import pytest

from deploytool.engines.docker import create, logs, measure, observe, ports, resources, support
from deploytool.engines.docker.frames import frames
from deploytool.engines.registry import create_engine
from deploytool.errors import NotSupported
from deploytool.stack.model import Logging, Network, Resources, Service, Stack, Volume

SERVICE = Service(name="web", image="i:1", networks=("default",))
STACK = Stack("p", "test", (SERVICE,), (Network("default", "p_default"),))


def _framed(*pieces: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack(">BxxxL", number, len(content)) + content for number, content in pieces)


def _reader(raw: bytes, step: int):  # type: ignore[no-untyped-def]
    parts = [raw[index : index + step] for index in range(0, len(raw), step)]
    return lambda _size: parts.pop(0) if parts else b""


@pytest.mark.parametrize("step", [1, 3, 8, 9, 1000])
def test_frames_are_put_together_however_they_arrive(step: int) -> None:
    raw = _framed((1, b"out"), (2, b""), (2, b"err" * 100))
    found = list(frames(_reader(raw, step)))
    assert found == [("stdout", b"out"), ("stderr", b""), ("stderr", b"err" * 100)]


def test_a_stream_that_breaks_off_gives_what_there_was() -> None:
    raw = _framed((1, b"whole"), (1, b"broken"))
    assert list(frames(_reader(raw[:-2], 5))) == [("stdout", b"whole"), ("stdout", b"brok")]
    assert list(frames(_reader(raw[:4], 5))) == []


def test_pieces_of_long_lines_are_joined_per_stream() -> None:
    pieces = [
        ("stdout", b"T1 one-"),
        ("stderr", b"T2 other\n"),
        ("stdout", b"T3 half\n"),
        ("stdout", b"T4 rest"),
    ]
    assert list(logs._whole_lines(iter(pieces))) == [
        ("T2", "stderr", "other"),
        ("T1", "stdout", "one-half"),
        ("T4", "stdout", "rest"),
    ]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("redis", ("redis", "latest")),
        ("redis:7", ("redis", "7")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
        ("localhost:5000/a/b:2", ("localhost:5000/a/b", "2")),
        ("a@sha256:ff", ("a", "sha256:ff")),
        ("host:1/a:3@sha256:ff", ("host:1/a", "sha256:ff")),
    ],
)
def test_references_for_a_pull(reference: str, expected: tuple[str, str]) -> None:
    assert resources._name_and_tag(reference) == expected


@pytest.mark.parametrize(
    ("reference", "listed"),
    [
        ("redis", "redis:latest"),
        ("docker.io/library/redis:7", "redis:7"),
        ("docker.io/me/app:1", "me/app:1"),
        ("redis:7@sha256:ff", "redis@sha256:ff"),
        ("host:1/a:3@sha256:ff", "host:1/a@sha256:ff"),
    ],
)
def test_references_as_the_engine_lists_them(reference: str, listed: str) -> None:
    assert listed in observe.spellings(reference)


def test_times() -> None:
    assert observe.seconds("0001-01-01T00:00:00Z") == 0
    assert observe.seconds("") == 0
    assert observe.seconds("1970-01-01T00:00:10.500000000Z") == 10.5
    assert observe.seconds("1970-01-01T00:01:00Z") == 60


def test_limits_set_by_quota_are_read_too() -> None:
    assert observe.limits({"CpuQuota": 50_000, "CpuPeriod": 100_000}).cpus == 500_000_000
    assert observe.limits({"CpuQuota": 50_000}).cpus == 500_000_000
    assert observe.limits({"NanoCpus": 7, "Memory": 8, "PidsLimit": None}) == Resources(7, 8, 0)
    assert observe.limits({"PidsLimit": -1}) == Resources()


def test_capabilities_are_spelled_as_the_engine_does() -> None:
    assert create._capabilities(("all", "net_bind_service", "CAP_CHOWN")) == [
        "ALL",
        "CAP_NET_BIND_SERVICE",
        "CAP_CHOWN",
    ]
    assert create._capabilities(()) is None


def test_a_release_container_takes_no_traffic() -> None:
    service = replace(SERVICE, release_command=("migrate",), restart="always", command=("serve",))
    body = create.release_body(STACK, service, name="p-web-release", release=3, secrets_version="")
    assert body["Cmd"] == ["migrate"]
    assert body["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert body["HostConfig"]["PortBindings"] == {}
    assert body["NetworkingConfig"]["EndpointsConfig"]["p_default"]["Aliases"] == ["p-web-release"]
    assert body["Labels"]["com.docker.compose.oneoff"] == "True"
    assert body["Healthcheck"] == {"Test": ["NONE"]}


def test_a_process_that_listens_is_found() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert f"(process {os.getpid()})" in ports.process_holding("127.0.0.1", port)
        assert f"(process {os.getpid()})" in ports.process_holding("", port)
        assert ports.process_holding("127.0.0.2", port) == "", "another address is another port"
    assert ports.process_holding("127.0.0.1", port) == ""


def test_addresses_of_both_families() -> None:
    assert ports._decode("0100007F") == "127.0.0.1"
    assert ports._decode("0" * 32) == "::"
    assert ports._decode("0000000000000000FFFF00000100007F") == "127.0.0.1"


GOOD = {
    "OSType": "linux",
    "MemoryLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "InitBinary": "docker-init",
    "NCPU": 2,
    "Plugins": {"Log": ["json-file", "local"], "Network": ["bridge"], "Volume": ["local"]},
}


def test_what_an_engine_lacks_is_said() -> None:
    service = replace(
        SERVICE,
        init=True,
        limits=Resources(cpus=1_000_000_000, memory=1, pids=1),
        logging=Logging("splunk"),
    )
    stack = replace(
        STACK,
        services=(service,),
        networks=(Network("n", "p_n", driver="overlay2"),),
        volumes=(Volume("v", "p_v", driver="nfs"),),
    )
    plain = replace(STACK, services=(replace(service, logging=Logging("local")),))
    assert list(support._sentences(GOOD, plain)) == []
    bad = GOOD | {"MemoryLimit": False, "CpuCfsQuota": False, "PidsLimit": False, "InitBinary": ""}
    said = "\n".join(support._sentences(bad, stack))
    for word in ("memory limit", "CPU limit", "processes", "init", "splunk", "overlay2", "nfs"):
        assert word in said
    many = replace(STACK, services=(replace(SERVICE, limits=Resources(cpus=3_000_000_000)),))
    assert "more than the 2" in "".join(support._sentences(GOOD, many))
    assert "windows" in "".join(support._sentences(GOOD | {"OSType": "windows"}, STACK))


def test_one_slow_task_delays_nobody() -> None:
    import threading

    held = threading.Event()
    began = time.monotonic()
    found = measure._at_once({"slow": lambda: held.wait(30), "fast": lambda: True}, began + 0.3)
    assert time.monotonic() - began < 5
    assert found == {"fast": True}
    held.set()


def test_a_failed_task_is_left_out() -> None:
    def fail() -> int:
        raise ValueError

    assert measure._at_once({"bad": fail, "good": lambda: 1}, time.monotonic() + 5) == {"good": 1}


def test_engines_by_kind() -> None:
    assert create_engine("fake").kind == "fake"
    assert create_engine("docker", read_only=True).kind == "docker"
    with pytest.raises(NotSupported, match="abacus"):
        create_engine("abacus")
