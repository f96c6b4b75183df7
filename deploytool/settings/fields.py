"""The kinds of values that settings are made of: text with a rule, sizes, durations, command lines.

Every validator raises ValueError with words that follow the setting's name ("wants …, not …").
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)

from deploytool.settings.units import (
    describe,
    format_bytes,
    format_cpus,
    format_duration,
    parse_bytes,
    parse_cpus,
    parse_duration,
)


class Strict(BaseModel):
    """Frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=False)


def _schema(kind: Any, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


@dataclass(frozen=True, slots=True)
class Also:
    """Adds a short form to a field's JSON Schema; a validator before the field's own reads it."""

    short: dict[str, Any]

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self.short, handler(core)]}


def _text_rule(pattern: str, wants: str, *, repeat: bool = True) -> BeforeValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise ValueError(f"wants {wants}, not {describe(value)}" if repeat else f"wants {wants}")
        return value

    return BeforeValidator(check)


NAME_PATTERN = r"(?=.{1,63}$)[a-z0-9]+(?:(?:__?|-+)[a-z0-9]+)*"
"""What Docker takes as part of an image's name, and DNS as a label."""
ENVIRONMENT_PATTERN = r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?"
SECRET_NAME_PATTERN = r"[A-Za-z_][A-Za-z0-9_]{0,127}"  # noqa: S105 - the form of a name, no secret
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_.-]{0,254}"
REFERENCE_PATTERN = r"[a-z0-9][A-Za-z0-9._/:@-]{0,511}"

Name = Annotated[
    str,
    _text_rule(NAME_PATTERN, "a name of lower-case letters, digits, - and _"),
    _schema("string", pattern=f"^{NAME_PATTERN}$"),
]
SecretName = Annotated[
    str,
    # What stands there instead may be the value: it is not repeated.
    _text_rule(SECRET_NAME_PATTERN, "a secret's name such as JWT_SECRET, nothing else", repeat=False),
    _schema("string", pattern=f"^{SECRET_NAME_PATTERN}$"),
]
VariableName = Annotated[
    str,
    _text_rule(VARIABLE_PATTERN, "a variable's name such as LOG_LEVEL"),
    _schema("string", pattern=f"^{VARIABLE_PATTERN}$"),
]
Reference = Annotated[
    str,
    _text_rule(REFERENCE_PATTERN, "an image reference such as redis:7-alpine"),
    _schema("string", pattern=f"^{REFERENCE_PATTERN}$"),
]
AbsolutePath = Annotated[
    str,
    _text_rule(r"/[^\0\n:]*", "an absolute path such as /data"),
    _schema("string", pattern="^/"),
]
UrlPath = Annotated[
    str,
    _text_rule(r"/[!-~]*", "a path such as /health"),
    _schema("string", pattern="^/"),
]
Domain = Annotated[
    str,
    _text_rule(
        r"|(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
        "a domain such as chat.example.com, without https:// or a path",
    ),
    _schema("string"),
]
Port = Annotated[int, Field(ge=1, le=65535)]
PublishedPort = Annotated[int, Field(ge=0, le=65535)]


def _address(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(
            f"wants an address such as 127.0.0.1, or an empty text for every address, not {describe(value)}"
        )
    if value:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise ValueError(f"wants an IP address such as 127.0.0.1, not `{value[:60]}`") from None
    return value


HostAddress = Annotated[str, BeforeValidator(_address), _schema("string")]
"""An address of the host; empty: every address."""


def _user(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or re.fullmatch(r"\d{1,10}(:\d{1,10})?", text, re.ASCII) is None:
        raise ValueError(f'wants numbers, such as "1000:1000" (uid:gid), not {describe(value)}')
    return text


User = Annotated[str, BeforeValidator(_user), _schema(["string", "integer"], examples=["10001:10001"])]
"""uid or uid:gid, by number: the files of its secrets are made to belong to it."""


def _restart(value: object) -> object:
    if value is False:
        return "no"  # YAML reads the bare word as false
    if not isinstance(value, str) or not re.fullmatch(
        r"no|always|unless-stopped|on-failure(:\d+)?", value, re.ASCII
    ):
        raise ValueError(f"wants no, always, unless-stopped or on-failure[:times], not {describe(value)}")
    return value


Restart = Annotated[str, BeforeValidator(_restart), _schema(["string", "boolean"])]
"""Compose's restart policy."""


def _plain_text(value: object) -> object:
    """Text for a container's variable; numbers and booleans as they would be written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not hold a zero byte")
    return value


PlainText = Annotated[str, BeforeValidator(_plain_text), _schema(["string", "number", "boolean"])]

Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(format_bytes, when_used="json"),
    _schema(["string", "integer"], examples=["512M", "1G"]),
]
"""A size in bytes; `M` is MiB, as in Compose."""

Cpus = Annotated[
    int,
    BeforeValidator(parse_cpus),
    PlainSerializer(format_cpus, when_used="json"),
    _schema(["number", "string"], examples=[0.5, 1.5]),
]
"""CPUs in nano-CPUs, the engine API's unit."""

Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, when_used="json"),
    _schema("string", examples=["30s", "1m30s", "500ms"]),
]
"""A duration in nanoseconds."""


def as_arguments(value: object) -> object:
    """A command line as arguments: a list as it is, a text split like a shell would (no shell runs)."""
    if isinstance(value, str):
        try:
            value = tuple(shlex.split(value))
        except ValueError as error:
            raise ValueError(f"is not a command line: {error}") from None
    if isinstance(value, list):
        value = tuple(value)
    if not isinstance(value, tuple):
        raise ValueError(f"wants a list of arguments, not {describe(value)}")
    for argument in value:
        if isinstance(argument, bool) or not isinstance(argument, str | int | float):
            raise ValueError(f"wants a list of texts, not {describe(argument)} among them")
    arguments = tuple(str(argument) for argument in value)
    if any("\0" in argument for argument in arguments):
        raise ValueError("must not hold a zero byte")
    return arguments


Arguments = Annotated[
    tuple[str, ...],
    BeforeValidator(as_arguments),
    WithJsonSchema({"type": ["array", "string"], "items": {"type": "string"}}),
]


def as_tuple(value: object) -> object:
    """A list as a tuple; a single text is told apart from a list."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str):
        raise ValueError(f"wants a list, such as [{value}], not the text `{value[:60]}`")
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
SecretNames = Annotated[tuple[SecretName, ...], BeforeValidator(as_tuple)]
