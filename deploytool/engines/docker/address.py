"""Where the engine listens: found the way the docker command finds it, so that both talk to the same one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine listens; `certificates` is a folder with ca.pem, cert.pem and key.pem, or ""."""

    url: str
    certificates: str = ""
    verify: bool = True
    source: str = "default"
    """What named it, for messages: DOCKER_HOST, context NAME, …"""

    @property
    def local(self) -> bool:
        """True when the engine shares this machine's kernel, as far as the address tells."""
        return self.url.startswith("unix://")

    @property
    def socket(self) -> str:
        """Path of the local socket, "" for a remote engine."""
        return self.url.removeprefix("unix://") if self.local else ""


def find_address(environment: Mapping[str, str] | None = None) -> Address:
    """DOCKER_HOST, then the docker command's current context, then the usual sockets.

    Source of the order: the docker command's own (docs.docker.com/engine/manage-resources/contexts).
    """
    variables = os.environ if environment is None else environment
    certificates = variables.get("DOCKER_CERT_PATH", "")
    verify = bool(variables.get("DOCKER_TLS_VERIFY"))
    if variables.get("DOCKER_HOST"):
        return Address(
            _normal(variables["DOCKER_HOST"]), certificates if verify else "", verify, source="DOCKER_HOST"
        )
    home = variables.get("DOCKER_CONFIG") or str(Path(variables.get("HOME", "/root")) / ".docker")
    context = variables.get("DOCKER_CONTEXT") or _current_context(home)
    if context and context != "default":
        found = _of_context(home, context)
        if found:
            return found
    if not Path(DEFAULT_SOCKET).exists() and variables.get("XDG_RUNTIME_DIR"):
        rootless = Path(variables["XDG_RUNTIME_DIR"]) / "docker.sock"
        if rootless.exists():
            return Address(f"unix://{rootless}", source="rootless socket")
    return Address(f"unix://{DEFAULT_SOCKET}")


def _normal(url: str) -> str:
    return url if "://" in url else (f"unix://{url}" if url.startswith("/") else f"tcp://{url}")


def _current_context(home: str) -> str:
    return str(_json(Path(home) / "config.json").get("currentContext") or "")


def _of_context(home: str, name: str) -> Address | None:
    # The docker command stores a context under the SHA-256 of its name.
    folder = hashlib.sha256(name.encode()).hexdigest()
    meta = _json(Path(home) / "contexts" / "meta" / folder / "meta.json")
    endpoint = (meta.get("Endpoints") or {}).get("docker") or {}
    if not endpoint.get("Host"):
        return None
    keys = Path(home) / "contexts" / "tls" / folder / "docker"
    return Address(
        _normal(str(endpoint["Host"])),
        str(keys) if keys.is_dir() else "",
        not endpoint.get("SkipTLSVerify", False),
        source=f"docker context {name}",
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
