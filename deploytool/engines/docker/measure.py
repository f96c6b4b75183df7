"""What containers, volumes and images use: all asked at once, each within its time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from deploytool.engines.docker import health, kernel, observe
from deploytool.engines.docker.client import Client, segment
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
    """Bytes that went through a container's network since its start; None when that cannot be known."""
    inspected = client.inspect(container)
    if inspected is None or not inspected["State"]["Running"]:
        return None
    taken = _sample(client, inspected["Id"], client.timeout)
    return taken.traffic if taken else None


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
        names = [reference, *observe.spellings(reference)]
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


def _sampler(client: Client, identity: str, timeout: float) -> Callable[[], kernel.Sample | None]:
    return lambda: _sample(client, identity, timeout)


def _sample(client: Client, identity: str, timeout: float) -> kernel.Sample | None:
    """From the kernel where that is this machine's own, else from the engine's one-shot statistics."""
    if client.address.local:
        taken = kernel.sample(identity)
        if taken is None and (found := client.inspect(identity)):
            taken = kernel.sample(identity, found["State"].get("Pid") or 0)
        if taken is not None:
            return taken
    answer = client.call(
        "GET",
        f"/containers/{segment(identity)}/stats",
        parameters={"stream": False, "one-shot": True},
        timeout=timeout,
    ).json()
    return from_statistics(answer, time.monotonic())


def from_statistics(answer: Mapping[str, Any], now: float) -> kernel.Sample | None:
    """The engine's statistics as a sample; None when they are empty.

    The page cache that can be dropped is not counted, as in `docker stats`: cgroup v1 calls it
    total_inactive_file, v2 inactive_file.
    """
    memory = answer.get("memory_stats") or {}
    if not memory.get("usage"):
        return None
    usage, details = int(memory["usage"]), memory.get("stats") or {}
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    networks = list((answer.get("networks") or {}).values())
    return kernel.Sample(
        at=observe.seconds(answer.get("read", "")) or now,
        cpu=int(answer["cpu_stats"]["cpu_usage"]["total_usage"]),
        memory=usage - cache if cache < usage else usage,
        memory_limit=int(memory.get("limit", 0)),
        processes=(answer.get("pids_stats") or {}).get("current"),
        received=sum(int(n.get("rx_bytes", 0)) for n in networks) if networks else None,
        sent=sum(int(n.get("tx_bytes", 0)) for n in networks) if networks else None,
        read=_disk(answer, "read"),
        written=_disk(answer, "write"),
    )


def _disk(answer: Mapping[str, Any], kind: str) -> int:
    entries = (answer.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    return sum(int(entry["value"]) for entry in entries if entry.get("op", "").lower() == kind)


def _usage(first: kernel.Sample | None, second: kernel.Sample | None) -> Usage:
    last = second or first
    if last is None:
        return Usage()
    cpus = None
    if first and second and second.at > first.at:
        cpus = max((second.cpu - first.cpu) / 1e9 / (second.at - first.at), 0.0)
    return Usage(
        cpus=cpus,
        memory=last.memory,
        memory_limit=last.memory_limit,
        network_received=last.received,
        network_sent=last.sent,
        disk_read=last.read,
        disk_written=last.written,
        processes=last.processes,
    )


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
