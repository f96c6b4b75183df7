"""Checks of size: disk, memory, processors, against what the environment's settings ask for."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.stack.model import Stack

GIB = 1024**3
MIB = 1024**2
NANO = 1_000_000_000
DISK_NEEDED = 2 * GIB
"""Below this the images of a first deploy do not fit (base images 0.3, builds 1, cache 0.5 GiB)."""
DISK_COMFORTABLE = 10 * GIB


def disk(root_directory: str, *, local: bool) -> Finding:
    """Room where the engine keeps images and volumes."""
    if not local:
        return skipped("the engine is on another machine")
    path = Path(root_directory or "/var/lib/docker")
    while not path.exists() and path != path.parent:
        path = path.parent
    usage = shutil.disk_usage(path)
    value = f"{size(usage.free)} free of {size(usage.total)} at {root_directory or path}"
    if usage.free < DISK_NEEDED:
        return failed(value, "docker image prune; docker builder prune; or a larger disk")
    if usage.free < DISK_COMFORTABLE:
        return warned(value, "docker image prune; docker builder prune  make room")
    return passed(value)


def memory(stack: Stack | None, total: int, *, meminfo: Path | None = Path("/proc/meminfo")) -> Finding:
    """Memory for all replicas at their limits, as far as it is free. `total` (bytes) is the engine's."""
    available = _available(meminfo) if meminfo else None
    if not total and available is None:
        return skipped("not known")
    wanted = sum(service.limits.memory * service.replicas for service in stack.services) if stack else 0
    value = f"{size(total)}" + (f", {size(available)} of it free" if available is not None else "")
    if wanted:
        value += f"; the limits add up to {size(wanted)}"
    if wanted > total > 0:
        return warned(value, "lower limits.memory in environments/, or take a larger machine")
    if available is not None and available < 512 * MIB:
        return warned(value, "end what uses the memory:  ps aux --sort=-rss | head")
    return passed(value)


def processors(stack: Stack | None, count: int) -> Finding:
    """No container may ask for more processors than there are: the engine refuses to create it."""
    if not count:
        return skipped("not known")
    if stack:
        for service in stack.services:
            if service.limits.cpus > count * NANO:
                return failed(
                    f"{count}, and {service.name} asks for {service.limits.cpus / NANO:g}",
                    f"lower services.{service.name}.limits.cpus to {count} or less in environments/",
                )
    return passed(str(count))


def _available(meminfo: Path) -> int | None:
    """MemAvailable in bytes (proc(5)), None where the kernel does not say."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def size(count: int) -> str:
    """Bytes for people: "1.5 GiB"."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}" if count < 100 * factor else f"{count / factor:.0f} {unit}"
    return f"{count} B"
