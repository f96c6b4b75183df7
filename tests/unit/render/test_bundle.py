"""The bundle: what it holds, that it is the same every time, and that it says what the settings say."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from hypothesis import Phase, given, settings

from deploytool.render import render_bundle
from deploytool.settings import Settings, load_settings
from deploytool.settings.documents import parse_document
from deploytool.stack.parse import parse_stack

from .conftest import REPOSITORY, TEMPLATES, settings_strategy

TAGS = {name: f"chatbot/{name}:0123456789ab" for name in ("backend", "frontend", "model", "proxy")}


def compose_of(files: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(files["compose.yaml"])
    return document


def test_the_files(shipped: Settings) -> None:
    files = render_bundle(shipped, TEMPLATES, TAGS).files
    assert sorted(files) == list(files)
    assert set(files) == {
        "backend.Dockerfile",
        "compose.yaml",
        "frontend.Dockerfile",
        "manifest.json",
        "model.Dockerfile",
        "proxy.Dockerfile",
        "proxy/certificates/README",
        "proxy/routes.yaml",
    }


def test_the_manifest_lists_every_other_file(shipped: Settings) -> None:
    files = render_bundle(shipped, TEMPLATES, TAGS).files
    manifest = json.loads(files["manifest.json"])
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in files.items()
        if name != "manifest.json"
    }
    assert manifest["environment"] == shipped.environment
    assert manifest["tool"].startswith("deploytool ")


def test_security_stands_in_the_file(shipped: Settings) -> None:
    document = compose_of(render_bundle(shipped, TEMPLATES, TAGS).files)
    for name, service in document["services"].items():
        assert service["read_only"] is True
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert "cap_add" not in service
        assert service["user"] not in {"", "0", "0:0", "root"}
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
        assert ("ports" in service) == (name == "proxy")
        assert not any("docker.sock" in str(mount) for mount in service.get("volumes", []))


def test_each_service_with_secrets_has_a_volume_for_them(shipped: Settings) -> None:
    document = compose_of(render_bundle(shipped, TEMPLATES, TAGS).files)
    for name in ("backend", "frontend"):
        service = document["services"][name]
        assert "JWT_SECRET" in service["x-chatbot"]["secrets"]
        assert service["x-chatbot"]["secrets_volume"] == f"{name}-secrets"
        assert {
            "type": "volume",
            "source": f"{name}-secrets",
            "target": "/run/secrets",
            "read_only": True,
        } in service["volumes"]
        assert document["volumes"][f"{name}-secrets"]["x-chatbot"] == {"purpose": "secrets"}
    assert document["volumes"]["backend-data"]["x-chatbot"] == {"purpose": "data"}
    assert document["volumes"]["proxy-config"]["x-chatbot"] == {"purpose": "config"}


def test_what_a_build_needs_stands_in_the_file(local: Settings) -> None:
    document = compose_of(render_bundle(local, TEMPLATES, TAGS).files)
    images = local.build.base_images
    builds = {name: service["x-chatbot"]["build"] for name, service in document["services"].items()}
    assert {name: build["base_images"] for name, build in builds.items()} == {
        "backend": {"PYTHON_BASE": images["python"]},
        "frontend": {"NODE_BASE": images["node"]},
        "model": {"PYTHON_BASE": images["python"]},
        "proxy": {"TRAEFIK_BASE": images["traefik"]},
    }
    assert builds["proxy"]["context"] == "bundle:proxy"
    assert builds["proxy"]["not_in_tag"] == ["routes.yaml"]
    assert builds["frontend"]["args"] == {"NEXT_PUBLIC_API_URL": ""}
    assert {name: service["image"] for name, service in document["services"].items()} == TAGS
    assert not any("build" in service for service in document["services"].values())


def test_the_stack_reads_what_was_rendered(shipped: Settings) -> None:
    stack = parse_stack(render_bundle(shipped, TEMPLATES, TAGS).files)
    assert stack.project == f"chatbot-{shipped.environment}"
    assert stack.proxy_service == "proxy"
    assert "loadBalancer" in stack.routes
    _compare(stack, shipped)


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(settings_strategy())
def test_any_settings_are_read_back_the_same(made: Settings) -> None:
    first = render_bundle(made, TEMPLATES, {})
    assert render_bundle(made, TEMPLATES, {}).files == first.files
    _compare(parse_stack(first.files), made)


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(settings_strategy())
def test_any_settings_that_are_shown_load_to_the_same(made: Settings) -> None:
    shown = made.show()
    again = parse_document(yaml.safe_dump(shown), "shown.yaml")
    assert Settings.model_validate(again.data) == made


def _compare(stack: Any, wanted: Settings) -> None:
    assert {service.name for service in stack.services} == set(wanted.enabled_services)
    for name, service in wanted.enabled_services.items():
        found = stack.service(name)
        assert dict(found.environment) == service.environment
        assert dict(found.labels) == service.labels
        if name != "proxy":
            assert found.command == service.command
        assert found.replicas == service.replicas
        assert (found.limits.cpus, found.limits.memory, found.limits.pids) == (
            service.limits.cpus,
            service.limits.memory,
            service.limits.pids,
        )
        assert found.reservations.memory == (service.reservations.memory or 0)
        assert found.stop_grace_period == service.stop_grace_period
        assert found.update.order == service.update_config.order
        assert found.update.delay == service.update_config.delay
        assert found.read_only is not service.writable_root
        assert found.init is service.init
        assert found.secrets == tuple(sorted(service.secrets))
        assert found.proxied_port == (service.port or 0)
        assert {(mount.source, mount.target) for mount in service.volumes} <= {
            (mount.source, mount.target) for mount in found.mounts
        }
        if service.healthcheck is not None and service.healthcheck.command is not None:
            assert found.healthcheck.test == service.healthcheck.command


def test_another_process_renders_the_same_bytes(local: Settings) -> None:
    """Neither the order of sets nor the process's environment reaches a file."""
    code = (
        "import sys, hashlib; from pathlib import Path\n"
        "from deploytool.settings import load_settings; from deploytool.render import render_bundle\n"
        "root = Path(sys.argv[1]); made = load_settings('local', root, {})\n"
        "files = render_bundle(made, root / 'templates', {}).files\n"
        "print(hashlib.sha256(files['manifest.json']).hexdigest())"
    )
    here = hashlib.sha256(render_bundle(local, TEMPLATES, {}).files["manifest.json"]).hexdigest()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(REPOSITORY)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY), "TZ": "Asia/Tokyo", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_no_secret_value_can_reach_a_bundle(local: Settings, tmp_path: Path) -> None:
    """Only names go in: rendering is given nothing that knows a value."""
    with_key = load_settings("local", REPOSITORY, {}, frozenset({"OPENAI_API_KEY", "JWT_SECRET"}))
    document = compose_of(render_bundle(with_key, TEMPLATES, {}).files)
    backend = document["services"]["backend"]
    assert backend["x-chatbot"]["secrets"] == ["JWT_SECRET", "OPENAI_API_KEY"]
    assert not set(backend["environment"]) & {"JWT_SECRET", "OPENAI_API_KEY", "DATABASE_URL"}


def test_a_service_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text(
        """
services:
  redis:
    image: redis:7-alpine
    user: "999:1000"
    command: [redis-server, --save, ""]
    volumes: [redis-data]
    ports: ["6379:6379"]
    update_config: {order: stop-first}
    ulimits: {nofile: 1024}
    restart: no
    writable_root: true
    cap_add: [CHOWN]
    allow_new_privileges: true
volumes:
  redis-data: {name: shared-redis, external: true}
"""
    )
    (tmp_path / "environments" / "mine.yaml").write_text("")
    made = load_settings("mine", tmp_path, {})
    bundle = render_bundle(made, TEMPLATES, {})
    document = compose_of(bundle.files)
    redis = document["services"]["redis"]
    assert redis["ports"] == [
        {"target": 6379, "published": "6379", "host_ip": "127.0.0.1", "protocol": "tcp"}
    ]
    assert redis["cap_add"] == ["CHOWN"]
    assert redis["restart"] == "no"
    assert "read_only" not in redis
    assert "security_opt" not in redis
    assert document["volumes"]["redis-data"] == {
        "name": "shared-redis",
        "external": True,
        "x-chatbot": {"purpose": "data"},
    }
    assert "proxy_service" not in document["x-chatbot"]
    assert "proxy/routes.yaml" not in bundle.files
    assert parse_stack(bundle.files).service("redis") is not None
