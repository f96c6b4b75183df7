"""What the services print, interleaved by time.

The first word may be the environment: `chatbot logs prod backend`. Without services: all of them.
"""

from __future__ import annotations

from typing import Annotated

import typer

from deploytool.cli import words
from deploytool.cli.completion import environment_names, service_names
from deploytool.cli.options import Debug, EnvironmentOption, Json, ProjectDir, environment_first, invocation


def _environments_and_services(context: typer.Context, incomplete: str) -> list[str]:
    return [*service_names(context, incomplete), *environment_names(context, incomplete)]


def run(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV] [SERVICE]...",
            help="Services.",
            autocompletion=_environments_and_services,
            show_default=False,
        ),
    ] = None,
    env: EnvironmentOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="10m, 2h, or 2026-01-31T12:00:00Z.")
    ] = "",
    tail: Annotated[
        int | None, typer.Option("--tail", metavar="N", min=0, help="The last N lines of each.")
    ] = None,
    release: Annotated[
        int | None, typer.Option("--release", metavar="N", min=1, help="Of that release.")
    ] = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Show."""
    from deploytool.actions.logs import logs
    from deploytool.reporting import logs as report

    named, chosen = environment_first(services or [], project_dir)
    call = invocation("logs", named, env, json, project_dir)
    prepared = call.prepare()
    lines = logs(
        prepared,
        call.engine(prepared, read_only=True),
        chosen,
        follow=follow,
        since=words.moment(since) if since else None,
        tail=tail,
        release=release,
    )
    # Ctrl-C is how following ends: that is no error.
    report.show(lines, json=call.json, quiet_interrupt=follow)
    return 0
