"""Running the host's commands a recipe needs, with a clear word when one is missing or fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploytool.errors import BaseImageUnavailable

# Debian keeps administration tools here; an ordinary user's PATH often lacks it.
_ADMINISTRATION = "/usr/sbin:/sbin"
_LAST_LINES = 15


def find(command: str) -> str | None:
    """The command's full path, looked for in PATH and the administration directories."""
    return shutil.which(command, path=f"{os.environ.get('PATH', os.defpath)}:{_ADMINISTRATION}")


def require(commands: Mapping[str, str], *, wanted_for: str) -> None:
    """Raise BaseImageUnavailable naming the apt packages to install when one of the commands is missing."""
    missing = sorted({package for command, package in commands.items() if find(command) is None})
    if missing:
        raise BaseImageUnavailable(
            f"making the stand-in for {wanted_for} needs {', '.join(missing)} on this machine",
            hint=f"apt-get install {' '.join(missing)}    or    chatbot setup",
        )


def run(arguments: Sequence[str], *, doing: str, timeout: float, cwd: Path | None = None) -> str:
    """Run a command to its end and return its standard output.

    Raises BaseImageUnavailable with the command's last lines when it fails or takes longer than `timeout`
    seconds.
    """
    located = find(arguments[0])
    if located is None:
        raise BaseImageUnavailable(f"{doing} needs the command {arguments[0]}", hint="chatbot setup")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    environment["PATH"] = f"{environment.get('PATH', os.defpath)}:{_ADMINISTRATION}"
    try:
        done = subprocess.run(
            [located, *arguments[1:]],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BaseImageUnavailable(f"{doing} took longer than {timeout:.0f} s") from error
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise BaseImageUnavailable(
            f"{doing} failed: {arguments[0]} ended with {done.returncode}", details=lines[-_LAST_LINES:]
        )
    return done.stdout
