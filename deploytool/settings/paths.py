"""Walking through the models along a setting's path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from deploytool.settings.documents import KeyPath
from deploytool.settings.model import Settings

UNKNOWN = object()
"""What `type_at` says of a path that no setting has."""


def known_keys(path: KeyPath) -> list[str]:
    """The settings' names that can stand at a path; empty where any name can."""
    found = type_at(path)
    return list(found.model_fields) if _is_model(found) else []


def type_at(path: KeyPath) -> Any:
    """The type of the setting at `path`, or UNKNOWN."""
    current: Any = Settings
    for part in path:
        if _is_model(current):
            field = current.model_fields.get(part)
            if field is None:
                return UNKNOWN
            current = _inner(field.annotation)
        elif get_origin(current) is dict:
            current = _inner(get_args(current)[1])
        elif get_origin(current) is tuple and part.isdecimal():
            current = _inner(get_args(current)[0])
        else:
            return UNKNOWN
    return current


def field_at(path: KeyPath) -> FieldInfo | None:
    """The field that `path` names, or the one whose map it is an entry of."""
    for length in range(len(path), 0, -1):
        parent = type_at(path[: length - 1])
        if _is_model(parent):
            field: FieldInfo | None = parent.model_fields.get(path[length - 1])
            return field
    return None


def default_at(path: KeyPath) -> Any:
    """The model's own default as plain data in canonical units; None where there is none."""
    for length in range(len(path) - 1, -1, -1):
        parent = type_at(path[:length])
        if _is_model(parent):
            value: Any = parent.model_construct().model_dump(mode="json")
            for part in path[length:]:
                value = value.get(part) if isinstance(value, dict) else None
            return value
    return None


def split_path(text: str, tree: Mapping[str, Any]) -> KeyPath:
    """`services.backend.labels.com.example/team` as a path: names in `tree` may themselves hold dots."""
    parts, path, node = text.split("."), [], tree
    while parts:
        length = next(
            (
                size
                for size in range(len(parts), 1, -1)
                if isinstance(node, dict) and ".".join(parts[:size]) in node
            ),
            1,
        )
        key = ".".join(parts[:length])
        path.append(key)
        node = node.get(key, {}) if isinstance(node, dict) else {}
        parts = parts[length:]
    return tuple(path)


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)


def _inner(annotation: Any) -> Any:
    """The type without Annotated and `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        choices = [choice for choice in get_args(annotation) if choice is not type(None)]
        if type(None) in get_args(annotation) and len(choices) == 1:
            annotation = choices[0]
            continue
        return annotation
