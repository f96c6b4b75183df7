"""On a real (pseudo) terminal: questions, rows that are redrawn, the watch, and what NO_COLOR takes away."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

DRIVER = """\
import io, sys
from contextlib import redirect_stdout
from deploytool.engines import registry
from deploytool.engines.fake import FakeEngine
engine = FakeEngine(registry=["demo/backend:1", "demo/proxy:1"])
def create(kind, **options):
    engine.read_only = options.get("read_only", False)
    return engine
registry.create_engine = create
from deploytool.cli.main import main
before, words = sys.argv[1].split(";"), sys.argv[2].split()
for line in filter(None, before):
    with redirect_stdout(io.StringIO()):
        assert main(line.split()) == 0
engine.pass_time(60)
sys.exit(main(words))
"""
DEADLINE = 60.0
STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """One command on a terminal of its own."""

    def __init__(
        self, where: Path, words: str, *, before: str = "", columns: int = 80, **variables: str
    ) -> None:
        self.master, slave = pty.openpty()
        environment = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "COLUMNS": str(columns),
            "PYTHONPATH": str(Path(__file__).parents[3]),
            **variables,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, before, words],
            cwd=where,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=own_terminal,
        )
        os.close(slave)
        self.text = ""

    def read_until(self, wanted: str) -> str:
        """Everything up to these words."""
        return self._read(lambda: wanted in self.text)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """The exit code; `text` is then all that was shown."""
        self._read(lambda: False)
        os.close(self.master)
        return self.process.wait(DEADLINE)

    def _read(self, enough: Any) -> str:
        deadline = time.monotonic() + DEADLINE
        while not enough():
            ready, _, _ = select.select([self.master], [], [], deadline - time.monotonic())
            assert ready, f"nothing more came after: {self.text[-500:]}"
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not piece:
                break
            self.text += piece.decode(errors="replace")
        return self.text

    @property
    def lines(self) -> list[str]:
        """What was shown, without styles."""
        return [STYLE.sub("", entry) for entry in self.text.replace("\r\n", "\n").split("\n")]


def own_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C reaches the process."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_no_changes_nothing(line: Any) -> None:
    line.secrets("prod")
    terminal = Terminal(line.directory, "deploy prod")
    terminal.read_until("Deploy release 1 to prod? [y/N] ")
    assert "create 2 replicas" in terminal.text
    terminal.type("n\n")
    assert terminal.end() == 2
    assert "not deployed: not confirmed" in terminal.text
    assert "is live" not in terminal.text


def test_a_yes_deploys_and_rows_are_redrawn_in_place(line: Any) -> None:
    line.secrets("prod")
    terminal = Terminal(line.directory, "deploy prod --message hello")
    terminal.read_until("[y/N] ")
    assert '"hello"' in terminal.text
    terminal.type("y\n")
    assert terminal.end() == 0
    assert "release 1 is live" in terminal.text
    last = terminal.text.rpartition("prepare")[2]
    assert re.search(r"backend +2/2 +started · healthy.*· traffic", STYLE.sub("", last))
    assert "\x1b[?25l" in terminal.text
    assert terminal.text.rstrip().endswith("chatbot status prod\x1b[0m")


def test_the_end_of_input_is_no_yes(line: Any) -> None:
    line.secrets("prod")
    terminal = Terminal(line.directory, "deploy prod")
    terminal.read_until("[y/N] ")
    terminal.type("\x04")
    assert terminal.end() == 130
    assert "is live" not in terminal.text


def test_ctrl_c_at_the_question(line: Any) -> None:
    line.secrets("prod")
    terminal = Terminal(line.directory, "deploy prod")
    terminal.read_until("[y/N] ")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "interrupted" in terminal.text
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize(("answer", "code"), [("local", 2), ("yes", 2), ("demo-local", 0)])
def test_data_goes_only_when_the_name_is_typed(line: Any, answer: str, code: int) -> None:
    terminal = Terminal(line.directory, "down --volumes", before="deploy")
    terminal.read_until("Type demo-local to go on: ")
    assert "volumes with their data: demo-local_backend-data" in terminal.text
    terminal.type(f"{answer}\n")
    assert terminal.end() == code


def test_the_watch_leaves_the_screen_as_it_was(line: Any) -> None:
    terminal = Terminal(line.directory, "status --watch --interval 0.5", before="deploy")
    terminal.read_until("Ctrl-C ends")
    assert "\x1b[?1049h" in terminal.text
    assert "● healthy" in terminal.text
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "\x1b[?1049l" in terminal.text
    assert "\x1b[?25h" in terminal.text
    assert "Traceback" not in terminal.text


def test_colour_and_its_absence(line: Any) -> None:
    coloured = Terminal(line.directory, "status", before="deploy")
    assert coloured.end() == 0
    plain = Terminal(line.directory, "status", before="deploy", NO_COLOR="1")
    assert plain.end() == 0
    assert "\x1b[32m● healthy" in coloured.text
    assert "\x1b" not in plain.text
    since = re.compile(r" \d+(\.\d)? s | 1 min ")
    assert [since.sub("", entry) for entry in coloured.lines] == [
        since.sub("", entry) for entry in plain.lines
    ]


def test_ascii_where_the_locale_has_nothing_better(line: Any) -> None:
    terminal = Terminal(line.directory, "status", before="deploy", LC_ALL="C")
    assert terminal.end() == 0
    assert terminal.text.isascii()
    assert "* healthy" in terminal.text


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_deploy_fits_the_screen(line: Any, columns: int) -> None:
    terminal = Terminal(line.directory, "deploy", columns=columns)
    assert terminal.end() == 0
    shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", entry).rpartition("\r")[2] for entry in terminal.lines]
    assert max(len(entry) for entry in shown) <= columns


def test_nothing_but_text_on_a_pipe(line: Any) -> None:
    for words in ("deploy", "status", "plan", "down --yes"):
        ran = line.chatbot(*words.split())
        assert ran.code == 0
        assert "\x1b" not in ran.out + ran.err
        assert "\r" not in ran.out + ran.err
