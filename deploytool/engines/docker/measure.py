"""What containers, volumes and images use: all asked at once, each within its time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from deploytool.engines.docker import health
from deploytool.engines.docker.client import Client, segment
from deploytool.engines.docker.observe import spellings
from deploytool.engines.protocol import Usage
from deploytool.errors import ChatbotError
from deploytool.plan.observed import ObservedContainer

BETWEEN = 0.25
"""Seconds between the two samples that CPU use is worked out from."""

T = TypeVar("T")


def measure(client: Client, containers: Sequence[ObservedContainer], *, deadline: float) -> dict[str, Usage]:
    """Usage by container id; empty Usage for what does not run or does not answer in time."""
    until = time.monotonic() + deadline
    running = [c.id for c in containers if c.state in ("running", "paused")]
    first = _at_once({i: _sampler(client, i, deadline) for i in running}, until - min(BETWEEN, deadline / 2))
    time.sleep(max(min(BETWEEN, until - time.monotonic()), 0))
    second = _at_once({i: _sampler(client, i, deadline) for i in first}, until)
    found = {i: _usage(first[i], second.get(i)) for i in first}
    return {c.id: found.get(c.id, Usage()) for c in containers}


def probe_all(client: Client, containers: Sequence[ObservedContainer], *, deadline: float) -> dict[str, str]:
    """Health by container id; the command of those still "starting" is run, unless nothing may be written."""
    until = time.monotonic() + deadline
    known = {c.id: c.health for c in containers if c.health}
    if client.read_only:
        return known
    starting = [c.id for c in containers if c.health == "starting" and c.state == "running"]

    def ask(identity: str) -> Callable[[], str]:
        def run() -> str:
            inspected = client.inspect(identity)
            if inspected is None or not health.command_of(inspected):
                return "starting"
            now = str((inspected["State"].get("Health") or {}).get("Status", ""))
            if now in ("healthy", "unhealthy"):
                return now
            found = health.probe(client, inspected, timeout=deadline)
            return "healthy" if found.healthy else "starting"

        return run

    return known | _at_once({identity: ask(identity) for identity in starting}, until)


def traffic(client: Client, container: str) -> int | None:
    """Bytes that went through a container's network since its start; None when it does not run."""
    answer = client.call(
        "GET",
        f"/containers/{segment(container)}/stats",
        parameters={"stream": False, "one-shot": True},
        expect=(404, 409),
    )
    if answer.status_code >= 400:
        return None
    networks = answer.json().get("networks")
    if not networks:
        return None
    return sum(int(n.get("rx_bytes", 0)) + int(n.get("tx_bytes", 0)) for n in networks.values())


def volume_sizes(client: Client, names: Sequence[str], *, deadline: float) -> dict[str, int | None]:
    """Bytes on disk by volume name.

    On this machine's engine the folders are walked directly; `GET /system/df` would measure every volume,
    image and container of the engine.
    """
    if not names:
        return {}
    until = time.monotonic() + deadline
    sizes: dict[str, int | None] = dict.fromkeys(names)
    rest = set(names)
    if client.address.local:

        def walk(name: str) -> Callable[[], int | None]:
            def run() -> int | None:
                volume = client.find(f"/volumes/{segment(name)}")
                return _size_of(volume["Mountpoint"], until) if volume else None

            return run

        walked = _at_once({name: walk(name) for name in names}, until)
        sizes |= walked
        rest -= {name for name, size in walked.items() if size is not None}
    if rest and time.monotonic() < until:
        # From API 1.42 on one may ask for volumes alone.
        wanted = {"type": "volume"} if client.api_version >= (1, 42) else {}

        def ask() -> dict[str, int]:
            left = max(until - time.monotonic(), 0.1)
            found = client.call("GET", "/system/df", parameters=wanted, timeout=left).json()
            return {
                v["Name"]: int(v["UsageData"]["Size"])
                for v in found.get("Volumes") or []
                if (v.get("UsageData") or {}).get("Size", -1) >= 0
            }

        for answer in _at_once({"df": ask}, until).values():
            sizes |= {name: answer[name] for name in rest if name in answer}
    return sizes


def image_sizes(client: Client, references: Sequence[str]) -> dict[str, int | None]:
    """Bytes of each image, all its layers counted."""
    known: dict[str, int] = {}
    for image in client.get("/images/json"):
        for name in (image.get("RepoTags") or []) + (image.get("RepoDigests") or []) + [image["Id"]]:
            known[name] = int(image["Size"])
    found: dict[str, int | None] = {}
    for reference in references:
        names = [reference, *spellings(reference)]
        found[reference] = next((known[name] for name in names if name in known), None)
    return found


def _at_once(tasks: Mapping[str, Callable[[], T]], until: float) -> dict[str, T]:
    """Run all, each in a thread; what is done by `until` (monotonic). Failed ones are left out.

    Daemon threads: one that hangs on a stuck container must not keep the command from ending either.
    """
    results: dict[str, T] = {}
    lock = threading.Lock()
    left = threading.Semaphore(0)

    def run(name: str, task: Callable[[], T]) -> None:
        try:
            value = task()
        except (ChatbotError, OSError, ValueError, KeyError, TypeError):
            return
        else:
            with lock:
                results[name] = value
        finally:
            left.release()

    for name, task in tasks.items():
        threading.Thread(target=run, args=(name, task), daemon=True).start()
    for _ in tasks:
        if not left.acquire(timeout=max(until - time.monotonic(), 0.001)):
            break
    with lock:
        return dict(results)


def _sampler(client: Client, identity: str, timeout: float) -> Callable[[], dict[str, Any]]:
    def run() -> dict[str, Any]:
        answer: dict[str, Any] = client.call(
            "GET",
            f"/containers/{segment(identity)}/stats",
            parameters={"stream": False, "one-shot": True},
            timeout=timeout,
        ).json()
        return answer | {"sampled": time.monotonic()}

    return run


def _usage(first: Mapping[str, Any], second: Mapping[str, Any] | None) -> Usage:
    last = second or first
    memory = last.get("memory_stats") or {}
    if not memory.get("usage"):
        return Usage()
    networks = (last.get("networks") or {}).values()
    return Usage(
        cpus=_cpus(first, second) if second else None,
        memory=_memory(memory),
        memory_limit=memory.get("limit"),
        network_received=sum(n.get("rx_bytes", 0) for n in networks) if networks else None,
        network_sent=sum(n.get("tx_bytes", 0) for n in networks) if networks else None,
        disk_read=_disk(last, "read"),
        disk_written=_disk(last, "write"),
        processes=(last.get("pids_stats") or {}).get("current"),
    )


def _cpus(first: Mapping[str, Any], second: Mapping[str, Any]) -> float | None:
    """CPU time used per time passed, by the engine's own clock where it gives one."""
    from deploytool.engines.docker.observe import seconds

    used = second["cpu_stats"]["cpu_usage"]["total_usage"] - first["cpu_stats"]["cpu_usage"]["total_usage"]
    passed = seconds(second.get("read", "")) - seconds(first.get("read", ""))
    if passed <= 0:
        passed = float(second["sampled"]) - float(first["sampled"])
    return max(used / 1e9 / passed, 0.0) if passed > 0 else None


def _memory(memory: Mapping[str, Any]) -> int:
    """Usage without the page cache that can be dropped, as `docker stats` shows it.

    cgroup v1 calls it total_inactive_file, v2 inactive_file.
    """
    usage, details = int(memory["usage"]), memory.get("stats") or {}
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    return usage - cache if cache < usage else usage


def _disk(sample: Mapping[str, Any], kind: str) -> int:
    entries = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    return sum(entry["value"] for entry in entries if entry.get("op", "").lower() == kind)


def _size_of(folder: str, until: float) -> int | None:
    """Bytes that a folder's files occupy; None when it may not be read or time is up."""
    total, waiting = 0, [folder]
    seen: set[tuple[int, int]] = set()
    while waiting:
        if time.monotonic() > until:
            return None
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (status.st_dev, status.st_ino) in seen:
                            continue
                        seen.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            if not Path(folder).is_dir():
                return None  # the engine's disk is not this machine's
        except OSError:
            return None
    return total
