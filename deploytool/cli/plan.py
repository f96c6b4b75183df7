"""Say what a deploy would change and why: per service and setting. Changes nothing.

Exit code with --detailed-exitcode: 0 nothing to do, 2 changes.
"""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli.options import (
    Debug,
    Environment,
    EnvironmentOption,
    Json,
    ProjectDir,
    invocation,
    missing_secrets,
)


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    steps: Annotated[
        bool, typer.Option("--steps", help="Every operation, numbered, with its cause.")
    ] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there is something to do.")
    ] = False,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Plan and show."""
    from deploytool.actions.plan import plan_environment
    from deploytool.reporting import planned as report

    call = invocation("plan", environment, env, json, project_dir)
    prepared = call.prepare()
    engine = call.engine(prepared, read_only=True)
    result = plan_environment(prepared, engine)
    missing = missing_secrets(prepared)
    if call.json:
        call.answer(report.as_data(result, missing))
    else:
        report.show(result, engine.describe(), steps=steps, missing_secrets=missing)
    return 2 if detailed_exitcode and not result.plan.empty else 0
