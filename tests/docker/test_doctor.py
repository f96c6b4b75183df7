"""`chatbot doctor` on the real engine."""

from __future__ import annotations

import os
import socket

import pytest
from support import projects

pytestmark = pytest.mark.docker


def checks(project: projects.Project, *, code: int) -> dict[str, dict[str, str]]:
    done = project.data("doctor", "local", check=code)
    return {check["name"]: check for check in done["checks"]}


def test_a_machine_that_works_passes(deployed_stack: projects.Project) -> None:
    found = checks(deployed_stack, code=0)
    assert len(found) >= 15
    assert {check["verdict"] for check in found.values()} <= {"pass", "warn", "skip"}
    assert found["engine"]["verdict"] == "pass"
    assert "served by this stack" in found["ports"]["value"]
    # Real builds were made for these, on the base image that the stack was built on.
    assert found["build-dns"]["verdict"] == found["build-tls"]["verdict"] == "pass"


def test_who_holds_a_port_is_named(project: projects.Project) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", project.frontend_port))
        other.listen()
        found = checks(project, code=3)
    assert found["ports"]["verdict"] == "fail"
    assert f"(process {os.getpid()})" in found["ports"]["value"]
    assert found["ports"]["remedy"]
