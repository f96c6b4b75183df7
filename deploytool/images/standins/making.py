"""From a recipe to an image on the engine."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.errors import BaseImageUnavailable
from deploytool.images.standins import alpine_node, commands, debian_python, traefik, wheels
from deploytool.images.standins.recipe import RECIPE_LABEL, STAND_IN_LABEL, Recipe, Report, Workshop

if TYPE_CHECKING:
    from docker import APIClient

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (debian_python.RECIPE, alpine_node.RECIPE, traefik.RECIPE)
}
_IMPORT_TIMEOUT = 600.0
# How the engine names a machine → how the recipes do.
_MACHINES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64"}


def machine_of(api: APIClient) -> str:
    """The engine's machine, `x86_64` or `aarch64`; it may differ from ours when the engine is remote."""
    name = str(api.info().get("Architecture", ""))
    return _MACHINES.get(name, name)


def make(api: APIClient, recipe: Recipe, *, stands_for: str, cache: Path, report: Report) -> str:
    """Make the stand-in and import it on the engine; returns its tag. Downloads are kept in `cache`.

    Raises BaseImageUnavailable with what to install, or with the failing command's last lines.
    """
    machine = machine_of(api)
    reference = recipe.reference(machine)
    if machine not in recipe.wheels:
        raise BaseImageUnavailable(
            f"there are no packages to make a stand-in for {stands_for} on {machine}",
            hint=f"name an image that the engine has: build.base_images.{recipe.name} in the settings",
        )
    if recipe.native and platform.machine() != machine:
        raise BaseImageUnavailable(
            f"a stand-in for {stands_for} on {machine} cannot be made on this {platform.machine()} machine",
            hint=f"make it on the engine's own machine, or set build.base_images.{recipe.name}",
        )
    commands.require(recipe.commands, wanted_for=stands_for)
    cache.mkdir(parents=True, exist_ok=True)
    files = wheels.fetch(recipe.wheels[machine], cache / "wheels", report)
    # Not in the cache directory: as root in a user namespace a home directory may be out of reach.
    with tempfile.TemporaryDirectory(prefix="chatbot-base-") as scratch:
        target = Path(scratch) / "root.tar"
        recipe.make(Workshop(Path(scratch), cache / "wheels", report), files, target)
        report("handing it to the engine")
        _import(api, target, recipe, reference, machine, stands_for)
    return reference


def _import(
    api: APIClient, tree: Path, recipe: Recipe, reference: str, machine: str, stands_for: str
) -> None:
    repository, _, tag = reference.rpartition(":")
    changes = [
        *recipe.changes,
        f"LABEL {STAND_IN_LABEL}={json.dumps(stands_for)}",
        f"LABEL {RECIPE_LABEL}={recipe.digest(machine)}",
    ]
    # The SDK's own import_image announces chunks and sends none when given a file; the same call without
    # that.
    with tree.open("rb") as content:
        response = api.request(
            "POST",
            f"{api.base_url}/v{api.api_version}/images/create",
            params={"fromSrc": "-", "repo": repository, "tag": tag, "changes": changes},
            data=content,
            headers={"Content-Type": "application/x-tar"},
            timeout=_IMPORT_TIMEOUT,
        )
    for line in response.text.splitlines():
        message = json.loads(line) if line.strip() else {}
        if "error" in message:
            raise BaseImageUnavailable(f"the engine refused the stand-in: {message['error']}")
    if response.status_code >= 400:
        raise BaseImageUnavailable(f"the engine refused the stand-in: {response.text.strip()}")
