"""The kernel's files, both cgroup versions, and its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploytool.engines.docker import kernel, measure, memory_kills

ID = "ab" * 32


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernel, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(kernel, "PROC", tmp_path / "proc")
    _write(tmp_path / "proc", meminfo="MemTotal:       1024 kB\n")
    device = "head\nhead\n    lo:    9    1 0 0 0 0 0 0    9 1\n  eth0:  100    1 0 0 0 0 0 0   40 1\n"
    _write(tmp_path / "proc" / "77" / "net", dev=device)
    return tmp_path


VERSION_2 = {
    "memory__current": "5000\n",
    "memory__stat": "anon 10\ninactive_file 1000\n",
    "memory__max": "8192\n",
    "cpu__stat": "usage_usec 12\nuser_usec 1\n",
    "pids__current": "3\n",
    "io__stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n",
    "cgroup__procs": "77\n78\n",
    "memory__events": "low 0\noom 2\noom_kill 2\n",
}


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
def test_version_2(places: Path, place: str) -> None:
    _write(places / "cgroup", cgroup__controllers="cpu memory\n")
    _write(places / "cgroup" / place, **VERSION_2)
    found = kernel.sample(ID)
    assert found is not None
    assert (found.cpu, found.memory, found.memory_limit, found.processes) == (12_000, 4000, 8192, 3)
    assert (found.received, found.sent, found.traffic) == (100, 40, 140)
    assert (found.read, found.written) == (11, 22)
    assert kernel.memory_kills(ID) == 2


def test_version_2_without_a_limit_in_an_unusual_place(places: Path) -> None:
    _write(places / "cgroup", cgroup__controllers="cpu memory\n")
    _write(places / "cgroup" / "mine" / ID, **VERSION_2 | {"memory__max": "max\n"})
    _write(places / "proc" / "77", cgroup=f"0::/mine/{ID}\n")
    assert kernel.sample(ID) is None
    found = kernel.sample(ID, pid=77)
    assert found is not None
    assert found.memory_limit == 1024 * 1024, "what the machine has"


def test_version_1(places: Path) -> None:
    root = places / "cgroup"
    _write(
        root / "memory" / "docker" / ID,
        memory__usage_in_bytes="5000",
        memory__stat="inactive_file 1\ntotal_inactive_file 1000\n",
        memory__limit_in_bytes="9223372036854771712",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        cgroup__procs="77\n",
    )
    _write(root / "cpuacct" / "docker" / ID, cpuacct__usage="12000")
    _write(root / "pids" / "docker" / ID, pids__current="3")
    _write(
        root / "blkio" / "docker" / ID,
        blkio__throttle__io_service_bytes_recursive="8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
    )
    found = kernel.sample(ID)
    assert found is not None
    assert (found.cpu, found.memory, found.memory_limit, found.processes) == (12_000, 4000, 1024 * 1024, 3)
    assert (found.traffic, found.read, found.written) == (140, 10, 20)
    assert kernel.memory_kills(ID) == 1


def test_a_container_that_is_not_there(places: Path) -> None:
    assert kernel.sample(ID) is None
    assert kernel.memory_kills(ID) == 0


def test_the_kernels_log_names_victims(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "6,1,2,-;something else\n"
        f"6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/{ID},task_memcg=/docker/{ID},task=x\n"
        "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,"
        f"task_memcg=/system.slice/docker-{'cd' * 32}.scope,task=y\n"
        "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/user.slice,task=z\n"
    )
    assert memory_kills.victims(log) == {ID, "cd" * 32}
    assert memory_kills.victims(tmp_path / "absent") == frozenset()


STATISTICS = {
    "read": "2026-01-01T00:00:01.5Z",
    "cpu_stats": {"cpu_usage": {"total_usage": 700}},
    "memory_stats": {"usage": 5000, "limit": 8192, "stats": {"inactive_file": 1000}},
    "pids_stats": {"current": 4},
    "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
    "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "write", "value": 6}]},
}


def test_the_engines_statistics_as_a_sample() -> None:
    found = measure.from_statistics(STATISTICS, now=0.0)
    assert found is not None
    assert (found.cpu, found.memory, found.memory_limit, found.processes) == (700, 4000, 8192, 4)
    assert (found.received, found.sent, found.read, found.written) == (11, 22, 5, 6)
    assert found.at % 60 == 1.5
    old = STATISTICS | {"memory_stats": {"usage": 5000, "stats": {"total_inactive_file": 2000}}}
    assert (measure.from_statistics(old, now=0.0) or found).memory == 3000


def test_empty_statistics_are_no_sample() -> None:
    assert measure.from_statistics({"read": "0001-01-01T00:00:00Z", "memory_stats": {}}, now=0.0) is None
