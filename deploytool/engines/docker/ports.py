"""Who holds a host port."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deploytool.engines.docker.client import Client
from deploytool.engines.docker.resources import shown_name
from deploytool.errors import ChatbotError, PortTaken

_PROC = Path("/proc")
_LISTENING = {"tcp": "0A", "udp": "07"}
"""States in /proc/net/tcp and /proc/net/udp: TCP_LISTEN and TCP_CLOSE (include/net/tcp_states.h)."""


def port_taken(client: Client, inspected: Mapping[str, Any], words: str) -> PortTaken | None:
    """The error to raise when a start failed because of a port, naming who has it; None for other failures.

    `words` are the engine's; they decide only when nobody can be found, for example on a remote engine.
    """
    wanted = inspected["HostConfig"].get("PortBindings") or {}
    own = inspected["Id"]
    candidates = [
        (entry.get("HostIp", ""), int(entry["HostPort"]), target.partition("/")[2] or "tcp")
        for target, entries in wanted.items()
        for entry in entries or []
        if entry.get("HostPort", "").isdigit()
    ]
    about_ports = any(
        phrase in words for phrase in ("port is already allocated", "address already in use", "bind:")
    )
    if not about_ports:
        return None
    for address, port, protocol in candidates:
        found = holder(client, address, port, protocol, but_not=own)
        if found:
            return _error(address, port, protocol, f"held by {found}")
    if candidates:
        address, port, protocol = next((c for c in candidates if f":{c[1]} " in f"{words} "), candidates[0])
        return _error(address, port, protocol, "held by somebody else", details=(words,))
    return None


def holder(client: Client, address: str, port: int, protocol: str = "tcp", *, but_not: str = "") -> str:
    """`container NAME` or `PROGRAM (process N)`; "" when nobody is found."""
    try:
        running = client.get("/containers/json")
    except ChatbotError:
        running = []
    for container in running:
        for published in container.get("Ports") or []:
            same = published.get("PublicPort") == port and published.get("Type") == protocol
            if same and container["Id"] != but_not and _overlap(address, published.get("IP", "")):
                return f"container {shown_name(container)}"
    if client.address.local:
        return process_holding(address, port, protocol)
    return ""


def process_holding(address: str, port: int, protocol: str = "tcp") -> str:
    """`PROGRAM (process N)` for a listener on this machine, without the number when it may not be seen."""
    inodes = set(_listeners(address, port, protocol))
    if not inodes:
        return ""
    for process, inode in _open_sockets():
        if inode in inodes:
            return f"{_program(process)} (process {process.name})"
    return "a process of another user"


def _error(address: str, port: int, protocol: str, by: str, details: Iterable[str] = ()) -> PortTaken:
    shown = f"{address or '0.0.0.0'}:{port}" + ("" if protocol == "tcp" else f"/{protocol}")  # noqa: S104
    return PortTaken(
        f"port {shown} is {by}",
        hint="stop it, or publish another port in environments/<name>.yaml",
        details=tuple(details),
    )


def _overlap(first: str, second: str) -> bool:
    anywhere = {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    return first in anywhere or second in anywhere or first == second


def _listeners(address: str, port: int, protocol: str) -> Iterator[str]:
    """Inodes of the sockets that listen there."""
    for name in (protocol, f"{protocol}6"):
        try:
            lines = (_PROC / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            host, _, number = fields[1].partition(":")
            if (
                fields[3] == _LISTENING[protocol]
                and int(number, 16) == port
                and _overlap(address, _decode(host))
            ):
                yield fields[9]


def _decode(text: str) -> str:
    """The kernel prints addresses as 32-bit words in its own byte order."""
    words = [int(text[index : index + 8], 16) for index in range(0, len(text), 8)]
    raw = b"".join(struct.pack("=I", word) for word in words)
    if len(raw) == 4:
        return socket.inet_ntoa(raw)
    found = ipaddress.IPv6Address(raw)
    return str(found.ipv4_mapped or found)


def _open_sockets() -> Iterator[tuple[Path, str]]:
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            for descriptor in (process / "fd").iterdir():
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield process, target[8:-1]
        except OSError:
            continue  # ended meanwhile, or another user's


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
