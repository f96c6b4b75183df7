"""What the operator wrote: layered YAML files and `CHATBOT__` variables as frozen models.

The only room that reads `environments/` and `os.environ`. It holds the names of secrets, never a value.
Names are imported on use, so that `deploytool.settings.units` costs nothing and `--help` imports no pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploytool.settings.explanation import Explanation, explain, source_of
    from deploytool.settings.load import environments, load_settings
    from deploytool.settings.model import Settings
    from deploytool.settings.schema import json_schema
    from deploytool.settings.service import ServiceSettings

__all__ = [
    "Explanation",
    "ServiceSettings",
    "Settings",
    "environments",
    "explain",
    "json_schema",
    "load_settings",
    "source_of",
]

_MODULES = {
    "Explanation": "explanation",
    "ServiceSettings": "service",
    "Settings": "model",
    "environments": "load",
    "explain": "explanation",
    "json_schema": "schema",
    "load_settings": "load",
    "source_of": "explanation",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
