"""Parts of a service that have short forms: volumes, ports, dependencies, limits of the process table."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from deploytool.settings import fields
from deploytool.settings.fields import Strict
from deploytool.settings.units import describe


class Mount(Strict):
    """A volume (or, with an absolute path, a folder of the host) in a container.

    Short forms: `name` (at /data), `name:/target`, `name:/target:ro`.
    """

    source: str = Field(description="A volume's name, or an absolute path on the host", min_length=1)
    target: fields.AbsolutePath = Field(default="/data", description="Where it stands in the container")
    read_only: bool = Field(default=False, description="true: the container cannot write to it")


def read_mount(value: object) -> object:
    """`name`, `name:/target` and `name:/target:ro` as a map."""
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) > 3 or not all(parts):
        raise ValueError(f"wants name:/target or name:/target:ro, not `{value}`")
    mount: dict[str, Any] = {"source": parts[0]}
    if len(parts) > 1:
        mount["target"] = parts[1]
    if len(parts) == 3:
        if parts[2] not in {"ro", "rw"}:
            raise ValueError(f"knows only ro and rw at the end, not `{parts[2]}`")
        mount["read_only"] = parts[2] == "ro"
    return mount


class PublishedPort(Strict):
    """A port of the host that leads to a container. Short forms: `6379:6379`, `0.0.0.0:6379:6379/udp`."""

    target: fields.Port = Field(description="Port in the container")
    published: fields.PublishedPort = Field(description="Port of the host; 0: the engine chooses")
    host_ip: fields.HostAddress = Field(
        default="127.0.0.1", description="The host's address; empty: every address"
    )
    protocol: Literal["tcp", "udp"] = Field(default="tcp", description="tcp or udp")


def read_port(value: object) -> object:
    """`80`, `80:8000`, `127.0.0.1:80:8000` and `…/udp` as a map."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"target": value, "published": value}
    if not isinstance(value, str):
        return value
    rest, _, protocol = value.partition("/")
    address, _, ports = (
        rest.rpartition(":")[0].rpartition(":") if rest.count(":") > 1 else ("", "", rest.partition(":")[0])
    )
    target = rest.rpartition(":")[2]
    published = ports or target
    if not (target.isdecimal() and published.isdecimal()):
        raise ValueError(f"wants published:target such as 6379:6379, not `{value}`")
    port: dict[str, Any] = {"target": int(target), "published": int(published)}
    if address:
        # An address written out counts: 0.0.0.0 is the way to say "every address".
        port["host_ip"] = "" if address in {"0.0.0.0", "[::]"} else address.strip("[]")  # noqa: S104
    if protocol:
        port["protocol"] = protocol
    return port


class Logging(Strict):
    """Where a container's output goes; bounded, so that it never fills the disk."""

    driver: str = Field(default="json-file", description="The engine's logging driver", min_length=1)
    options: dict[str, fields.PlainText] = Field(
        default_factory=lambda: {"max-size": "10m", "max-file": "3"}, description="The driver's options"
    )


class Ulimit(Strict):
    """One resource limit of the process table."""

    soft: Annotated[int, Field(ge=0)] = Field(description="Soft limit")
    hard: Annotated[int, Field(ge=0)] = Field(description="Hard limit")


def read_ulimits(value: object) -> object:
    """A single number as both limits."""
    if not isinstance(value, dict):
        return value
    return {
        name: {"soft": limit, "hard": limit}
        if isinstance(limit, int) and not isinstance(limit, bool)
        else limit
        for name, limit in value.items()
    }


Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]


def read_depends_on(value: object) -> object:
    """A list of names and Compose's `{condition: …}` as a map of conditions."""
    if isinstance(value, list | tuple):
        for name in value:
            if not isinstance(name, str):
                raise ValueError(f"wants names of services, not {describe(name)}")
        return dict.fromkeys(value, "service_started")
    if isinstance(value, dict):
        return {
            name: condition["condition"]
            if isinstance(condition, dict) and set(condition) == {"condition"}
            else condition
            for name, condition in value.items()
        }
    return value


_CONDITION = {"enum": list(get_args(Condition))}
SHORT_DEPENDS_ON = {
    "type": ["array", "object"],
    "items": {"type": "string"},
    "additionalProperties": {
        "anyOf": [_CONDITION, {"type": "object", "properties": {"condition": _CONDITION}}]
    },
}
SHORT_ULIMITS = {"type": "object", "additionalProperties": {"type": "integer"}}
