"""Reading one mapping of compose.yaml: values by key, in canonical types, with errors that name the key."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from deploytool.errors import BundleInvalid, ComposeKeyUnsupported
from deploytool.stack.model import Pairs


class Reader:
    """A mapping and the path under which it stands; an absent mapping reads as an empty one."""

    def __init__(self, value: Any, path: str) -> None:
        if value is not None and not isinstance(value, dict):
            raise BundleInvalid(f"a mapping is wanted, not {value!r:.60}", where=f"compose.yaml  {path}")
        self._values: dict[str, Any] = {str(key): entry for key, entry in (value or {}).items()}
        self._path = path

    def __bool__(self) -> bool:
        return bool(self._values)

    def at(self, key: str) -> str:
        """The path of a key, for messages."""
        return f"{self._path}.{key}" if self._path else key

    def allow(self, *keys: str) -> None:
        """Refuse every key but these. Other `x-` extensions pass, as the Compose specification has it."""
        for key in self._values:
            if key in keys or (key.startswith("x-") and "x-chatbot" in keys):
                continue
            near = difflib.get_close_matches(key, keys, 1)
            raise ComposeKeyUnsupported(
                f"unsupported Compose key `{key}`",
                where=f"compose.yaml  {self.at(key)}",
                hint=(f"did you mean `{near[0]}`?" if near else "keys that work here: " + ", ".join(keys)),
            )

    def value(self, key: str) -> Any:
        """The raw value, None when absent."""
        return self._values.get(key)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Key and raw value of each entry."""
        yield from self._values.items()

    def section(self, key: str) -> Reader:
        """The mapping under a key."""
        return Reader(self._values.get(key), self.at(key))

    def sections(self, key: str) -> list[tuple[str, Reader]]:
        """The named mappings under a key, sorted by name."""
        section = self.section(key)
        return [(name, Reader(entry, section.at(name))) for name, entry in sorted(section.items())]

    def entries(self, key: str) -> list[Reader]:
        """The list of mappings under a key (Compose's long form)."""
        raw = self._values.get(key) or []
        if not isinstance(raw, list):
            self._refuse(key, "a list of mappings", raw)
        return [Reader(entry, f"{self.at(key)}[{index}]") for index, entry in enumerate(raw)]

    def text(self, key: str) -> str:
        """A string ("" when absent); numbers and booleans are written as YAML writes them."""
        raw = self._values.get(key)
        if isinstance(raw, (dict, list)):
            self._refuse(key, "a text", raw)
        return _text(raw)

    def flag(self, key: str) -> bool:
        """A boolean, False when absent."""
        raw = self._values.get(key, False)
        if not isinstance(raw, bool):
            self._refuse(key, "true or false", raw)
        return raw

    def number(self, key: str, default: int) -> int:
        """An integer that is not negative; text of digits is taken too."""
        raw = self._values.get(key, default)
        try:
            number = int(str(raw))
        except ValueError:
            number = -1
        if isinstance(raw, bool) or number < 0:
            self._refuse(key, "a whole number", raw)
        return number

    def quantity(self, key: str, parse: Callable[[str], int], default: int = 0) -> int:
        """A value with a unit, through one of the parsers of settings.units."""
        raw = self._values.get(key)
        if raw is None:
            return default
        try:
            return parse(str(raw))
        except ValueError as error:
            raise BundleInvalid(str(error), where=f"compose.yaml  {self.at(key)}") from None

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        raw = self.text(key) or default
        if raw not in choices:
            self._refuse(key, "one of " + ", ".join(choices), raw)
        return raw

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        raw = self._values.get(key)
        if raw is None:
            return ()
        if isinstance(raw, dict):
            self._refuse(key, "a list", raw)
        return tuple(_text(entry) for entry in (raw if isinstance(raw, list) else [raw]))

    def words(self, key: str) -> tuple[str, ...] | None:
        """A command: a list, or a string split as a shell would; None when absent."""
        raw = self._values.get(key)
        if raw is None:
            return None
        if isinstance(raw, str):
            try:
                return tuple(_text(word) for word in shlex.split(raw))
            except ValueError as error:
                raise BundleInvalid(f"{error} in {raw!r}", where=f"compose.yaml  {self.at(key)}") from None
        return self.texts(key)

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names, or the keys of a mapping whose values are empty; sorted."""
        raw = self._values.get(key)
        if isinstance(raw, dict):
            for name, entry in raw.items():
                Reader(entry, f"{self.at(key)}.{name}").allow()
            return tuple(sorted(str(name) for name in raw))
        return tuple(sorted(self.texts(key)))

    def pairs(self, key: str) -> Pairs:
        """A mapping of texts, or a list of KEY=VALUE; sorted by key."""
        raw = self._values.get(key)
        if isinstance(raw, list):
            found = dict(_text(entry).partition("=")[::2] for entry in raw)
        elif raw is None or isinstance(raw, dict):
            found = {str(name): _text(value) for name, value in (raw or {}).items()}
        else:
            self._refuse(key, "a mapping", raw)
        return tuple(sorted(found.items()))

    def _refuse(self, key: str, wanted: str, found: Any) -> NoReturn:
        raise BundleInvalid(f"{wanted} is wanted, not {found!r:.60}", where=f"compose.yaml  {self.at(key)}")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("$$", "$")
