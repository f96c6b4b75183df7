"""Whether the kernel killed a container's process for using more memory than its limit.

The engine's own `OOMKilled` is asked first. It misses kills on some kernels (cgroup v1 with Docker 20.10
found no event for any) and forgets them when a restart policy starts the container again. On an engine of
this machine the kernel's log (root only) and the cgroup of a container that still runs know better.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploytool.engines.docker import kernel
from deploytool.engines.docker.client import Client

KERNEL_LOG = Path("/dev/kmsg")
KILLED = 137
"""Exit code of a process ended by SIGKILL (128 + 9)."""
_RECORD = 8192
"""The kernel's longest record (Documentation/ABI/testing/dev-kmsg)."""
_VICTIM = re.compile(r"oom-kill:.*task_memcg=\S*?([0-9a-f]{64})")


def killed(client: Client, inspected: Mapping[str, Any]) -> bool:
    """True when the out-of-memory killer ended the container or a process in it."""
    state = inspected["State"]
    if state.get("OOMKilled"):
        return True
    if not client.address.local:
        return False
    running = state["Status"] in ("running", "paused")
    if running and kernel.memory_kills(inspected["Id"]):
        return True
    restarted = inspected.get("RestartCount", 0) > 0
    ended = state["Status"] in ("exited", "dead") and state.get("ExitCode") == KILLED
    return (restarted or ended) and inspected["Id"] in victims(KERNEL_LOG)


def victims(log: Path) -> frozenset[str]:
    """Ids of containers that the kernel's log says lost a process; empty when it may not be read."""
    found: set[str] = set()
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return frozenset()
    try:
        while True:
            try:
                record = os.read(descriptor, _RECORD)
            except BrokenPipeError:
                continue  # records were overwritten while reading: go on with the oldest that is left
            except OSError:
                break  # nothing more for now
            if not record:
                break
            for line in record.decode(errors="replace").splitlines():
                match = _VICTIM.search(line)
                if match:
                    found.add(match[1])
    finally:
        os.close(descriptor)
    return frozenset(found)
