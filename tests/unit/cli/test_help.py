"""Help needs nothing: no engine, no settings, and none of the heavy imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli.verbs import EXIT_CODES, VERBS
from deploytool.errors import ExitCode

HEAVY = ("docker", "jinja2", "pydantic", "yaml", "rich", "requests")
COMMANDS = [verb.name for verb in VERBS if verb.name != "config"]
COMMANDS += ["config", "config show", "config schema", "config explain"]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_verb(line: Any, words: list[str]) -> None:
    ran = line.chatbot(*words)
    assert ran.code == 0
    assert ran.err == ""
    for verb in VERBS:
        assert f"  {verb.name:<10} {verb.summary}" in ran.out


def test_exit_codes_stand_in_the_help_and_are_all_there(line: Any) -> None:
    assert {code for code, _ in EXIT_CODES} == {int(code) for code in ExitCode}
    for words in (["--help"], ["deploy", "--help"]):
        said = line.chatbot(*words).said
        for code, meaning in EXIT_CODES:
            assert f"{code} {meaning}" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(line: Any, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "nothing-here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    ran = line.chatbot(*command.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: chatbot {command}")
    assert "Exit codes: 0 done" in ran.said or command == "config"
    assert line.options == []
    assert ran.out == line.chatbot("help", *command.split()).out


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command: str) -> None:
    program = (
        "import sys\n"
        "from deploytool.cli.main import main\n"
        f"code = main({[*command.split(), '--help']!r})\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.split("\n")[0] == "0 []"


def test_the_first_help_does_without_typer() -> None:
    program = (
        "import sys\n"
        "from deploytool.cli.main import main\n"
        "main(['--help'])\n"
        "print('typer' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "False"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "chatbot status"),
        ("Deploy", "chatbot deploy"),
        ("log", "chatbot logs"),
        ("confg", "chatbot config"),
    ],
)
def test_the_nearest_command_is_named(line: Any, typed: str, meant: str) -> None:
    ran = line.chatbot(typed)
    assert ran.code == 2
    assert f"did you mean {meant}" in ran.said


def test_an_unknown_command_of_config(line: Any) -> None:
    ran = line.chatbot("config", "shwo")
    assert ran.code == 2
    assert "show" in ran.said
