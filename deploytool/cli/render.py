"""Write the bundle that a deploy would run: compose.yaml, Dockerfiles, proxy configuration, manifest.

Needs no engine and holds no secret value. The same input gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to. [default: .chatbot/bundles/ENV]"),
    ] = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Write the bundle."""
    from deploytool.actions.render import render
    from deploytool.reporting import rendered as report

    call = invocation("render", environment, env, json, project_dir)
    result = render(call.prepare(), out)
    if call.json:
        call.answer(report.as_data(result))
    else:
        report.show(result)
