"""What every command takes: the environment, --json, --project-dir, --debug."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploytool.cli.completion import environment_names, environments_in, nearest_project, services_in
from deploytool.errors import UsageError

if TYPE_CHECKING:
    from deploytool.actions.prepare import Prepared
    from deploytool.engines.protocol import Engine

DEFAULT = "local"

Environment = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="The environment: environments/ENV.yaml. [default: local]",
        autocompletion=environment_names,
        show_default=False,
    ),
]
EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--env", "-e", metavar="ENV", help="The same as an option.", autocompletion=environment_names
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output, errors too.")]
ProjectDir = Annotated[
    Path | None,
    typer.Option(
        "--project-dir", metavar="DIR", help="The project. [default: nearest folder with environments/]"
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback with an internal error.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was asked for, for any command."""

    command: str
    environment: str
    project_dir: Path
    json: bool

    def prepare(self, *, generate: bool = False) -> Prepared:
        """Settings, bundle and stack of the environment."""
        from deploytool.actions.prepare import prepare

        return prepare(self.environment, self.project_dir, generate=generate)

    def engine(self, prepared: Prepared, *, read_only: bool = False) -> Engine:
        """The engine that the settings name; with `read_only` it refuses every change before it is sent."""
        from deploytool.engines import registry

        kind = prepared.facts.engine
        return registry.create_engine(kind, read_only=read_only)

    def envelope(self, data: Any, *, of_environment: bool = True) -> dict[str, Any]:
        """The JSON document around the command's data."""
        from deploytool.reporting import documents

        return documents.envelope(self.command, self.environment if of_environment else None, data)

    def answer(self, data: Any, *, of_environment: bool = True) -> None:
        """The command's result as JSON; `of_environment`: False where it is the same for all."""
        from deploytool.reporting import documents

        documents.write(self.envelope(data, of_environment=of_environment))


def invocation(
    command: str, positional: str | None, option: str | None, json: bool, project_dir: Path | None
) -> Invocation:
    """Bring argument and option together. Raises UsageError when they differ."""
    if positional and option and positional != option:
        raise UsageError(
            f"two environments were given: `{positional}` and `{option}`",
            hint=f"chatbot {command} {positional}",
        )
    return Invocation(command, positional or option or DEFAULT, find_project(project_dir), json)


def find_project(given: Path | None) -> Path:
    """The project's folder: the one given, else the nearest one upwards with `environments/`, else here."""
    if given is not None:
        if not given.is_dir():
            raise UsageError("this folder does not exist", where=str(given), hint="--project-dir DIR")
        return given.resolve()
    return nearest_project(Path.cwd())


def environment_first(given: Sequence[str], project_dir: Path | None) -> tuple[str | None, list[str]]:
    """Tell `logs prod backend` from `logs backend`: the environment, if the first word is one, and the rest.

    A service of the same name wins; `--env` says it without doubt.
    """
    if not given:
        return None, []
    folder = find_project(project_dir)
    if given[0] in environments_in(folder) and given[0] not in services_in(folder):
        return given[0], list(given[1:])
    return None, list(given)


def missing_secrets(prepared: Prepared) -> list[str]:
    """Names that a deploy will ask for; `local` makes some up by itself, so it is asked for none here."""
    if prepared.facts.environment == DEFAULT:
        return []
    given = {name for values in prepared.secrets.values() for name in values}
    return [name for name in prepared.facts.secret_names if name not in given]
