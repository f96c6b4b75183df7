"""Limits are in force: the kernel's own figures, and what happens to those who go over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import engines

from deploytool.engines.docker import kernel
from deploytool.plan.observed import ObservedContainer
from deploytool.stack.model import Resources

pytestmark = pytest.mark.docker

MEMORY = 48 * 2**20


def test_the_kernel_enforces_what_the_stack_says(world: engines.World) -> None:
    limits = Resources(cpus=250_000_000, memory=MEMORY, pids=37)
    reservations = Resources(memory=16 * 2**20)
    seen = world.up(world.service(limits=limits, reservations=reservations))
    figures = _figures(seen)
    assert figures["memory"] == MEMORY
    assert figures["pids"] == 37
    assert figures["cpus"] == pytest.approx(0.25)
    assert figures["reservation"] == 16 * 2**20


def test_a_container_over_its_memory_is_killed_and_started_again(world: engines.World) -> None:
    service = world.service(
        "sh", "-c", "sleep 0.2; tail /dev/zero", limits=Resources(memory=MEMORY), restart="unless-stopped"
    )
    seen = world.up(service)
    again = world.until(seen.name, lambda c: c.restarts > 0)
    assert again.oom_killed, "it runs again, and the reason of its restart is still known"


def test_a_process_killed_inside_a_container_that_lives_on(world: engines.World) -> None:
    seen = world.up(
        world.service("sh", "-c", "tail /dev/zero; sleep 100000", limits=Resources(memory=MEMORY))
    )
    assert world.until(seen.name, lambda c: c.oom_killed).running


def test_the_process_limit_holds(world: engines.World) -> None:
    seen = world.up(world.service(limits=Resources(memory=MEMORY, pids=8)))
    code, output = world.engine.execute(
        seen, ("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done")
    )
    assert b"can't fork" in output
    assert code != 0


def test_the_cpu_limit_holds_and_is_measured(world: engines.World) -> None:
    limits = Resources(memory=MEMORY, cpus=200_000_000)
    seen = world.up(world.service("sh", "-c", "while :; do :; done", limits=limits))
    world.until(seen.name, lambda c: c.running)
    usage = [world.engine.measure([seen], deadline=5)[seen.id].cpus for _ in range(4)]
    assert all(cpus is not None for cpus in usage)
    # The kernel hands out CPU time in periods of 100 ms: one sample may be off by a period.
    assert max(cpus for cpus in usage if cpus is not None) < 0.4
    assert max(cpus for cpus in usage if cpus is not None) > 0.02


def _figures(seen: ObservedContainer) -> dict[str, float]:
    def read(*parts: str) -> list[str]:
        return Path(*parts).read_text().split()

    if (kernel.CGROUPS / "cgroup.controllers").exists():
        folder = kernel._folder(kernel.CGROUPS, seen.id, "")
        assert folder
        quota, period = read(str(folder), "cpu.max")
        return {
            "memory": int(read(str(folder), "memory.max")[0]),
            "reservation": int(read(str(folder), "memory.low")[0]),
            "pids": int(read(str(folder), "pids.max")[0]),
            "cpus": int(quota) / int(period),
        }
    folders = {
        name: str(kernel._folder(kernel.CGROUPS / name, seen.id, "")) for name in ("memory", "pids", "cpu")
    }
    quota, period = (int(read(folders["cpu"], f"cpu.cfs_{name}_us")[0]) for name in ("quota", "period"))
    return {
        "memory": int(read(folders["memory"], "memory.limit_in_bytes")[0]),
        "reservation": int(read(folders["memory"], "memory.soft_limit_in_bytes")[0]),
        "pids": int(read(folders["pids"], "pids.max")[0]),
        "cpus": quota / period,
    }
