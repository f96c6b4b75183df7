"""Installs packages with apt-get, waiting its turn when another package manager is at work."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from deploytool.actions.setup.commands import Outcome, Report, as_root, require, run
from deploytool.errors import SetupFailed

LOCK_FILES = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
LOCK_PATIENCE = 600.0
"""Seconds to wait for another package manager; unattended upgrades at first boot take minutes."""

_GET = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", f"DPkg::Lock::Timeout={LOCK_PATIENCE:.0f}",
        "-o", "Acquire::Retries=5", "-q")  # fmt: skip


def install(packages: Sequence[str], *, root: bool, sudo: str, report: Report, update: bool = True) -> None:
    """Install the packages. Raises RootNeeded; SetupFailed with apt's last lines."""
    updated = Outcome(0, ())
    wait_for_locks(report)
    if update:
        report("apt-get update")
        # A package source that cannot be reached is no reason to stop: the packages may come from another.
        updated = run(as_root([*_GET, "update"], root=root, sudo=sudo))
        wait_for_locks(report)
    report(f"apt-get install {' '.join(packages)}")
    outcome = run(
        as_root([*_GET, "install", "-y", "--no-install-recommends", *packages], root=root, sudo=sudo)
    )
    if outcome.code != 0 and updated.code != 0:
        require(updated, "apt-get update", hint="look at the package sources in /etc/apt and the network")
    require(
        outcome,
        f"apt-get install {' '.join(packages)}",
        hint=f"see what apt says to  apt-get install {' '.join(packages)}",
    )


def wait_for_locks(
    report: Report, *, files: Sequence[str] = LOCK_FILES, patience: float = LOCK_PATIENCE, pause: float = 1.0
) -> None:
    """Wait until nobody holds the package manager's locks; `patience` and `pause` in seconds.

    Who may not open them (anyone but root) does not wait here but inside apt-get (DPkg::Lock::Timeout).
    """
    deadline = time.monotonic() + patience
    told = 0
    while holder := lock_holder(files):
        if holder != told:
            report(f"waiting for another package manager: {process_name(holder)} (process {holder})")
            told = holder
        if time.monotonic() > deadline:
            raise SetupFailed(
                f"{process_name(holder)} (process {holder}) has held the package manager's lock "
                f"for {patience:.0f} s",
                hint="wait for it to end, then  chatbot setup",
            )
        time.sleep(pause)


def lock_holder(files: Sequence[str]) -> int:
    """The process that holds one of the locks (fcntl(2), F_GETLK), or 0."""
    question = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    for path in files:
        try:
            with Path(path).open("rb+") as file:
                kind, _, _, _, process = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, question))
        except OSError:
            continue
        if kind != fcntl.F_UNLCK:
            return int(process)
    return 0


def process_name(process: int) -> str:
    """The process's command name, "a process" when it has gone."""
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "a process"
