"""Finding and rendering templates; their errors with file and line."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from deploytool.errors import TemplateFailed
from deploytool.render.files import FOLDER, packaged_directory
from deploytool.render.values import to_compose, to_yaml

SUFFIX = ".j2"


@lru_cache(maxsize=8)
def _environment(directory: Path, cache: Path | None) -> ImmutableSandboxedEnvironment:
    """One for each folder, since it keeps compiled templates; a changed file is compiled again.

    With `cache`, compiled templates are kept there from one run to the next, under a checksum of their
    source; a folder that cannot be written is done without.
    """
    compiled = None
    if cache is not None:
        with suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
            compiled = FileSystemBytecodeCache(str(cache)) if os.access(cache, os.W_OK) else None
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([directory, packaged_directory()]),
        bytecode_cache=compiled,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # no HTML is made here; YAML is quoted by the filters
    )
    environment.filters["yaml"] = to_yaml
    environment.filters["compose"] = to_compose
    return environment


class Templates:
    """Renders templates of one folder. Templates see only what they are given: no files, no clock."""

    def __init__(self, directory: Path, cache: Path | None = None) -> None:
        self._environment = _environment(directory, cache)

    def render(self, name: str, context: Mapping[str, Any]) -> bytes:
        """The template's text as UTF-8. Raises TemplateFailed with file:line."""
        try:
            return self._environment.get_template(name).render(context).encode()
        except TemplateNotFound as error:
            raise TemplateFailed(
                f"there is no template `{error.name}`",
                where=f"{FOLDER}/{name}",
                hint=f"write {FOLDER}/{error.name}",
            ) from None
        except TemplateSyntaxError as error:
            where = f"{FOLDER}/{error.name or name}:{error.lineno}"
            raise TemplateFailed(f"the template is broken: {error.message}", where=where) from None
        except UnicodeDecodeError:
            raise TemplateFailed("the template is not UTF-8 text", where=f"{FOLDER}/{name}") from None
        except Exception as error:
            # Whatever a template's expression raises (a wrong type, …) is the template's error.
            message = str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
            raise TemplateFailed(
                f"the template cannot be rendered: {message}", where=self._where(name, error)
            ) from None

    def _where(self, name: str, error: Exception) -> str:
        # Jinja rewrites tracebacks so that frames of templates carry the template's file and line.
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename.endswith(SUFFIX):
                return f"{FOLDER}/{Path(frame.filename).name}:{frame.lineno}"
        return f"{FOLDER}/{name}"
