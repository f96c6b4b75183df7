"""Take the stack away: containers and networks. The data stays, unless --volumes is given.

Asks first. --volumes asks for the project's name to be typed. --yes answers both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploytool.cli.options import (
    Debug,
    Environment,
    EnvironmentOption,
    Invocation,
    Json,
    ProjectDir,
    Yes,
    invocation,
)

if TYPE_CHECKING:
    from deploytool.actions.prepare import Prepared
    from deploytool.plan.model import Plan


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    volumes: Annotated[
        bool,
        typer.Option("--volumes", help="Remove the volumes and the release history too: all data is lost."),
    ] = False,
    yes: Yes = False,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Take down."""
    from deploytool.actions.down import down
    from deploytool.reporting import down as report
    from deploytool.reporting import progress

    call = invocation("down", environment, env, json, project_dir)
    prepared = call.prepare()

    with progress.listener(silent=call.json) as listener:

        def confirm(plan: Plan) -> bool:
            listener.expect(plan)
            return _confirm(call, prepared, plan, volumes=volumes, yes=yes)

        result = down(prepared, call.engine(prepared), volumes=volumes, confirm=confirm, listener=listener)
    if call.json:
        call.answer(report.as_data(result))
    else:
        report.show(result, call.environment)


def _confirm(call: Invocation, prepared: Prepared, plan: Plan, *, volumes: bool, yes: bool) -> bool:
    from deploytool.errors import ConfirmationNeeded
    from deploytool.reporting import down as report
    from deploytool.reporting import questions

    if not call.json:
        report.show_plan(plan, call.environment, volumes=volumes)
    if yes:
        return True
    if not questions.possible(json=call.json):
        flags = " --volumes" if volumes else ""
        raise ConfirmationNeeded(
            f"taking {call.environment} down ends its service, and nobody is there to say yes",
            details=report.consequences(plan, volumes=volumes),
            hint=f"chatbot down {call.environment}{flags} --yes",
        )
    if volumes:
        return questions.typed("This removes all data for good.", prepared.stack.project)
    return questions.yes_or_no(f"Take {call.environment} down?")
