"""Unit tests reach neither Docker nor the network: whoever tries fails with words."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


class OutsideReached(AssertionError):
    """A unit test tried to leave the process."""


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    real_connect = socket.socket.connect
    real_lookup = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX and str(address).endswith("docker.sock"):
            raise OutsideReached(f"a unit test reached for the Docker Engine ({address})")
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise OutsideReached(f"a unit test reached for the network ({address[0]})")
        real_connect(self, address)

    def lookup(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (None, "") and not is_loopback(host):
            raise OutsideReached(f"a unit test looked up {host!r}")
        return real_lookup(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def is_loopback(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text in ("localhost", "testserver")
