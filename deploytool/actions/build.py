"""`chatbot build`, and the building part of a deploy: base images first, then all images at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.actions.powers import require
from deploytool.actions.prepare import CACHE, Prepared
from deploytool.actions.progress import Listener
from deploytool.engines.protocol import BuildsImages, Engine
from deploytool.plan.operations import BuildImage
from deploytool.settings import process

if TYPE_CHECKING:
    from deploytool.images.buildkit import ImageBuild

BUNDLE_CONTEXT = "bundle:"


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One image after `build`."""

    service: str
    reference: str
    identity: str
    built: bool
    """False when it was there already."""


@dataclass(frozen=True, slots=True)
class Built:
    """What `build` did."""

    images: tuple[BuiltImage, ...]
    stand_ins: tuple[str, ...]
    seconds: float


def build(prepared: Prepared, engine: Engine, *, listener: Listener, anew: bool = False) -> Built:
    """Build the images that are not there yet; with `anew`, all of them.

    Raises BuildFailed, DiskFull, BaseImageUnavailable, ContextMissing and the engine's errors.
    """
    started = time.monotonic()
    present = dict(engine.observe(prepared.stack).images)
    wanted = [service for service in prepared.stack.services if service.build]
    operations = [
        BuildImage(service=service.name, cause="asked for", image=service.image, build=service.build)
        for service in wanted
        if service.build and (anew or service.image not in present)
    ]
    if operations:
        build_images(prepared, engine, operations, listener, no_cache=anew)
        present = dict(engine.observe(prepared.stack).images)
    names = {operation.image for operation in operations}
    return Built(
        images=tuple(
            BuiltImage(
                service=service.name,
                reference=service.image,
                identity=present.get(service.image, ""),
                built=service.image in names,
            )
            for service in wanted
        ),
        stand_ins=stand_ins(prepared, engine),
        seconds=time.monotonic() - started,
    )


def build_images(
    prepared: Prepared,
    engine: Engine,
    operations: Sequence[BuildImage],
    listener: Listener,
    *,
    no_cache: bool = False,
) -> None:
    """Build the images of these operations at once, on base images that are pulled or made first."""
    from deploytool.images.base_images import BaseImages
    from deploytool.images.buildkit import build_all
    from deploytool.images.certificates import host_bundle

    client = require(engine, BuildsImages, "build images").image_client()
    machine = process.variables()
    finder = BaseImages(
        client,
        cache=prepared.project_dir / CACHE,
        report=lambda name, words: listener.note(f"base image {name}: {words}"),
    )
    arguments = {entry for operation in operations for entry in operation.build.base_images}
    found = finder.ensure({_base_name(argument): reference for argument, reference in arguments})
    bases = {argument: found[_base_name(argument)].reference for argument, _ in arguments}
    trusted = host_bundle(machine)
    builds = [
        _build(prepared, operation, bases, trusted, machine, no_cache=no_cache) for operation in operations
    ]
    build_all(client, builds, lambda event: listener.build_event(event.image, event))


def _base_name(argument: str) -> str:
    """PYTHON_BASE → python."""
    return argument.removesuffix("_BASE").lower()


def _build(
    prepared: Prepared,
    operation: BuildImage,
    bases: Mapping[str, str],
    trusted: bytes,
    machine: Mapping[str, str],
    *,
    no_cache: bool,
) -> ImageBuild:
    from deploytool import __version__
    from deploytool.images.buildkit import ImageBuild
    from deploytool.images.labels import image_labels
    from deploytool.images.proxies import network_mode, proxy_arguments

    plan = operation.build
    files = prepared.bundle.files
    context: Path | None = None
    own: dict[str, bytes] = {}
    if plan.context.startswith(BUNDLE_CONTEXT):
        folder = plan.context.removeprefix(BUNDLE_CONTEXT).rstrip("/") + "/"
        own = {path.removeprefix(folder): files[path] for path in files if path.startswith(folder)}
    else:
        context = prepared.project_dir / plan.context
    used = {argument: bases[argument] for argument, _ in plan.base_images}
    return ImageBuild(
        name=operation.service,
        tag=operation.image,
        dockerfile=files[plan.dockerfile].decode(),
        context=context,
        files=own,
        args={**proxy_arguments(machine), **dict(plan.args), **used},
        labels=image_labels(
            project_dir=prepared.project_dir,
            version=__version__,
            title=operation.image.partition(":")[0],
            environment=machine,
            context=context,
            base_images=used,
        ),
        target=plan.target,
        network_mode=network_mode(machine),
        certificates=trusted,
        no_cache=no_cache,
    )


def stand_ins(prepared: Prepared, engine: Engine) -> tuple[str, ...]:
    """The official base images that stand-ins made from packages stand for, in what this stack runs."""
    from deploytool.images.standins.recipe import STAND_IN_LABEL

    if not isinstance(engine, BuildsImages):
        return ()
    references = [service.image for service in prepared.stack.services]
    found = engine.image_labels(references).values()
    return tuple(sorted({labels[STAND_IN_LABEL] for labels in found if STAND_IN_LABEL in labels}))
