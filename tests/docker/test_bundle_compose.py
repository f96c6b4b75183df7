"""The rendered bundle, run by the real Compose binary alone, gives the containers that a deploy gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import docker
import pytest
from support.inspected import containers_differ
from support.projects import Project, wait_until

pytestmark = pytest.mark.docker

COMPOSE = Path(sys.executable).with_name("docker-compose")
SERVICES = ("backend", "frontend", "model", "proxy")


def compose(project: Project, *arguments: str) -> str:
    done = subprocess.run(
        [str(COMPOSE), "-p", project.stack, *arguments],
        cwd=project.directory,
        env={"PATH": os.environ["PATH"], "HOME": str(project.directory)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def inspected(client: docker.DockerClient, project: Project) -> dict[str, dict[str, Any]]:
    return {name: client.api.inspect_container(f"{project.stack}-{name}-1") for name in SERVICES}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_compose_runs_the_bundle_as_we_do_and_handles_what_we_run(project: Project):
    client = docker.from_env()
    project.chatbot("deploy", "local")
    ours = inspected(client, project)

    listed = [json.loads(line) for line in compose(project, "ps", "--format", "json").splitlines()]
    assert sorted(entry["Service"] for entry in listed) == list(SERVICES)
    assert "Started server process" in compose(project, "logs", "backend")
    compose(project, "down")
    assert project.data("status", "local")["services"][0]["running"] == 0

    # The volumes stay: also the one with the proxy's routes. Without them Compose starts from nothing.
    compose(project, "down", "--volumes")
    project.chatbot("render", "local", "--out", "bundle")
    compose(project, "-f", "bundle/compose.yaml", "config", "--quiet")
    # A dependency's health is waited for at Compose's own pace: 30 s and more each. What is compared here
    # is what is created.
    compose(project, "-f", "bundle/compose.yaml", "up", "--no-start")
    theirs = inspected(client, project)
    compose(project, "-f", "bundle/compose.yaml", "start", "proxy", "model")
    compose(project, "-f", "bundle/compose.yaml", "up", "-d", "--no-deps", "frontend")
    for name in SERVICES:
        assert containers_differ(ours[name], theirs[name]) == [], name
    # The proxy's image seeds its routes, so that the page answers without us.
    wait_until(lambda: answers(f"{project.frontend_url}/api/health"))
    compose(project, "-f", "bundle/compose.yaml", "down", "--volumes")
    client.close()
