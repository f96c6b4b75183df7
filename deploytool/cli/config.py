"""Show the settings, their JSON Schema, and where a value comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def show(
    environment: Environment = None,
    env: EnvironmentOption = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """The settings that are in force, with canonical units; names of secrets, never values."""
    from deploytool.actions import config
    from deploytool.reporting import settings as report

    call = invocation("config show", environment, env, json, project_dir)
    data = config.show(call.environment, call.project_dir)
    if call.json:
        call.answer(data)
    else:
        report.show(data)


def schema(
    environment: Environment = None,
    env: EnvironmentOption = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """The JSON Schema of the settings' files, for editors.

    With --json it comes in the envelope of every command; without, as it is, to be written to a file.
    """
    from deploytool.actions import config
    from deploytool.reporting import documents

    call = invocation("config schema", environment, env, json, project_dir)
    found = config.schema()
    if call.json:
        call.answer(found)
    else:
        documents.write(found)


def explain(
    setting: Annotated[str, typer.Argument(metavar="SETTING", help="As in services.backend.limits.memory.")],
    environment: Environment = None,
    env: EnvironmentOption = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Every layer that says something about a setting, and which one wins."""
    from deploytool.actions import config
    from deploytool.reporting import settings as report

    call = invocation("config explain", environment, env, json, project_dir)
    found = config.explain(setting, call.environment, call.project_dir)
    if call.json:
        call.answer(report.explanation_data(found))
    else:
        report.show_explanation(found)


COMMANDS = {"show": show, "schema": schema, "explain": explain}
