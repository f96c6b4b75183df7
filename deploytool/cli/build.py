"""Build the images that are not there yet; a deploy does the same by itself.

An image's tag is made of its content, so what has not changed is not built again.
"""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="All images, without the cache.")] = False,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Build."""
    from deploytool.actions.build import build
    from deploytool.reporting import built as report
    from deploytool.reporting import progress

    call = invocation("build", environment, env, json, project_dir)
    prepared = call.prepare()
    with progress.listener(silent=call.json) as listener:
        result = build(prepared, call.engine(prepared), listener=listener, anew=no_cache)
    if call.json:
        call.answer(report.as_data(result))
    else:
        report.show(result)
