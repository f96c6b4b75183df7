"""The real Compose binary reads the bundle and understands what the settings say. No engine is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from deploytool.render import render_bundle, write_bundle
from deploytool.settings import Settings

from .conftest import TEMPLATES

COMPOSE = Path(sys.executable).with_name("docker-compose")
NASTY = [
    "$HOME ${X:-y} $$",
    'say "hi"',
    "it's",
    "a: b # c",
    "two\nlines\n",
    "\u2028\x85\x7f",
    "😀",
    "\\n",
    "{{ x }}",
    " ",
]


def understood(settings: Settings, folder: Path) -> dict[str, Any]:
    """`docker compose config` of the rendered bundle, `$$` read back."""
    write_bundle(render_bundle(settings, TEMPLATES, {}), folder)
    done = subprocess.run(
        [str(COMPOSE), "--file", str(folder / "compose.yaml"), "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "X": "interpolated",
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_compose_understands_every_environment(shipped: Settings, tmp_path: Path) -> None:
    found = understood(shipped, tmp_path)
    assert found["name"] == f"chatbot-{shipped.environment}"
    assert set(found["services"]) == set(shipped.enabled_services)
    for name, service in shipped.enabled_services.items():
        read = found["services"][name]
        assert read["deploy"]["replicas"] == service.replicas
        assert read["deploy"]["resources"]["limits"]["cpus"] == service.limits.cpus / 1_000_000_000
        assert int(read["deploy"]["resources"]["limits"]["memory"]) == service.limits.memory
        assert read["deploy"]["resources"]["limits"]["pids"] == service.limits.pids
        assert read.get("environment") or service.environment == {}
        assert read["restart"] == "unless-stopped"
        assert list(read["networks"]) == ["app-network"]
    backend = found["services"]["backend"]
    assert backend["healthcheck"]["interval"] == "30s"
    assert backend["healthcheck"]["timeout"] == "10s"
    assert found["networks"]["app-network"]["name"] == f"chatbot-{shipped.environment}_app-network"
    assert found["volumes"]["backend-data"]["name"] == f"chatbot-{shipped.environment}_backend-data"


def test_compose_reads_every_text_as_it_was_written(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "environment": "test",
            "services": {
                "web": {
                    "image": "example/web:1",
                    "user": "1000:1000",
                    "environment": {f"V{index}": text for index, text in enumerate(NASTY)},
                    "labels": {f"example.v{index}": text for index, text in enumerate(NASTY)},
                    "command": tuple(NASTY),
                    "healthcheck": {"command": 'test $$ -gt 1 && echo "${HOME}"'},
                }
            },
        }
    )
    web = understood(settings, tmp_path)["services"]["web"]
    # `config` writes a file that Compose can read again, so it doubles every dollar itself.
    assert [web["environment"][f"V{index}"].replace("$$", "$") for index in range(len(NASTY))] == NASTY
    assert [web["labels"][f"example.v{index}"].replace("$$", "$") for index in range(len(NASTY))] == NASTY
    assert [text.replace("$$", "$") for text in web["command"]] == NASTY
    test = [text.replace("$$", "$") for text in web["healthcheck"]["test"]]
    assert test == ["CMD-SHELL", 'test $$ -gt 1 && echo "${HOME}"']


def test_names_that_yaml_would_take_for_something_else(tmp_path: Path) -> None:
    service = {
        "image": "example/web:1",
        "user": "1:1",
        "volumes": ("no:/data",),
        "environment": {"ON": "1", "Y": "2"},
    }
    settings = Settings.model_validate(
        {
            "environment": "y",
            "project": "1",
            "network": "yes",
            "services": {
                "on": {**service, "port": 80, "healthcheck": {"path": "/"}},
                "123": {**service, "depends_on": {"on": "service_healthy"}},
                "proxy": {"image": "traefik:3", "user": "1:1"},
            },
        }
    )
    found = understood(settings, tmp_path)
    assert set(found["services"]) == {"on", "123", "proxy"}
    assert found["services"]["123"]["environment"] == {"ON": "1", "Y": "2"}
    assert found["volumes"]["no"]["name"] == "1-y_no"
    assert found["networks"]["yes"]["name"] == "1-y_yes"
    routes = yaml.safe_load((tmp_path / "proxy" / "routes.yaml").read_text())
    assert routes["http"]["routers"]["on"]["service"] == "on"
