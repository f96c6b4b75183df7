"""YAML files as plain data that remembers which line each setting stands on.

Read through YAML's node interface: the usual loader forgets lines, lets a later duplicate key win silently
and turns `1:30` into ninety. Lists become tuples, since settings are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploytool.errors import SettingsError

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: slower, the same result
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

KeyPath = tuple[str, ...]

TEXT_MAPS = frozenset({"environment", "args", "labels", "options", "driver_opts", "sysctls"})
"""Maps whose values are text for someone else: `VERSION: 1.10` and `DEBUG: yes` keep what was written."""

_MOST_NODES = 50_000
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Document:
    """One layer: `data` as plain values, `lines` the line (from 1) of every key and list entry."""

    name: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)


def read_document(path: Path, name: str) -> Document:
    """Read a YAML file; `name` stands in errors as the file's name (relative to the project)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(
            "the file is not UTF-8 text",
            where=f"{name}:{line}",
            hint=f"save it as UTF-8, e.g. iconv -t UTF-8 {name}",
        ) from None
    except OSError as error:
        raise SettingsError(f"cannot read the settings file: {error.strerror}", where=name) from None
    return parse_document(text, name)


def parse_document(text: str, name: str) -> Document:
    """The document in `text`; an empty one is an empty map. Raises SettingsError with file:line."""
    node = parse_node(text, name)
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == _NULL):
        return Document(name, {})
    reader = _Reader(name)
    if not isinstance(node, yaml.MappingNode):
        raise reader.error(node, f"wants a map of settings at the top, not {_kind(node)}")
    data = reader.mapping(node, (), ())
    # Top-level keys x-… only carry anchors, as in Compose.
    kept = {key: value for key, value in data.items() if not key.startswith("x-")}
    return Document(name, kept, reader.lines)


def parse_scalar(text: str, name: str, *, as_text: bool) -> Any:
    """The value of a variable, written as in YAML: `3`, `true`, `[a, b]`; `as_text` keeps it as it is."""
    if as_text:
        return text
    try:
        node = parse_node(text, name)
        return "" if node is None else _Reader(name).value(node, (), (), as_text=False)
    except SettingsError as error:
        # A variable has no lines worth counting.
        raise SettingsError(
            error.message, where=name, hint="a variable's value is written as in YAML"
        ) from None


def parse_node(text: str, name: str) -> yaml.Node | None:
    """YAML text as a node tree, without resolving it."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        problem = error.problem or error.context or "not understood"
        hint = ""
        if mark is not None and "\t" in _line(text, mark.line):
            hint = "YAML is indented with spaces: replace the tab"
        raise SettingsError(f"the YAML is broken: {problem}", where=where, hint=hint) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        raise SettingsError(
            f"the YAML is broken: character {error.character!r} is not allowed", where=f"{name}:{line}"
        ) from None
    except RecursionError:
        raise SettingsError("the YAML is nested too deeply", where=name) from None
    return node


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a map"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


class _Reader:
    """Walks one document's nodes; collects `lines`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self._nodes = 0
        self._constructor = yaml.constructor.SafeConstructor()

    def error(self, node: yaml.Node, message: str, hint: str = "") -> SettingsError:
        return SettingsError(message, where=f"{self.name}:{node.start_mark.line + 1}", hint=hint)

    def value(self, node: yaml.Node, path: KeyPath, above: tuple[yaml.Node, ...], *, as_text: bool) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise self.error(node, f"the file holds more than {_MOST_NODES} values")
        if any(node is other for other in above) or len(above) > 50:
            raise self.error(node, "the YAML contains itself or is nested too deeply")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, above)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path, above)
        return self._scalar(node, as_text)

    def mapping(self, node: yaml.MappingNode, path: KeyPath, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: dict[str, int] = {}
        as_text = bool(path) and path[-1] in TEXT_MAPS
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged.extend(value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node])
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.error(key_node, f"a setting's name is a word, not {_kind(key_node)}")
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key in own:
                message = f"`{key}` stands twice (first on line {own[key]})"
                raise self.error(key_node, message, "keep one of them")
            own[key] = line
            self.lines[(*path, key)] = line
            result[key] = self.value(value_node, (*path, key), (*above, node), as_text=as_text)
        for other in merged:
            self._merge(other, result, path, (*above, node))
        return result

    def _merge(
        self, node: yaml.Node, result: dict[str, Any], path: KeyPath, above: tuple[yaml.Node, ...]
    ) -> None:
        """YAML's `<<`: keys that do not stand in the map itself."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"`<<` wants a map, not {_kind(node)}")
        known = dict(self.lines)
        for key, value in self.value(node, path, above, as_text=False).items():
            result.setdefault(key, value)
        self.lines.update(known)

    def _sequence(
        self, node: yaml.SequenceNode, path: KeyPath, above: tuple[yaml.Node, ...]
    ) -> tuple[Any, ...]:
        entries = []
        for index, entry in enumerate(node.value):
            self.lines[(*path, str(index))] = entry.start_mark.line + 1
            entries.append(self.value(entry, (*path, str(index)), (*above, node), as_text=False))
        return tuple(entries)

    def _scalar(self, node: yaml.Node, as_text: bool) -> Any:
        text: str = node.value
        if node.tag == _NULL:
            return None
        if as_text:
            return text
        kind = node.tag.rpartition(":")[2]
        # YAML 1.1 reads 1:30 as a number to base 60 and 012 as octal; nobody who writes settings means that.
        if (
            kind in {"bool", "int", "float"}
            and ":" not in text
            and not (kind == "int" and text[:1] == "0" != text)
        ):
            try:
                return self._constructor.construct_object(node, deep=True)
            except ValueError:
                raise self.error(node, f"`{text[:40]}` is no {kind}") from None
        return text
