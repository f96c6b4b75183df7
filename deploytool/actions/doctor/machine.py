"""Checks that need this machine alone."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from pathlib import Path

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.actions.setup.commands import run

OLDEST_PYTHON = (3, 11)
MODEL_FLAGS = frozenset({"avx2", "fma", "f16c", "bmi2"})
"""What the local model's runtime is compiled for; without them it dies of an illegal instruction."""
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def python_version() -> Finding:
    """The interpreter that runs this command."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return failed(version, "install Python 3.11 or newer, then  make clean up")
    where = "in a virtual environment" if sys.prefix != sys.base_prefix else "of the system"
    return passed(f"{version}, {where}")


def architecture(
    engine_architecture: str, *, cpuinfo: Path = Path("/proc/cpuinfo"), local: bool = True
) -> Finding:
    """The engine's architecture, and whether its processor can run the local model."""
    name = engine_architecture or platform.machine()
    known = ARCHITECTURES.get(name.lower())
    if known is None:
        return failed(
            f"{name}: there are no images for it",
            "deploy on an x86_64 or aarch64 machine (DOCKER_HOST=ssh://…)",
        )
    if known == "x86_64" and local:
        missing = sorted(MODEL_FLAGS - processor_flags(cpuinfo))
        if missing:
            return warned(
                f"{known} without {', '.join(missing)}: too old for the local model",
                "give OPENAI_API_KEY (or OPENAI_BASE_URL) in environments/<env>.env.docker",
            )
    return passed(known)


def processor_flags(cpuinfo: Path) -> frozenset[str]:
    """What the first processor can do, in the kernel's words; empty where it does not say."""
    try:
        match = re.search(r"^flags\s*:\s*(.*)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(match[1].split()) if match else frozenset()


def control_groups(
    engine_version: str, *, root: Path = Path("/sys/fs/cgroup"), listing: Path = Path("/proc/cgroups")
) -> Finding:
    """The version of control groups, and whether the kernel can limit memory, CPU and processes."""
    wanted = {"memory", "cpu", "pids"}
    unified = root / "cgroup.controllers"
    if unified.exists():
        version, present = "2", set(unified.read_text(encoding="ascii").split())
    else:
        rows = [line.split() for line in listing.read_text(encoding="ascii").splitlines() if line[:1] != "#"]
        version, present = "1", {row[0] for row in rows if len(row) == 4 and row[3] == "1"}
    if engine_version and engine_version != version:
        version = f"{engine_version} (this machine: {version})"
    missing = sorted(wanted - present)
    if missing:
        return failed(
            f"version {version}, without {', '.join(missing)}: limits would not hold",
            "boot the kernel with  cgroup_enable=memory swapaccount=1",
        )
    return passed(f"version {version}, with {', '.join(sorted(wanted))}")


def git() -> Finding:
    """Git, which images are labelled with the revision by."""
    if shutil.which("git") is None:
        return warned("not installed: images carry no revision", "apt-get install git")
    return passed(run(["git", "--version"], timeout=5).lines[0].removeprefix("git version "))


def compose() -> Finding:
    """Docker Compose, which nothing here needs, but which handles what is deployed here."""
    for command in (["docker", "compose", "version", "--short"], ["docker-compose", "version", "--short"]):
        outcome = run(command, timeout=8)
        if outcome.code == 0 and outcome.lines:
            return passed(f"{outcome.lines[-1]} (not needed)")
    return skipped("not installed, and not needed")


def command_line(link: str) -> Finding:
    """Whether typing `chatbot` in a shell finds a command."""
    found = shutil.which("chatbot")
    if found is None:
        return warned("`chatbot` is not in PATH", f"chatbot setup  links it to {link}; or activate .venv")
    return passed(found)
