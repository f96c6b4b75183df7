"""What set-up finds on this machine; nothing here changes anything."""

from __future__ import annotations

import errno
import getpass
import grp
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from deploytool.actions.setup.commands import run, sudo_works

LOCAL_SOCKET = "/var/run/docker.sock"
REGISTRY_ADDRESS = "https://registry-1.docker.io/v2/"


class EngineState(Enum):
    """What the engine's socket says."""

    ANSWERS = "answers"
    DENIED = "denied"
    ABSENT = "absent"


class LinkState(Enum):
    """What stands where the `chatbot` command would be linked."""

    NOT_NEEDED = "not-needed"
    RIGHT = "right"
    MISSING = "missing"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Everything that set-up's decisions rest on."""

    system: str
    """As the distribution calls itself, for example "Debian GNU/Linux 12 (bookworm)"."""
    uses_apt: bool
    user: str
    root: bool
    sudo: str
    """See commands.sudo_works."""
    engine: EngineState
    engine_elsewhere: str = ""
    """DOCKER_HOST where it names something other than the local socket: then this machine is left alone."""
    engine_installed: bool
    service_manager: str
    """systemd | service | "" (a plain daemon process)."""
    missing_engine_packages: tuple[str, ...] = ()
    missing_host_packages: tuple[str, ...] = ()
    """Of those that base-image stand-ins are made with."""
    registry_reachable: bool | None = None
    """None: not asked, because no decision rests on it."""
    in_docker_group: bool = True
    """By the group file; a session that is older than the entry does not have it yet."""
    command: str = ""
    link: str = ""
    link_state: LinkState = LinkState.NOT_NEEDED


def observe_machine(
    engine_packages: Sequence[str], host_packages: Sequence[str], *, docker_host: str = ""
) -> Machine:
    """Look at this machine. `docker_host` is the value of DOCKER_HOST, "" when it is not set."""
    system, identifiers = distribution(Path("/etc/os-release"))
    uses_apt = bool({"debian", "ubuntu"} & identifiers) and shutil.which("apt-get") is not None
    root = os.geteuid() == 0
    elsewhere = (
        "" if docker_host in ("", f"unix://{LOCAL_SOCKET}", "unix:///run/docker.sock") else docker_host
    )
    engine = EngineState.ANSWERS if elsewhere else engine_state(LOCAL_SOCKET)
    installed = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is not None
    missing_host = missing_packages(host_packages) if uses_apt else ()
    command, link, link_state = observe_link(root)
    return Machine(
        system=system,
        uses_apt=uses_apt,
        user=getpass.getuser(),
        root=root,
        sudo="silent" if root else sudo_works(),
        engine=engine,
        engine_elsewhere=elsewhere,
        engine_installed=installed,
        service_manager=service_manager(),
        missing_engine_packages=missing_packages(engine_packages) if uses_apt and not installed else (),
        missing_host_packages=missing_host,
        registry_reachable=registry_answers(REGISTRY_ADDRESS) if missing_host else None,
        in_docker_group=root or in_group(getpass.getuser(), "docker"),
        command=command,
        link=link,
        link_state=link_state,
    )


def distribution(os_release: Path) -> tuple[str, frozenset[str]]:
    """The distribution's own name, and its identifiers with those it is like (os-release(5))."""
    try:
        text = os_release.read_text(encoding="utf-8")
    except OSError:
        return sys.platform, frozenset()
    values = dict(
        line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")
    )
    plain = {key: value.strip().strip("\"'") for key, value in values.items()}
    identifiers = {plain.get("ID", ""), *plain.get("ID_LIKE", "").split()}
    return plain.get("PRETTY_NAME") or plain.get("ID", sys.platform), frozenset(identifiers - {""})


def engine_state(path: str, *, timeout: float = 5.0) -> EngineState:
    """Ask the socket at `path` for /_ping, as any Docker Engine answers it. `timeout` in seconds."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return EngineState.ANSWERS if b" 200 " in connection.recv(64) else EngineState.ABSENT
    except OSError as error:
        return EngineState.DENIED if error.errno == errno.EACCES else EngineState.ABSENT


def service_manager() -> str:
    """systemd where it runs as PID 1 (sd_booted(3)), else "service" where the command is, else ""."""
    if Path("/run/systemd/system").is_dir():
        return "systemd"
    return "service" if shutil.which("service", path="/usr/sbin:/sbin:/usr/bin") is not None else ""


def missing_packages(packages: Sequence[str]) -> tuple[str, ...]:
    """Those of the packages that dpkg does not have installed."""
    if not packages:
        return ()
    outcome = run(["dpkg-query", "-W", "-f=${Package}\t${db:Status-Status}\n", *packages], timeout=30)
    installed = {line.split("\t")[0] for line in outcome.lines if line.endswith("\tinstalled")}
    return tuple(package for package in packages if package not in installed)


def registry_answers(address: str, *, timeout: float = 4.0) -> bool:
    """True when an image registry, not a proxy's refusal, answers there. `timeout` in seconds."""
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:  # noqa: S310 (a constant https address)
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    except (OSError, ValueError):
        return False
    return headers.get("Docker-Distribution-Api-Version") is not None


def in_group(user: str, group: str) -> bool:
    """True when the group file lists the user."""
    try:
        return user in grp.getgrnam(group).gr_mem
    except KeyError:
        return False


def observe_link(root: bool) -> tuple[str, str, LinkState]:
    """The command of this virtual environment, where it is linked, and what stands there now."""
    command = Path(sys.prefix) / "bin" / "chatbot"
    folder = Path("/usr/local/bin") if root else Path.home() / ".local" / "bin"
    link = folder / "chatbot"
    if sys.prefix == sys.base_prefix or not command.exists():
        return str(command), str(link), LinkState.NOT_NEEDED
    if not link.is_symlink() and not link.exists():
        return str(command), str(link), LinkState.MISSING
    if link.is_symlink() and Path(os.path.realpath(link)) == Path(os.path.realpath(command)):
        return str(command), str(link), LinkState.RIGHT
    # A link to a checkout that is gone is nobody's; anything else is somebody's and stays.
    return str(command), str(link), LinkState.OTHER if link.exists() else LinkState.MISSING
