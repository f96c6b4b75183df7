"""From an environment's name to what should run: settings, secrets, bundle, stack. No engine is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.actions import kept
from deploytool.actions.facts import BuildInput, Facts, build_inputs, facts_of
from deploytool.secrets import files as secret_files

if TYPE_CHECKING:
    from deploytool.render import Bundle
    from deploytool.settings import Settings
    from deploytool.stack.model import Stack

LOCAL = "local"
CACHE = Path(".chatbot") / "cache"
"""Where hashes, compiled templates and the last bundle are kept, below the project directory."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known of an environment before an engine is asked."""

    facts: Facts
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

    names = secret_files.names(environment, project_dir)
    return load_settings(environment, project_dir, secret_names_present=names)


def prepare(environment: str, project_dir: Path, *, generate: bool = False) -> Prepared:
    """Everything up to the stack. With `generate`, missing local secrets are made up and kept.

    Raises SettingsError and its kin, TemplateFailed, SecretFileUnreadable, ContextMissing. A missing secret
    is no error here: `render` and `plan` need no values, and `require_secrets` is for those that do.
    """
    from deploytool.stack.parse import parse_stack

    values = secret_files.read(environment, project_dir)
    facts, bundle = _render(environment, project_dir, frozenset(values))
    generated: tuple[str, ...] = ()
    if generate and environment == LOCAL:
        missing = [name for name in facts.secret_names if name not in values]
        generated = secret_files.generate(environment, project_dir, missing)
    if generated:
        values = secret_files.read(environment, project_dir)
        facts, bundle = _render(environment, project_dir, frozenset(values))
    return Prepared(
        facts=facts,
        bundle=bundle,
        stack=parse_stack(bundle.files),
        project_dir=project_dir,
        secrets={
            service: {
                name: values[name] for name in (*names, *facts.optional_secrets[service]) if name in values
            }
            for service, names in facts.secrets.items()
        },
        generated=generated,
    )


def _render(environment: str, project_dir: Path, secret_names: frozenset[str]) -> tuple[Facts, Bundle]:
    """The bundle: kept from the last time, or made anew where anything has changed."""
    place = project_dir / CACHE / f"rendered-{environment}.json"
    key = kept.key_of(environment, project_dir, secret_names)
    found = kept.read(place, key)
    if found:
        facts, builds, tags, bundle = found
        if _tags(builds, bundle.files, project_dir) == tags:
            return facts, bundle
    return _render_anew(environment, project_dir, place, key)


def _render_anew(environment: str, project_dir: Path, place: Path, key: str) -> tuple[Facts, Bundle]:
    """Dockerfiles first, since an image's tag is made of its content; then everything that names the tags."""
    from deploytool.render import render_bundle, render_dockerfiles, templates_directory

    settings = load(environment, project_dir)
    templates = templates_directory(project_dir)
    compiled = project_dir / CACHE / "templates"
    facts, builds = facts_of(settings), build_inputs(settings)
    tags = _tags(builds, render_dockerfiles(settings, templates, compiled), project_dir)
    bundle = render_bundle(settings, templates, tags, compiled)
    kept.write(place, key, facts, builds, tags, bundle)
    return facts, bundle


def _tags(builds: Sequence[BuildInput], files: Mapping[str, bytes], project_dir: Path) -> dict[str, str]:
    """Each image's full name, its tag made of Dockerfile, arguments and sources."""
    from deploytool.images.content import content_digest, image_tag

    return {
        build.service: image_tag(
            build.name,
            content_digest(
                dockerfile=files[f"{build.service}.Dockerfile"].decode(),
                context=None if build.context.startswith("bundle:") else project_dir / build.context,
                args=build.args,
                target=build.target,
                ignore=build.ignore,
                cache=project_dir / CACHE,
            ),
        )
        for build in builds
    }


def require_secrets(prepared: Prepared) -> None:
    """Raise SecretMissing when a service's secret has no value."""
    for service, names in prepared.facts.secrets.items():
        secret_files.select(
            prepared.secrets[service],
            names,
            optional=(),
            service=service,
            environment=prepared.facts.environment,
        )
