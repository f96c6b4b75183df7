"""What the shell offers: names from files, found without pydantic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli.completion import environments_in, services_in
from deploytool.cli.options import environment_first


def complete(words: str, where: Path) -> list[str]:
    """The answers that bash would be given for `chatbot <words>`, the last word being typed."""
    program = (
        "import sys\n"
        "from deploytool.cli.main import main\n"
        "sys.argv[0] = 'chatbot'\n"
        "code = 0\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = [n for n in ('pydantic', 'docker', 'jinja2', 'yaml') if n in sys.modules]\n"
        "    print(heavy, file=sys.stderr)\n"
    )
    typed = f"chatbot {words}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=where,
        env={
            "PATH": "/usr/bin:/bin",
            "_CHATBOT_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split(" ")) - 1),
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == "[]", done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("st", ["status"]),
        ("deploy ", ["local", "prod"]),
        ("deploy p", ["prod"]),
        ("deploy --env ", ["local", "prod"]),
        ("exec b", ["backend"]),
        ("logs ", ["backend", "proxy", "local", "prod"]),
        ("config ex", ["explain"]),
    ],
)
def test_what_is_offered(line: Any, words: str, offered: list[str]) -> None:
    assert complete(words, line.directory) == offered


def test_names_come_from_the_files(line: Any) -> None:
    line.write(
        "environments/test.yaml", "services: # mine\n  redis:\n    image: redis:7\n\nproxy:\n  host_ip: x\n"
    )
    assert environments_in(line.directory) == ["local", "prod", "test"]
    assert services_in(line.directory) == ["backend", "proxy", "redis"]


def test_the_first_word_may_be_the_environment(line: Any) -> None:
    assert environment_first(["prod", "backend"], line.directory) == ("prod", ["backend"])
    assert environment_first(["backend", "prod"], line.directory) == (None, ["backend", "prod"])
    assert environment_first(["elsewhere"], line.directory) == (None, ["elsewhere"])
    assert environment_first([], line.directory) == (None, [])


def test_a_service_of_that_name_wins(line: Any) -> None:
    line.write("environments/backend.yaml", "{}\n")
    assert environment_first(["backend"], line.directory) == (None, ["backend"])
