"""Layers over each other: `base.yaml` ← `<environment>.yaml` ← `CHATBOT__…` variables.

Maps are merged key by key; anything else replaces what stood below; `null` takes away what stood below, so
that the default counts again.

Not pydantic-settings: its sources know neither the lines of a file nor the layers under a value, which errors
and `config explain` name, and its import takes a third as long again as pydantic's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploytool.errors import SettingsError
from deploytool.settings.documents import TEXT_MAPS, Document, KeyPath, parse_scalar
from deploytool.settings.paths import type_at

PREFIX = "CHATBOT__"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: `environments/prod.yaml:18` or a variable's name."""

    where: str
    value: Any


def merge(documents: Iterable[Document]) -> dict[str, Any]:
    """One tree of all layers, the last one on top."""
    merged: dict[str, Any] = {}
    for document in documents:
        merged = _merge_maps(merged, document.data)
    return merged


def _merge_maps(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            under = result.get(key)
            result[key] = _merge_maps(under if isinstance(under, dict) else {}, value)
        else:
            result[key] = value
    return result


def origin_text(document: Document, path: KeyPath) -> str:
    """`file:line` of a path in a layer, or of the nearest map above it that the layer holds."""
    for length in range(len(path), 0, -1):
        line = document.lines.get(path[:length])
        if line is not None:
            return f"{document.name}:{line}" if line else document.name
    return document.name


def locate(documents: Sequence[Document], path: KeyPath) -> str:
    """Where the value at `path` was written; for one that nobody wrote, where its nearest parent was."""
    for length in range(len(path), 0, -1):
        for document in reversed(documents):
            line = document.lines.get(path[:length])
            if line is not None:
                return f"{document.name}:{line}" if line else document.name
    return documents[0].name if documents else ""


def origins(documents: Sequence[Document], path: KeyPath) -> list[Origin]:
    """What each layer says at `path`, lowest first."""
    found = []
    for document in documents:
        value: Any = document.data
        for key in path:
            if isinstance(value, dict) and key in value:
                value = value[key]
            else:
                break
        else:
            found.append(Origin(origin_text(document, path), value))
    return found


def variable_documents(variables: Mapping[str, str], below: Mapping[str, Any]) -> list[Document]:
    """One layer per `CHATBOT__` variable, in the order of their names.

    Names count without case, and `_` also stands for `-`: `CHATBOT__SERVICES__MY_CACHE__REPLICAS` means
    `services.my-cache.replicas` when there is such a service. A value is written as in YAML.
    """
    documents = []
    tree = dict(below)
    for name in sorted(variables):
        if not name.upper().startswith(PREFIX):
            continue
        levels = name[len(PREFIX) :].split("__")
        if not all(levels):
            raise SettingsError(
                f"the variable {name} names no setting",
                where=name,
                hint=f"for example {PREFIX}SERVICES__BACKEND__REPLICAS=2",
            )
        _check_encoding(name, variables[name])
        path = _path_of(levels, tree)
        value = parse_scalar(variables[name], name, as_text=_is_text(path))
        data: Any = value
        for key in reversed(path):
            data = {key: data}
        document = Document(name, data, {path[:length]: 0 for length in range(1, len(path) + 1)})
        documents.append(document)
        tree = _merge_maps(tree, data)
    return documents


def _check_encoding(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"the value of {name} is not UTF-8 text", where=name) from None


def _is_text(path: KeyPath) -> bool:
    """Whether a value is text whatever it looks like: a project may be called 12e5."""
    return (len(path) > 1 and path[-2] in TEXT_MAPS) or type_at(path) is str


def _path_of(levels: Sequence[str], tree: Mapping[str, Any]) -> KeyPath:
    path: list[str] = []
    node: Any = tree
    for level in levels:
        known = list(node) if isinstance(node, dict) else []
        wanted = level.casefold().replace("-", "_")
        matches = [key for key in known if key.casefold().replace("-", "_") == wanted]
        exact = [key for key in matches if key in {level, level.lower()}]
        # Names inside environment: and its like are case-sensitive; every other setting is lower case.
        unknown = level if path and path[-1] in TEXT_MAPS else level.lower()
        key = (exact or matches or [unknown])[0]
        path.append(key)
        node = node.get(key) if isinstance(node, dict) else None
    return tuple(path)
