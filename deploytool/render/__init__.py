"""Settings → bundle: compose.yaml, Dockerfiles, proxy routes, manifest. The only reader of `templates/`.

Rendering is a function of its arguments: no clock, no engine, no network; equal input gives equal bytes.
Names are imported on use: a deploy whose inputs have not changed needs no template engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploytool.render.bundle import render_bundle, render_dockerfiles
    from deploytool.render.files import Bundle, packaged_directory, templates_directory
    from deploytool.render.write import write_bundle

__all__ = [
    "Bundle",
    "packaged_directory",
    "render_bundle",
    "render_dockerfiles",
    "templates_directory",
    "write_bundle",
]

_MODULES = {
    "Bundle": "files",
    "packaged_directory": "files",
    "render_bundle": "bundle",
    "render_dockerfiles": "bundle",
    "templates_directory": "files",
    "write_bundle": "write",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
