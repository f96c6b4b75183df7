"""What makes two containers of a service the same: everything, minus named exemptions.

A field that somebody forgets to think about recreates a container; it is never silently ignored.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import Any

from deploytool.stack.model import Service

EXEMPT = frozenset(
    {
        "replicas",  # how many, not what
        "update",  # how a change is rolled out
        "depends_on",  # in which order things start
        "build",  # how the image is made; the image itself is compared by id
        "image",  # compared by id, so that a new tag of the same bytes replaces nothing
        "secrets",  # compared by version, which covers names and values
        "release_command",  # runs in a container of its own
        "proxied_port",  # a matter of the routes
    }
)

_NAMES = tuple(entry.name for entry in fields(Service))


def configuration(service: Service) -> str:
    """Canonical JSON of all that the fingerprint covers; no secret values, since a stack has none."""
    return json.dumps(configuration_values(service), sort_keys=True, separators=(",", ":"))


def configuration_values(service: Service) -> dict[str, Any]:
    """The same as plain values."""
    values = asdict(service)
    return {name: values[name] for name in _NAMES if name not in EXEMPT}


def fingerprint(service: Service) -> str:
    """SHA-256 of the configuration, hexadecimal."""
    return hashlib.sha256(configuration(service).encode()).hexdigest()
