"""What runs, what it uses, and whether it is still what was deployed."""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh in place until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.5, help="Between refreshes.")
    ] = 2.0,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Look and show."""
    from deploytool.actions.status import status
    from deploytool.reporting import status as report

    call = invocation("status", environment, env, json, project_dir)
    prepared = call.prepare()
    # Not read-only: the health of a container whose first interval has not passed is found out by running its
    # health command, and the handle of the release history is made again when somebody pruned it.
    engine = call.engine(prepared, read_only=False)
    if watch:
        report.watch(lambda: status(prepared, engine), interval, json=call.json, envelope=call.envelope)
    elif call.json:
        call.answer(report.as_data(status(prepared, engine)))
    else:
        report.show(status(prepared, engine))
    return 0
