"""The bundle: every file that a deploy needs, as bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from deploytool import __version__
from deploytool.render.context import (
    CERTIFICATES_NOTE,
    COMPOSE_FILE,
    MANIFEST_FILE,
    ROUTES_FILE,
    stack_context,
)
from deploytool.render.files import Bundle
from deploytool.render.templates import Templates
from deploytool.settings import ServiceSettings, Settings

FORMAT = 1
_BASE_ARGUMENT = re.compile(rb"^\s*ARG\s+([A-Z0-9_]+)_BASE\b", re.MULTILINE | re.IGNORECASE)


def render_dockerfiles(
    settings: Settings, templates_dir: Path, cache: Path | None = None
) -> dict[str, bytes]:
    """`<service>.Dockerfile` for every enabled service that has a build. Raises TemplateFailed."""
    templates = Templates(templates_dir, cache)
    files = {}
    for name, service in sorted(settings.enabled_services.items()):
        if service.build is not None:
            template = service.build.template or f"{name}.Dockerfile.j2"
            files[f"{name}.Dockerfile"] = templates.render(
                template, _dockerfile_context(settings, name, service)
            )
    return files


def render_bundle(
    settings: Settings, templates_dir: Path, image_tags: Mapping[str, str], cache: Path | None = None
) -> Bundle:
    """All files of the bundle.

    `image_tags` holds the full reference (`chatbot/backend:4be7a2…`) of each image that is built, by service;
    one that is absent is called `<project>/<service>:latest`. Raises TemplateFailed with file:line.
    """
    templates = Templates(templates_dir, cache)
    files = render_dockerfiles(settings, templates_dir, cache)
    context = stack_context(settings, image_tags, _base_images(settings, files))
    files[COMPOSE_FILE] = templates.render("compose.yaml.j2", context)
    if context["proxy"]:
        files[ROUTES_FILE] = templates.render("routes.yaml.j2", context)
        files[CERTIFICATES_NOTE] = b"Traefik keeps its certificates in this folder of its container.\n"
    files[MANIFEST_FILE] = _manifest(settings, files)
    return Bundle(dict(sorted(files.items())))


def _dockerfile_context(settings: Settings, name: str, service: ServiceSettings) -> dict[str, object]:
    # Settings that nobody made are left out, so that `service.port | default(8000)` means what it says.
    plain = service.model_dump(mode="json", exclude_none=True)
    return {
        "project": settings.project,
        "environment": settings.environment,
        "base_images": dict(settings.build.base_images),
        "service": {"name": name, **plain},
    }


def _base_images(settings: Settings, dockerfiles: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """By service: the base images that its Dockerfile names (`ARG PYTHON_BASE=…`), by build argument."""
    found = {}
    for name, text in dockerfiles.items():
        named = {match.decode() for match in _BASE_ARGUMENT.findall(text)}
        images = settings.build.base_images
        found[name.removesuffix(".Dockerfile")] = {
            f"{argument}_BASE": images[argument.lower()]
            for argument in sorted(named)
            if argument.lower() in images
        }
    return found


def _manifest(settings: Settings, files: Mapping[str, bytes]) -> bytes:
    manifest = {
        "format": FORMAT,
        "tool": f"deploytool {__version__}",
        "project": settings.project,
        "environment": settings.environment,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in sorted(files.items())
        },
    }
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
