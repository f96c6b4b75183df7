"""Each check on what it may find: verdict, value, remedy."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from deploytool.actions.doctor import capacity, engine, environment, machine, network
from deploytool.actions.doctor.check import (
    Check,
    Finding,
    Verdict,
    failed,
    passed,
    run_checks,
    skipped,
    warned,
)
from deploytool.engines.protocol import EngineDescription, LockHolder
from deploytool.errors import EngineUnreachable, ExitCode, SettingsError
from deploytool.plan.observed import Observed, ObservedContainer
from deploytool.stack.model import Port, Resources, Service, Stack

GIB = 1024**3
STACK = Stack(
    project="chatbot-local",
    environment="local",
    services=(
        Service(
            name="proxy",
            image="proxy:1",
            ports=(Port(target=3000, published=3000, host_ip="127.0.0.1"),),
            limits=Resources(cpus=500_000_000, memory=GIB // 8),
        ),
        Service(
            name="backend",
            image="backend:1",
            replicas=2,
            limits=Resources(cpus=2_000_000_000, memory=2 * GIB),
        ),
    ),
)
DESCRIPTION = EngineDescription(
    kind="docker", version="20.10.24", api_version="1.41", address="unix:///var/run/docker.sock"
)


def container(name: str, state: str, **more: object) -> ObservedContainer:
    return ObservedContainer(
        id=name, name=name, service="backend", number=1, image="i", image_id="i", state=state, **more
    )


# --- how checks run ----------------------------------------------------------------------------------------


def test_checks_run_at_once_and_keep_their_order() -> None:
    meeting = threading.Barrier(3, timeout=5)

    def wait(value: str) -> Finding:
        meeting.wait()
        return passed(value)

    heard: list[str] = []
    done = run_checks(
        [Check(name, name, lambda name=name: wait(name)) for name in "abc"],
        finished=lambda checked: heard.append(checked.name),
    )
    assert [check.finding.value for check in done.checks] == ["a", "b", "c"]
    assert sorted(heard) == ["a", "b", "c"]


def test_a_check_that_hangs_is_given_up_and_delays_nobody() -> None:
    never = threading.Event()
    began = time.monotonic()
    done = run_checks(
        [
            Check("hangs", "hangs", lambda: passed(str(never.wait(30))), time_limit=0.2),
            Check("fine", "fine", lambda: passed("yes")),
        ]
    )
    never.set()
    assert time.monotonic() - began < 5
    assert done.checks[0].finding.verdict is Verdict.FAIL
    assert "no answer within" in done.checks[0].finding.value
    assert done.checks[1].finding.verdict is Verdict.PASS


def test_a_check_that_breaks_stops_no_other() -> None:
    def settings() -> Finding:
        raise SettingsError("unknown setting `memroy`", where="environments/prod.yaml:18", hint="memory")

    def broken() -> Finding:
        return passed(str(1 // 0))

    done = run_checks(
        [Check("s", "s", settings), Check("b", "b", broken), Check("f", "f", lambda: passed("y"))]
    )
    assert done.checks[0].finding == failed("environments/prod.yaml:18: unknown setting `memroy`", "memory")
    assert "ZeroDivisionError" in done.checks[1].finding.value
    assert done.count(Verdict.PASS) == 1


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([passed("")], ExitCode.DONE),
        ([passed(""), warned("", "r"), skipped("")], ExitCode.DONE),
        ([passed(""), failed("", "r")], ExitCode.PARTLY),
    ],
)
def test_the_exit_code_counts_failures_only(findings: list[Finding], code: ExitCode) -> None:
    done = run_checks([Check(str(n), str(n), lambda f=f: f) for n, f in enumerate(findings)])
    assert done.exit_code is code


# --- the machine -------------------------------------------------------------------------------------------


def test_an_old_processor_is_said_before_the_model_crashes(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse2 fma f16c bmi2\n")
    found = machine.architecture("x86_64", cpuinfo=cpuinfo)
    assert found.verdict is Verdict.WARN
    assert "avx2" in found.value
    assert "OPENAI_API_KEY" in found.remedy
    assert machine.architecture("x86_64", cpuinfo=cpuinfo, local=False) == passed("x86_64")
    assert machine.architecture("aarch64", cpuinfo=cpuinfo) == passed("aarch64")
    assert machine.architecture("riscv64", cpuinfo=cpuinfo).verdict is Verdict.FAIL


def test_control_groups_of_both_versions(tmp_path: Path) -> None:
    listing = tmp_path / "cgroups"
    listing.write_text(
        "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t9\t1\nmemory\t2\t9\t0\npids\t3\t9\t1\n"
    )
    found = machine.control_groups("1", root=tmp_path, listing=listing)
    assert found.verdict is Verdict.FAIL
    assert found.value == "version 1, without memory: limits would not hold"
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    assert machine.control_groups("2", root=tmp_path).verdict is Verdict.PASS


# --- the engine --------------------------------------------------------------------------------------------


def test_no_engine_fails_with_the_next_command() -> None:
    error = EngineUnreachable("no Docker Engine answers", hint="chatbot setup")
    assert engine.reachable(error) == failed("no Docker Engine answers", "chatbot setup")
    assert engine.reachable(DESCRIPTION).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("version", "verdict"), [("1.40", Verdict.FAIL), ("1.41", Verdict.PASS), ("1.52", Verdict.PASS)]
)
def test_api_version(version: str, verdict: Verdict) -> None:
    described = EngineDescription(kind="docker", version="", api_version=version, address="")
    assert engine.api_version(described).verdict is verdict


@pytest.mark.parametrize(
    ("driver", "verdict"),
    [("overlay2", Verdict.PASS), ("vfs", Verdict.WARN), ("aufs", Verdict.WARN), ("", Verdict.SKIP)],
)
def test_storage_driver(driver: str, verdict: Verdict) -> None:
    described = EngineDescription(
        kind="docker", version="", api_version="", address="", storage_driver=driver
    )
    assert engine.storage_driver(described).verdict is verdict


@pytest.mark.parametrize(
    ("skew", "verdict", "words"),
    [
        (0.4, Verdict.PASS, "within 2 s of the engine"),
        (-20, Verdict.PASS, "20 s ahead of the engine"),
        (90, Verdict.WARN, "90 s behind the engine"),
        (-4000, Verdict.FAIL, "4000 s ahead of the engine"),
    ],
)
def test_clock(skew: float, verdict: Verdict, words: str) -> None:
    found = network.judge_skew(skew, "the engine")
    assert found.verdict is verdict
    assert found.value == words
    assert bool(found.remedy) is (verdict is not Verdict.PASS)


# --- size --------------------------------------------------------------------------------------------------


def test_more_processors_wanted_than_there_are() -> None:
    assert capacity.processors(STACK, 4) == passed("4")
    found = capacity.processors(STACK, 1)
    assert found.verdict is Verdict.FAIL
    assert found.value == "1, and backend asks for 2"
    assert "services.backend.limits.cpus" in found.remedy


def test_memory_is_compared_with_all_replicas(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n")
    assert capacity.memory(STACK, 8 * GIB, meminfo=meminfo) == passed(
        "8.0 GiB, 6.0 GiB of it free; the limits add up to 4.1 GiB"
    )
    assert capacity.memory(STACK, 4 * GIB, meminfo=meminfo).verdict is Verdict.WARN
    meminfo.write_text("MemAvailable: 1024 kB\n")
    assert capacity.memory(None, 8 * GIB, meminfo=meminfo).verdict is Verdict.WARN


@pytest.mark.parametrize(("free", "verdict"), [(1, Verdict.FAIL), (5, Verdict.WARN), (50, Verdict.PASS)])
def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, verdict: Verdict) -> None:
    usage = type("Usage", (), {"free": free * GIB, "total": 100 * GIB})
    monkeypatch.setattr(capacity.shutil, "disk_usage", lambda _path: usage)
    found = capacity.disk(str(tmp_path / "not" / "there"), local=True)
    assert found.verdict is verdict
    assert found.value.startswith(f"{free}.0 GiB free of 100 GiB")
    assert capacity.disk("/var/lib/docker", local=False).verdict is Verdict.SKIP


# --- the environment ---------------------------------------------------------------------------------------


def test_ports_free_own_or_held() -> None:
    assert environment.ports(STACK, None, lambda *_: "") == passed("3000: free")
    found = environment.ports(STACK, Observed(), lambda *_: "nginx (process 812)")
    assert found.verdict is Verdict.FAIL
    assert found.value == "held: 3000 by nginx (process 812)"
    own = container("proxy", "running", ports=(("127.0.0.1", 3000, 3000, "tcp"),))
    assert environment.ports(STACK, Observed((own,)), lambda *_: "docker-proxy") == passed(
        "3000: served by this stack"
    )


def test_leftovers_are_named() -> None:
    assert environment.leftovers(STACK, Observed((container("a", "running"),))) == passed("none")
    found = environment.leftovers(STACK, Observed((container("b", "exited"), container("a", "created"))))
    assert found.verdict is Verdict.WARN
    assert found.value == "2 stopped: a, b"


def test_a_lock_is_named_with_its_age() -> None:
    assert environment.lock(STACK, None) == passed("free")
    found = environment.lock(STACK, LockHolder("ana@desk", "deploy", since=1000.0), now=1120.0)
    assert found.value == "held by ana@desk for deploy, since 2 min"
    assert found.remedy == "wait for it to end"
    old = environment.lock(STACK, LockHolder("ana@desk", "deploy", since=0.0), now=9000.0)
    assert "nobody deploys" in old.remedy


def test_secret_files_open_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    assert environment.secret_permissions(tmp_path) == passed("no secrets files yet")
    file = folder / "prod.env.docker"
    file.write_text("JWT_SECRET=do-not-show-this\n")
    file.chmod(0o640)
    found = environment.secret_permissions(tmp_path)
    assert found == failed(
        "environments/prod.env.docker is open to others (mode 0640)", "chmod 600 environments/prod.env.docker"
    )
    file.chmod(0o600)
    found = environment.secret_permissions(tmp_path)
    assert found.verdict is Verdict.PASS
    assert "do-not-show-this" not in found.value


def test_a_proxys_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ana:hidden@proxy.example:3128")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    found = network.proxies()
    assert "proxy.example:3128" in found.value
    assert "hidden" not in found.value
    assert found.verdict is Verdict.WARN
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert network.proxies().verdict is Verdict.PASS
