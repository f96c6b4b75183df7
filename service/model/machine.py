"""What the machine offers to the model: processor features and the processors this container may use."""

from __future__ import annotations

import os
import platform
from pathlib import Path

# The published wheels for x86-64 are compiled for these; without one the first such instruction is a SIGILL.
NEEDED_ON_X86 = ("avx2", "fma", "f16c", "bmi2")


def missing_processor_features(
    cpuinfo: Path = Path("/proc/cpuinfo"), architecture: str | None = None
) -> list[str]:
    """Return the needed features this processor lacks; empty when it has all or can't be asked."""
    if (architecture or platform.machine()) not in ("x86_64", "AMD64"):
        return []
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            has = set(value.split())
            return [feature.upper() for feature in NEEDED_ON_X86 if feature not in has]
    return []


def usable_processors(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many processors this container may keep busy, at least 1.

    The smaller of the affinity mask and the CPU limit, which is `cpu.max` in cgroup version 2 and
    `cpu.cfs_quota_us` over `cpu.cfs_period_us` in version 1.
    """
    visible = len(os.sched_getaffinity(0))
    try:
        quota, period = (cgroups / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (cgroups / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (cgroups / "cpu/cpu.cfs_period_us").read_text(encoding="ascii")
        except OSError:
            return visible
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return visible
    return visible if limit <= 0 else max(1, min(visible, int(limit)))
