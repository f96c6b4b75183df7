"""Make the environment run what its settings say: observe, plan, confirm, carry out.

Every replacement must be healthy before it gets traffic; when one is not, what was done is taken back.
For `local` nothing is asked. Elsewhere the plan is shown and a question asked; without a terminal and
without --yes, a plan that interrupts or removes a service is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploytool.cli.options import (
    DEFAULT,
    Debug,
    Environment,
    EnvironmentOption,
    Invocation,
    Json,
    ProjectDir,
    Yes,
    invocation,
    missing_secrets,
)

if TYPE_CHECKING:
    from deploytool.actions.plan import Planned
    from deploytool.engines.protocol import Engine
    from deploytool.reporting.progress import Progress


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan only; the client refuses every change.")
    ] = False,
    yes: Yes = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build every image again.")] = False,
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="Kept with the release.")
    ] = "",
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Deploy."""
    call = invocation("deploy", environment, env, json, project_dir)
    return _dry_run(call) if dry_run else _deploy(call, yes=yes, message=message, rebuild=rebuild)


def _dry_run(call: Invocation) -> int:
    from deploytool.actions.plan import plan_environment
    from deploytool.reporting import planned as report

    prepared = call.prepare()
    engine = call.engine(prepared, read_only=True)
    result = plan_environment(prepared, engine)
    missing = missing_secrets(prepared)
    if call.json:
        call.answer({"dry_run": True, "changed": False, "plan": report.as_data(result, missing)})
    else:
        report.show(result, engine.describe(), steps=True, missing_secrets=missing)
    return 0


def _deploy(call: Invocation, *, yes: bool, message: str, rebuild: bool) -> int:
    from deploytool.actions.deploy import deploy
    from deploytool.reporting import deployed as report
    from deploytool.reporting import progress

    prepared = call.prepare(generate=True)
    engine = call.engine(prepared)
    with progress.listener(silent=call.json) as listener:

        def confirm(planned: Planned) -> bool:
            return _confirm(call, planned, engine, yes=yes, message=message, listener=listener)

        result = deploy(
            prepared, engine, message=message, confirm=confirm, listener=listener, rebuild=rebuild
        )
    if call.json:
        call.answer(report.as_data(result))
    else:
        report.show(result, call.environment)
    return 0


def _confirm(
    call: Invocation, planned: Planned, engine: Engine, *, yes: bool, message: str, listener: Progress
) -> bool:
    from deploytool.errors import ConfirmationNeeded
    from deploytool.reporting import planned as report
    from deploytool.reporting import questions
    from deploytool.reporting.consequences import consequences

    listener.expect(planned.plan)
    if not call.json:
        report.show(planned, engine.describe(), message=message, more_follows=True)
    if yes or call.environment == DEFAULT:
        return True
    found = consequences(planned.plan, planned.observed)
    if questions.possible(json=call.json):
        said = f" ({'; '.join(found.sentences)})" if found else ""
        return questions.yes_or_no(f"Deploy release {planned.release} to {call.environment}{said}?")
    if found:
        raise ConfirmationNeeded(
            "this deploy interrupts or removes something, and nobody is there to say yes",
            details=found.sentences,
            hint=f"chatbot deploy {call.environment} --yes",
        )
    return True
