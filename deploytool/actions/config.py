"""`chatbot config show|schema|explain`: what the settings are, may be, and come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploytool.actions.prepare import load
from deploytool.secrets import files as secret_files

if TYPE_CHECKING:
    from deploytool.settings import Explanation


def show(environment: str, project_dir: Path) -> dict[str, Any]:
    """The effective settings as plain data; names of secrets, never values."""
    return load(environment, project_dir).show()


def schema() -> dict[str, Any]:
    """The JSON Schema of the settings files, for editors."""
    from deploytool.settings import json_schema

    return json_schema()


def explain(path: str, environment: str, project_dir: Path) -> Explanation:
    """Every layer that says something about one setting, and which wins."""
    from deploytool.settings import explain as explain_setting

    names = secret_files.names(environment, project_dir)
    return explain_setting(path, environment, project_dir, secret_names_present=names)
