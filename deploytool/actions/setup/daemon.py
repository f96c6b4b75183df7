"""Starts the Docker Engine and waits until it answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploytool.actions.setup.commands import LAST_LINES, Report, as_root, run
from deploytool.actions.setup.machine import LOCAL_SOCKET, EngineState, engine_state
from deploytool.errors import SetupFailed

LOG_FILE = "/var/log/dockerd.log"
PID_FILE = "/var/run/docker.pid"
PID_FILES = {PID_FILE: "dockerd", "/var/run/docker/containerd/containerd.pid": "containerd"}
"""Where the engine and its helper write their process ids, and what those processes are called."""
PATIENCE = 60.0
"""Seconds a starting engine has to answer: the first start on a slow disk takes some."""

# --fork and a session of its own: the engine outlives this command and its terminal. The script is a
# constant; it begins the log anew, so that what is read from it after a failure is of this start.
_PLAIN = ("setsid", "--fork", "sh", "-c", f"exec dockerd >{LOG_FILE} 2>&1 </dev/null")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a line of the engine's log means for the operator."""

    sign: str
    meaning: str
    remedy: str


TROUBLES = (
    Trouble(
        "iptables",
        "the kernel offers no NAT table to iptables, which the engine's networks need",
        "load the modules (modprobe ip_tables iptable_nat nf_nat) or switch to the other back end "
        "(update-alternatives --set iptables /usr/sbin/iptables-legacy), then  chatbot setup",
    ),
    Trouble(
        "ip_tables",
        "the kernel module ip_tables is not there",
        "modprobe ip_tables iptable_nat on the host, then  chatbot setup",
    ),
    Trouble(
        "cgroup",
        "no control groups are mounted, so no container could be limited",
        "run this on a machine or in a virtual machine, or in a container that was started with "
        "--privileged --cgroupns=host",
    ),
    Trouble(
        "overlay",
        "the disk under /var/lib/docker does not carry overlay2",
        'put {"data-root": "…"} on another disk, or {"storage-driver": "vfs"} (slow, copies whole images), '
        "into /etc/docker/daemon.json, then  chatbot setup",
    ),
    Trouble(
        "graphdriver",
        "the storage driver it is told to use does not work on this disk",
        'take "storage-driver" out of /etc/docker/daemon.json, or put another there (overlay2, or vfs, which '
        "is slow), then  chatbot setup",
    ),
    Trouble(
        "no space left",
        "the disk is full",
        "make room under /var/lib/docker, then  chatbot setup",
    ),
    Trouble(
        "operation not permitted",
        "the kernel refuses what the engine needs: this is a container without privileges",
        "run this on a machine or in a virtual machine, or in a container that was started with --privileged",
    ),
    Trouble(
        "permission denied",
        "the engine may not do what it needs",
        "run  chatbot setup  as root",
    ),
)


def start_engine(
    ways: Sequence[str], *, root: bool, sudo: str, report: Report, patience: float = PATIENCE
) -> str:
    """Start the engine by the first way that makes it answer, and return that way.

    Raises SetupFailed with the engine's last log lines; RootNeeded. `patience` in seconds, per way.
    """
    # Installing the package may have started it already.
    if wait_until_it_answers(2.0 if "systemd" in ways else 0.5):
        return "installed"
    evidence: list[str] = []
    stale = stale_pid_files(PID_FILES) if "systemd" not in ways else ()
    if stale:
        report(f"removing what an engine that is gone left behind: {', '.join(stale)}")
        run(as_root(["rm", "-f", *stale], root=root, sudo=sudo), timeout=30)
    for way in ways:
        report(f"starting the Docker Engine ({way})")
        if way == "systemd":
            outcome = run(
                as_root(["systemctl", "enable", "--now", "docker"], root=root, sudo=sudo), timeout=180
            )
        elif way == "service":
            outcome = run(as_root(["service", "docker", "start"], root=root, sudo=sudo), timeout=60)
        else:
            outcome = run(as_root(_PLAIN, root=root, sudo=sudo), timeout=30)
        # A service script that failed has started nothing worth a long wait.
        if wait_until_it_answers(patience if outcome.code == 0 else 2.0, while_running=way != "systemd"):
            return way
        evidence.extend(outcome.lines[-LAST_LINES:])
    raise _explain([*evidence, *_log_lines(root, sudo, ways)])


def wait_until_it_answers(patience: float, *, while_running: bool = False, pause: float = 0.1) -> bool:
    """Poll the socket for up to `patience` seconds. With `while_running`, stop once the process has ended."""
    began = time.monotonic()
    while True:
        # A socket that denies this user is a running engine too: the group is another step.
        if engine_state(LOCAL_SOCKET) is not EngineState.ABSENT:
            return True
        waited = time.monotonic() - began
        if waited > patience or (while_running and waited > 5 and not _process_runs()):
            return False
        time.sleep(pause)


def stale_pid_files(files: Mapping[str, str], *, processes: Path = Path("/proc")) -> tuple[str, ...]:
    """Those of the pid files that name a process of another name, or none.

    The engine refuses to start while the number in its file belongs to any process at all, which is
    somebody else's after a power failure or on a machine that was copied.
    """
    stale = []
    for path, name in files.items():
        try:
            number = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        try:
            alive = (processes / number / "comm").read_text(encoding="utf-8").strip() == name
        except OSError:
            alive = False
        if not alive:
            stale.append(path)
    return tuple(stale)


def _process_runs() -> bool:
    try:
        process = Path(PID_FILE).read_text(encoding="ascii").strip()
    except OSError:
        return False
    return Path("/proc", process).is_dir()


def _log_lines(root: bool, sudo: str, ways: Sequence[str]) -> list[str]:
    if "systemd" in ways:
        arguments = ["journalctl", "--unit", "docker", "--no-pager", "--output", "cat", "--lines", "40"]
        return list(run(as_root(arguments, root=root, sudo=sudo), timeout=30).lines)
    lines: list[str] = []
    for log in (LOG_FILE, "/var/log/docker.log"):
        outcome = run(as_root(["tail", "-n", "40", log], root=root, sudo=sudo), timeout=30)
        lines.extend(outcome.lines if outcome.code == 0 else ())
    return lines


def _explain(lines: Sequence[str]) -> SetupFailed:
    """The error for an engine that did not come up, from what it wrote last."""
    fatal = [line for line in lines if "failed to start daemon" in line.lower() or "level=fatal" in line]
    for trouble in TROUBLES:
        if any(trouble.sign in line.lower() for line in (fatal or lines)):
            return SetupFailed(
                f"the Docker Engine does not start: {trouble.meaning}",
                hint=trouble.remedy,
                details=(fatal or list(lines))[-LAST_LINES:],
            )
    said = fatal or [line for line in lines if "level=info" not in line]
    return SetupFailed(
        "the Docker Engine does not start",
        hint=f"read {LOG_FILE}, then try  dockerd  by hand to see what it says",
        details=said[-LAST_LINES:],
    )
