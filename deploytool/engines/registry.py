"""Engines by the kind that the settings name; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deploytool.engines.protocol import Engine
from deploytool.errors import NotSupported

KINDS = {
    "docker": ("deploytool.engines.docker.engine", "DockerEngine"),
    "fake": ("deploytool.engines.fake", "FakeEngine"),
}


def create_engine(kind: str, **options: Any) -> Engine:
    """The engine of that kind; `options` are its constructor's. Raises NotSupported for an unknown kind."""
    if kind not in KINDS:
        raise NotSupported(f"there is no engine `{kind}`", hint=f"engines: {', '.join(sorted(KINDS))}")
    module, name = KINDS[kind]
    engine: Engine = getattr(import_module(module), name)(**options)
    return engine
