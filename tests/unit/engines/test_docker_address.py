"""The engine is found where the docker command finds it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from deploytool.engines.docker.address import DEFAULT_SOCKET, find_address


def _context(home: Path, name: str, host: str, *, keys: bool = False, current: bool = True) -> None:
    folder = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker" / "contexts" / "meta" / folder
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": endpoints}))
    if current:
        (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))
    if keys:
        (home / ".docker" / "contexts" / "tls" / folder / "docker").mkdir(parents=True)


def test_the_usual_socket(tmp_path: Path) -> None:
    found = find_address({"HOME": str(tmp_path)})
    assert found.url == f"unix://{DEFAULT_SOCKET}"
    assert found.local
    assert found.socket == DEFAULT_SOCKET


def test_docker_host_wins(tmp_path: Path) -> None:
    _context(tmp_path, "remote", "tcp://10.0.0.1:2376")
    found = find_address({"HOME": str(tmp_path), "DOCKER_HOST": "tcp://10.0.0.2:2375"})
    assert (found.url, found.source, found.local) == ("tcp://10.0.0.2:2375", "DOCKER_HOST", False)


def test_docker_host_with_certificates() -> None:
    found = find_address(
        {"DOCKER_HOST": "tcp://10.0.0.2:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/keys"}
    )
    assert (found.certificates, found.verify) == ("/keys", True)


def test_a_bare_path_or_host_is_understood() -> None:
    assert find_address({"DOCKER_HOST": "/run/other.sock"}).url == "unix:///run/other.sock"
    assert find_address({"DOCKER_HOST": "box:2375"}).url == "tcp://box:2375"


def test_the_current_context(tmp_path: Path) -> None:
    _context(tmp_path, "remote", "ssh://me@box", keys=True)
    found = find_address({"HOME": str(tmp_path)})
    assert (found.url, found.source) == ("ssh://me@box", "docker context remote")
    assert found.certificates.endswith("/docker")


def test_docker_context_names_another(tmp_path: Path) -> None:
    _context(tmp_path, "one", "tcp://one:1")
    _context(tmp_path, "two", "tcp://two:2", current=False)
    assert find_address({"HOME": str(tmp_path), "DOCKER_CONTEXT": "two"}).url == "tcp://two:2"


def test_a_context_that_is_gone_or_broken_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "lost"}')
    assert find_address({"HOME": str(tmp_path)}).local
    (tmp_path / ".docker" / "config.json").write_text("not json")
    assert find_address({"HOME": str(tmp_path)}).local
