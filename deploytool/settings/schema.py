"""The JSON Schema of a settings file, for editors."""

from __future__ import annotations

from typing import Any

from deploytool.settings.fields import NAME_PATTERN
from deploytool.settings.model import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of one layer: nothing is required, since another layer may say it."""
    schema = Settings.model_json_schema()
    _nothing_required(schema)
    # The environment's name is that of the file; x-… keys hold YAML anchors.
    del schema["properties"]["environment"]
    schema["properties"]["services"]["propertyNames"] = {"pattern": f"^{NAME_PATTERN}$"}
    schema["patternProperties"] = {"^x-": {}}
    return {
        "$schema": DIALECT,
        **schema,
        "title": "chatbot settings",
        "description": "A file of environments/. null brings a default back.",
    }


def _nothing_required(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("required"), list):
            del node["required"]
        for entry in node.values():
            _nothing_required(entry)
    elif isinstance(node, list):
        for entry in node:
            _nothing_required(entry)
