"""Checks of the engine itself."""

from __future__ import annotations

import http.client
import socket
import time
from email.utils import parsedate_to_datetime

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.actions.doctor.network import judge_skew
from deploytool.engines.protocol import EngineDescription
from deploytool.errors import ChatbotError

OLDEST_API = (1, 41)
RECOMMENDED_API = (1, 44)
"""From here on the engine itself probes a starting container more often (start_interval)."""


def reachable(description: EngineDescription | ChatbotError) -> Finding:
    """An engine answers."""
    if isinstance(description, ChatbotError):
        return failed(description.message, description.hint or "chatbot setup")
    system = f" on {description.operating_system}" if description.operating_system else ""
    return passed(f"{description.kind} {description.version} at {description.address}{system}")


def api_version(description: EngineDescription) -> Finding:
    """The engine speaks a version of its API that this tool knows."""
    if description.kind != "docker":
        return skipped(f"not a question for the engine {description.kind}")
    version = tuple(int(part) for part in description.api_version.split(".")[:2])
    if version < OLDEST_API:
        return failed(description.api_version, "install Docker Engine 20.10 or newer")
    if version < RECOMMENDED_API:
        return passed(
            f"{description.api_version} (enough; newer engines probe starting containers themselves)"
        )
    return passed(description.api_version)


def storage_driver(description: EngineDescription) -> Finding:
    """How the engine stacks image layers."""
    driver = description.storage_driver
    if not driver:
        return skipped("the engine does not say")
    if driver == "vfs":
        return warned(
            "vfs: every layer is a whole copy, builds are slow and large",
            "use a disk that carries overlay2 (ext4, xfs with ftype=1) for the engine's data-root",
        )
    if driver in ("devicemapper", "aufs"):
        return warned(f"{driver}: no longer maintained", "use overlay2 (docs.docker.com/storage)")
    return passed(driver)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the engine's local socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(self._path)


def clock_of_the_engine(address: str) -> Finding:
    """This machine's clock beside the Date that the engine answers with: tokens are judged by both."""
    if not address.startswith("unix://"):
        return skipped(f"not asked over {address.partition('://')[0]}")
    connection = _UnixConnection(address.removeprefix("unix://"))
    try:
        began = time.time()
        connection.request("GET", "/_ping")
        date = connection.getresponse().getheader("Date")
    finally:
        connection.close()
    if date is None:
        return skipped("the engine does not tell the time")
    return judge_skew(parsedate_to_datetime(date).timestamp() - began, "the engine")
