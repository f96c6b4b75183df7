"""Settings → bundle: compose.yaml, Dockerfiles, the proxy's routes, a manifest. Only reader of `templates/`.

Rendering is a function of its arguments: no clock, no engine, no network; equal input gives equal bytes.
"""

from __future__ import annotations

from deploytool.render.bundle import Bundle, render_bundle, render_dockerfiles
from deploytool.render.templates import templates_directory
from deploytool.render.write import write_bundle

__all__ = ["Bundle", "render_bundle", "render_dockerfiles", "templates_directory", "write_bundle"]
