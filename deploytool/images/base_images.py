"""From a base image's name to a reference that the engine has: found, pulled, or made from packages.

An engine that has the image already is asked for nothing else, so a second deploy needs no registry.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.errors import BaseImageUnavailable, DiskFull, EngineUnreachable
from deploytool.images.standins.recipe import RECIPE_LABEL, STAND_IN_LABEL

if TYPE_CHECKING:
    from docker import APIClient

    from deploytool.images.standins.recipe import Recipe

DEFAULTS: Mapping[str, str] = {
    "python": "python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7",
    "node": "node:20-alpine@sha256:fb4cd12c85ee03686f6af5362a0b0d56d50c58a04632e6c0fb8363f609372293",
    "traefik": "traefik:v3.6.2@sha256:c025135278d10f0fb6e54cb2b2dbadb3c3f0381a2c508cd74c06a74cb5a0e828",
}
# What a stand-in may stand for: the official image of the same version, whatever digest pins it.
_STANDS_FOR = {"python": ("python:3.11",), "node": ("node:20",), "traefik": ("traefik:v3.", "traefik:3.")}
# A registry that answers at all does so within this; a dropped connection would hang for minutes.
_FIRST_WORD_SECONDS = 10.0
_BETWEEN_WORDS_SECONDS = 120.0

Report = Callable[[str, str], None]
"""Called with a base image's name and what is being done about it."""


def _silent(name: str, text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One base image, as it is on the engine."""

    name: str
    wanted: str
    """What the settings name."""
    reference: str
    """What to build from: `wanted`, or the stand-in's tag."""
    identity: str
    """The image's id on the engine (sha256:…)."""
    stand_in: bool
    reason: str = ""
    """Why it is a stand-in, where that was found out just now."""


class BaseImages:
    """Finds and fetches base images on one engine; remembers for its lifetime which registries are silent."""

    def __init__(self, api: APIClient, *, cache: Path, report: Report = _silent) -> None:
        self._api = api
        self._cache = cache
        self._report = report
        self._silent: dict[str, str] = {}
        self._lock = threading.Lock()
        self._machine = ""

    def find(self, wanted: Mapping[str, str]) -> dict[str, BaseImage]:
        """Those of the images (name → reference) that the engine has now, or stand-ins for them."""
        found = {}
        for name, reference in wanted.items():
            image = self._present(name, reference)
            if image is not None:
                found[name] = image
        return found

    def ensure(self, wanted: Mapping[str, str], *, pull: bool = False) -> dict[str, BaseImage]:
        """All of the images (name → reference): found, else pulled, else made from packages.

        `pull` asks the registry even where a stand-in is there already. Raises BaseImageUnavailable naming
        what was tried, DiskFull, EngineUnreachable.
        """
        with ThreadPoolExecutor(max(1, min(len(wanted), 3)), thread_name_prefix="base") as pool:
            futures = {
                name: pool.submit(self._ensure, name, reference, pull) for name, reference in wanted.items()
            }
            return {name: future.result() for name, future in futures.items()}

    def _ensure(self, name: str, wanted: str, pull: bool) -> BaseImage:
        present = self._present(name, wanted)
        if present is not None and not (pull and present.stand_in):
            return present
        reason = self._pull(name, wanted)
        if not reason:
            present = self._present(name, wanted)
            if present is not None:
                return present
            reason = "it was pulled and is not on the engine"
        if present is not None:
            return present
        recipe = _recipe(name, wanted)
        if recipe is None:
            raise BaseImageUnavailable(
                f"the base image {wanted} is not on the engine and cannot be pulled: {reason}",
                hint=f"docker pull {wanted}, or name another: build.base_images.{name} in the settings",
            )
        return self._make(name, wanted, recipe, reason)

    def _make(self, name: str, wanted: str, recipe: Recipe, reason: str) -> BaseImage:
        from deploytool.images.standins.making import make

        self._report(name, f"{_plain(wanted)} cannot be pulled ({reason}): making a stand-in from packages")
        try:
            reference = make(
                self._api,
                recipe,
                stands_for=wanted,
                cache=self._cache,
                report=lambda text: self._report(name, text),
            )
        except BaseImageUnavailable as error:
            raise BaseImageUnavailable(
                f"the base image {wanted} can neither be pulled ({reason}) nor be made: {error.message}",
                hint=error.hint or f"docker pull {wanted}, or set build.base_images.{name}",
                details=error.details,
            ) from error
        return BaseImage(name, wanted, reference, self._identity(reference) or "", True, reason)

    def _present(self, name: str, wanted: str) -> BaseImage | None:
        identity = self._identity(wanted)
        if identity is not None:
            return BaseImage(name, wanted, wanted, identity, self._is_stand_in(wanted))
        recipe = _recipe(name, wanted)
        if recipe is None:
            return None
        reference = recipe.reference(self._machine_name())
        identity = self._identity(reference)
        return BaseImage(name, wanted, reference, identity, True) if identity is not None else None

    def _machine_name(self) -> str:
        from deploytool.images.standins.making import machine_of

        with self._lock:
            self._machine = self._machine or machine_of(self._api)
        return self._machine

    def _identity(self, reference: str) -> str | None:
        response = self._api.request("GET", f"{self._address}/images/{reference}/json", timeout=30)
        return str(response.json().get("Id", "")) if response.status_code == 200 else None

    def _is_stand_in(self, reference: str) -> bool:
        response = self._api.request("GET", f"{self._address}/images/{reference}/json", timeout=30)
        labels = (response.json().get("Config") or {}).get("Labels") or {}
        return STAND_IN_LABEL in labels or RECIPE_LABEL in labels

    @property
    def _address(self) -> str:
        return f"{self._api.base_url}/v{self._api.api_version}"

    def _pull(self, name: str, reference: str) -> str:
        """Pull an image; returns why it could not be, "" when it is there."""
        registry = registry_of(reference)
        with self._lock:
            known = self._silent.get(registry, "")
        if known:
            return known
        self._report(name, f"pulling {_plain(reference)}")
        problem, silent = pull(self._api, reference)
        if silent:
            with self._lock:
                self._silent[registry] = problem
        return problem


def pull(api: APIClient, reference: str) -> tuple[str, bool]:
    """Have the engine pull an image; returns the problem, if any, and whether the registry is out of reach.

    Raises DiskFull, EngineUnreachable.
    """
    from requests.exceptions import ConnectionError as Broken
    from requests.exceptions import RequestException, Timeout

    registry = registry_of(reference)
    try:
        response = api.request(
            "POST",
            f"{api.base_url}/v{api.api_version}/images/create",
            params=_pull_parameters(reference),
            stream=True,
            timeout=(_FIRST_WORD_SECONDS, _FIRST_WORD_SECONDS),
        )
        with response:
            if response.status_code >= 400:
                return _judge(registry, _message(response.text))
            _patient(response, _BETWEEN_WORDS_SECONDS)
            for line in response.iter_lines():
                message = json.loads(line) if line.strip() else {}
                if "error" in message:
                    return _judge(registry, str(message["error"]))
    except Timeout:
        return f"{registry} does not answer", True
    except Broken as error:
        if "timed out" in str(error).lower():
            return f"{registry} does not answer", True
        raise EngineUnreachable(f"the engine does not answer: {error}") from error
    except RequestException as error:
        raise EngineUnreachable(f"the connection to the engine broke: {error}") from error
    return "", False


def registry_of(reference: str) -> str:
    """The registry's host: `docker.io` unless the first part of the name looks like a host."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _recipe(name: str, wanted: str) -> Recipe | None:
    """The recipe that may stand in for this very image; None for any other than the official ones."""
    from deploytool.images.standins.making import RECIPES

    plain = _plain(wanted).removeprefix("docker.io/").removeprefix("library/")
    return RECIPES.get(name) if plain.startswith(_STANDS_FOR.get(name, ())) else None


def _plain(reference: str) -> str:
    return reference.partition("@")[0]


def _pull_parameters(reference: str) -> dict[str, str]:
    """The engine wants the digest, if there is one, as the tag; else it would pull every tag there is."""
    name, _, digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    return {"fromImage": repository, "tag": digest or tag}


def _patient(response: object, seconds: float) -> None:
    """The first word has come: a slow download is no silent registry. The SDK offers no way to say so."""
    raw = getattr(response, "raw", None)
    connection = getattr(raw, "_connection", None) or getattr(raw, "connection", None)
    sock = getattr(connection, "sock", None)
    if sock is not None:
        sock.settimeout(seconds)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()


def _judge(registry: str, problem: str) -> tuple[str, bool]:
    """What the engine's words mean: a full disk, a registry out of reach, or an image it does not give."""
    words = problem.lower()
    if "no space left on device" in words:
        raise DiskFull("the engine's disk is full: a base image could not be pulled", details=(problem,))
    out_of_reach = (
        "no such host",
        "dial tcp",
        "i/o timeout",
        "connection refused",
        "network is unreachable",
        "server misbehaving",
        "tls handshake",
        "certificate",
        "client.timeout",
        "context deadline",
        "proxyconnect",
        "eof",
    )
    if any(mark in words for mark in out_of_reach):
        return f"{registry} cannot be reached: {problem.rpartition(': ')[2] or problem}", True
    if "toomanyrequests" in words or "429" in words:
        return f"{registry} refuses more downloads for now", True
    return problem, False
