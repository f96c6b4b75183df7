"""The Typer application. A verb's module is imported when that verb is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from deploytool.cli.verbs import VERBS, exit_codes, overview
from deploytool.errors import UsageError

CONTEXT = {"help_option_names": ["-h", "--help"]}
_BY_NAME = {verb.name: verb for verb in VERBS}


class LazyVerbs(TyperGroup):
    """A group that knows its commands by name and imports one when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Every verb, in the order of the help."""
        return list(_BY_NAME)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The verb's command, built now."""
        if cmd_name not in _BY_NAME:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _build(cmd_name)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command, or an error that names the nearest one."""
        name = args[0]
        if name not in _BY_NAME and not name.startswith("-"):
            near = get_close_matches(name.lower(), _BY_NAME, 1, 0.5)
            raise UsageError(
                f"there is no command `{name}`",
                hint=f"did you mean  chatbot {' '.join((near[0], *args[1:]))}"
                if near
                else "chatbot --help lists the commands",
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The same text that main() shows without importing any of this."""
        formatter.write("\n".join(overview(formatter.width)))


def build_application() -> Any:
    """The whole command line as one command object."""
    application = typer.Typer(
        name="chatbot",
        cls=LazyVerbs,
        context_settings=CONTEXT,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    application.callback()(_nothing)
    return get_command(application)


def _nothing() -> None:
    """Takes an AI chatbot from a bare machine to a healthy stack, and keeps it there."""


def _build(name: str) -> Any:
    verb = _BY_NAME[name]
    module = import_module(f"deploytool.cli.{verb.module}")
    single = typer.Typer(name=name, add_completion=False, rich_markup_mode=None, context_settings=CONTEXT)
    settings = {**CONTEXT, **getattr(module, "CONTEXT", {})}
    for inner, function in getattr(module, "COMMANDS", {}).items():
        single.command(name=inner, epilog=exit_codes(), context_settings=settings)(function)
    if hasattr(module, "COMMANDS"):
        single.callback(help=module.__doc__)(_nothing)
    else:
        single.command(name=name, help=module.__doc__, epilog=exit_codes(), context_settings=settings)(
            module.run
        )
    command = get_command(single)
    command.name = name
    return command
