"""Run a command inside a service: chatbot exec [ENV] backend -- python -V.

The command's exit code is this command's. A terminal is given when there is one.
"""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli.completion import service_names
from deploytool.cli.options import Debug, EnvironmentOption, Json, ProjectDir, environment_first, invocation

CONTEXT = {"ignore_unknown_options": False, "allow_interspersed_args": True}


def run(
    service: Annotated[
        str, typer.Argument(metavar="[ENV] SERVICE", help="Where.", autocompletion=service_names)
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND...", help="What, after two dashes.", show_default=False),
    ] = None,
    env: EnvironmentOption = None,
    index: Annotated[
        int | None,
        typer.Option("--index", metavar="N", min=1, help="Which replica. [default: the first that runs]"),
    ] = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Run it."""
    from deploytool.actions.logs import execute, execute_captured
    from deploytool.errors import UsageError
    from deploytool.reporting import terminal

    named, (service, *command) = environment_first([service, *(command or [])], project_dir)
    if not command:
        raise UsageError("no command was given", hint=f"chatbot exec {service} -- sh")
    call = invocation("exec", named, env, json, project_dir)
    prepared = call.prepare()
    engine = call.engine(prepared)
    if call.json:
        code, output = execute_captured(prepared, engine, service, command, number=index)
        call.answer({"service": service, "exit_code": code, "output": output.decode(errors="replace")})
        return code
    return execute(prepared, engine, service, command, tty=terminal.interactive(), number=index)
