"""Make this machine able to run the stack: a Docker Engine from the distribution's packages, started.

Says what it will do before it does it; a second run changes nothing.
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
    from deploytool.actions.setup import SetupPlan


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    yes: Yes = False,
    no_link: Annotated[
        bool, typer.Option("--no-link", help="Do not link `chatbot` into a folder of PATH.")
    ] = False,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Look, say, ask, do."""
    from deploytool.actions.setup import carry_out_setup, plan_this_machine
    from deploytool.engines.docker.address import find_address
    from deploytool.reporting import setup as report

    call = invocation("setup", environment, env, json, project_dir)
    plan = plan_this_machine(docker_host=find_address().url, link=not no_link)
    if not call.json:
        report.show_plan(plan)
    if not plan.empty and not yes:
        _ask(call, plan)
    progress = report.Progress(silent=call.json)
    result = carry_out_setup(plan, report=progress.report, finished=progress.finished)
    if call.json:
        call.answer(report.as_data(plan, result))
    else:
        report.show(result)


def _ask(call: Invocation, plan: SetupPlan) -> None:
    from deploytool.errors import ConfirmationNeeded
    from deploytool.reporting import questions

    said = tuple(step.what for step in plan.steps)
    if not questions.possible(json=call.json):
        raise ConfirmationNeeded(
            "set-up changes this machine, and nobody is there to say yes",
            details=said,
            hint="chatbot setup --yes",
        )
    if not questions.yes_or_no("Do this?"):
        raise ConfirmationNeeded("nothing was set up: not confirmed", hint="chatbot setup")
