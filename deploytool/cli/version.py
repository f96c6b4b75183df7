"""The version of this tool."""

from __future__ import annotations

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Say the version."""
    from deploytool import __version__
    from deploytool.reporting.screen import out

    call = invocation("version", environment, env, json, project_dir)
    if call.json:
        call.answer({"version": __version__}, of_environment=False)
    else:
        out().line(f"chatbot {__version__}")
