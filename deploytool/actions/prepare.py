"""From an environment's name to what should run: settings, secrets, bundle, stack. No engine is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.secrets import files as secret_files

if TYPE_CHECKING:
    from deploytool.render import Bundle
    from deploytool.settings import Settings
    from deploytool.stack.model import Stack

LOCAL = "local"
CACHE = Path(".chatbot") / "cache"
"""Where hashes of large files are kept, below the project directory."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known of an environment before an engine is asked."""

    settings: Settings
    bundle: Bundle
    stack: Stack
    project_dir: Path
    secrets: Mapping[str, Mapping[str, str]] = field(repr=False)
    """Values by service and name. Never to be shown."""
    generated: tuple[str, ...] = ()
    """Names of secrets that were made up just now (local only)."""


def load(environment: str, project_dir: Path) -> Settings:
    """The environment's settings; secrets count by name only."""
    from deploytool.settings import load_settings

    return load_settings(environment, project_dir, secret_names_present=_names(environment, project_dir))


def prepare(environment: str, project_dir: Path, *, generate: bool = False) -> Prepared:
    """Everything up to the stack. With `generate`, missing local secrets are made up and kept.

    Raises SettingsError and its kin, TemplateFailed, SecretFileUnreadable, ContextMissing. A missing secret
    is no error here: `render` and `plan` need no values, and `require_secrets` is for those that do.
    """
    from deploytool.stack.parse import parse_stack

    settings = load(environment, project_dir)
    generated: tuple[str, ...] = ()
    if generate and environment == LOCAL:
        present = secret_files.names(environment, project_dir)
        missing = [name for name in settings.secret_names if name not in present]
        generated = secret_files.generate(environment, project_dir, missing)
    bundle = make_bundle(settings, project_dir)
    stack = parse_stack(bundle.files)
    return Prepared(
        settings=settings,
        bundle=bundle,
        stack=stack,
        project_dir=project_dir,
        secrets=_by_service(settings, environment, project_dir),
        generated=generated,
    )


def make_bundle(settings: Settings, project_dir: Path) -> Bundle:
    """Dockerfiles first, since an image's tag is made of its content; then everything that names the tags."""
    from deploytool.images.content import content_digest, image_tag
    from deploytool.render import render_bundle, render_dockerfiles, templates_directory

    templates = templates_directory(project_dir)
    compiled = project_dir / CACHE / "templates"
    dockerfiles = render_dockerfiles(settings, templates, compiled)
    tags = {}
    for name, service in settings.enabled_services.items():
        if service.build is None:
            continue
        digest = content_digest(
            dockerfile=dockerfiles[f"{name}.Dockerfile"].decode(),
            context=None
            if service.build.context.startswith("bundle:")
            else project_dir / service.build.context,
            args=service.build.args,
            target=service.build.target,
            ignore=service.build.not_in_tag,
            cache=project_dir / CACHE,
        )
        tags[name] = image_tag(f"{settings.project}/{name}", digest)
    return render_bundle(settings, templates, tags, compiled)


def require_secrets(prepared: Prepared) -> None:
    """Raise SecretMissing when a service's secret has no value, or SecretFileUnreadable."""
    values = secret_files.read(prepared.settings.environment, prepared.project_dir)
    for name, service in prepared.settings.enabled_services.items():
        secret_files.select(
            values, service.secrets, optional=(), service=name, environment=prepared.settings.environment
        )


def _names(environment: str, project_dir: Path) -> frozenset[str]:
    return secret_files.names(environment, project_dir)


def _by_service(settings: Settings, environment: str, project_dir: Path) -> dict[str, dict[str, str]]:
    values = secret_files.read(environment, project_dir)
    return {
        name: {
            secret: values[secret]
            for secret in (*service.secrets, *service.optional_secrets)
            if secret in values
        }
        for name, service in settings.enabled_services.items()
    }
