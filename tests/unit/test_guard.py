"""The guard that keeps unit tests inside the process does its work."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest


def test_the_engine_cannot_be_reached() -> None:
    with (
        socket.socket(socket.AF_UNIX) as connection,
        pytest.raises(AssertionError, match="Docker Engine"),
    ):
        connection.connect("/var/run/docker.sock")


def test_the_network_cannot_be_reached() -> None:
    with (
        socket.socket(socket.AF_INET) as connection,
        pytest.raises(AssertionError, match="network"),
    ):
        connection.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match="looked up"):
        socket.getaddrinfo("example.org", 443)


def test_loopback_stays_open() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.socket() as client:
            client.connect(server.getsockname())


def test_only_settings_reads_the_environment() -> None:
    """DESIGN: `settings` is the only reader of os.environ.

    Three read it for another reason: to hand it on to a program that is run, to find the engine where the
    docker command finds it (DOCKER_HOST, DOCKER_CONTEXT), and to learn what the terminal can do (NO_COLOR).
    """
    other_reasons = {
        "images/standins/commands.py",
        "engines/docker/address.py",
        "reporting/terminal.py",
    }
    rooms = Path(__file__).parents[2] / "deploytool"
    readers = {
        str(path.relative_to(rooms))
        for path in rooms.rglob("*.py")
        if "os.environ" in (text := path.read_text(encoding="utf-8")) or "os.getenv" in text
    }
    assert {reader for reader in readers if not reader.startswith("settings/")} <= other_reasons
