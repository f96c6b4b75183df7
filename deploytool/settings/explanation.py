"""Where a setting's value comes from: every layer that says something, and which one wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploytool.errors import SettingsError
from deploytool.settings.documents import KeyPath
from deploytool.settings.layers import origins
from deploytool.settings.load import Layers, check, read_layers
from deploytool.settings.model import Settings
from deploytool.settings.paths import UNKNOWN, default_at, field_at, known_keys, split_path, type_at
from deploytool.settings.problems import HINT, dotted, nearest
from deploytool.settings.resolve import DERIVED

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ExplainedLayer:
    """One layer: `where` is `default`, `derived`, file:line or a variable; `value` is what stands there."""

    where: str
    value: Any
    wins: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """A setting, its effective value in canonical units, and its layers from the lowest to the highest."""

    path: str
    description: str
    value: Any
    layers: tuple[ExplainedLayer, ...]


def explain(
    path: str,
    environment: str,
    project_dir: Path,
    variables: Mapping[str, str] | None = None,
    secret_names_present: frozenset[str] = frozenset(),
) -> Explanation:
    """Explain `services.backend.limits.memory`, or `backend.limits.memory` for short.

    Raises what `load_settings` raises, and SettingsError for a path that no setting has.
    """
    layers = read_layers(environment, project_dir, variables, secret_names_present)
    settings = check(layers)
    shown = settings.show()
    keys = _resolve_path(path, layers, settings)
    found = [ExplainedLayer(DEFAULT, default_at(keys))]
    found += [ExplainedLayer(layer.where, _plain(layer.value)) for layer in origins(layers.documents, keys)]
    winner = _winner(found)
    field = field_at(keys)
    return Explanation(
        path=dotted(keys),
        description=(field.description or "") if field else "",
        value=_value_at(shown, keys),
        layers=tuple(
            ExplainedLayer(layer.where, layer.value, index == winner) for index, layer in enumerate(found)
        ),
    )


def source_of(
    path: str, environment: str, project_dir: Path, variables: Mapping[str, str] | None = None
) -> str:
    """file:line (or variable) of the value that counts; empty for a default or derived one.

    For a part of a setting (`healthcheck.test`) that nobody writes by itself: where the setting stands.
    """
    layers = read_layers(environment, project_dir, variables)
    keys = split_path(path, layers.tree)
    # A service as a whole (two levels) is no answer to where one of its settings comes from.
    for length in range(len(keys), 2, -1):
        found = origins(
            [document for document in layers.documents if document.name != DERIVED], keys[:length]
        )
        if found:
            return found[-1].where
    return ""


def _winner(found: list[ExplainedLayer]) -> int:
    """The highest layer; a null there gives the lowest its turn again."""
    return len(found) - 1 if found[-1].value is not None else 0


def _resolve_path(text: str, layers: Layers, settings: Settings) -> KeyPath:
    whole = split_path(text, layers.tree)
    in_service = ("services", *split_path(text, layers.tree.get("services", {})))
    for keys in (whole, in_service):
        if _exists(keys, settings):
            return keys
    service = in_service if in_service[1] in settings.services else whole
    for length in range(1, len(service) + 1):
        if not _exists(service[:length], settings):
            name, parent = service[length - 1], service[: length - 1]
            known = known_keys(parent) or list(settings.services)
            if not parent:
                known = [*known, *settings.services]
            meant = nearest(name, known)
            raise SettingsError(
                f"unknown setting `{name}`",
                where=dotted(service),
                hint=f"did you mean `{meant}`?" if meant else HINT,
            )
    raise SettingsError(f"unknown setting `{text}`", where=text, hint=HINT)


def _exists(keys: KeyPath, settings: Settings) -> bool:
    if type_at(keys) is UNKNOWN:
        return False
    return keys[0] != "services" or len(keys) < 2 or keys[1] in settings.services


def _value_at(shown: Any, keys: KeyPath) -> Any:
    for key in keys:
        if isinstance(shown, dict):
            shown = shown.get(key)
        elif isinstance(shown, list) and key.isdecimal() and int(key) < len(shown):
            shown = shown[int(key)]
        else:
            return None
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
