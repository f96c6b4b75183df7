"""Output as it comes, terminals, and ports held by others: what only a real engine shows."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engines

from deploytool.engines.protocol import LogLine
from deploytool.errors import PortTaken
from deploytool.plan import operations as op
from deploytool.stack.model import Port

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from types import SimpleNamespace
from deploytool.engines.docker.engine import DockerEngine
container = SimpleNamespace(id=sys.argv[1], name="it")
tty = sys.argv[2] == "tty"
raise SystemExit(DockerEngine().execute_interactively(container, sys.argv[3:], tty=tty))
"""


def _take(stream: Iterator[LogLine], count: int) -> list[LogLine]:
    return [line for _, line in zip(range(count), stream, strict=False)]


def test_following_two_containers(world: engines.World) -> None:
    ticks = "; sleep 0.2; ".join(f"echo {number}" for number in range(5))
    command = ("sh", "-c", f"{ticks}; sleep 100000")
    services = [world.service(*command, name=name) for name in ("first", "second")]
    world.make_stack(*services)
    world.prepare()
    containers = [world.seen(world.start(service)) for service in services]
    stream = world.engine.logs(containers, follow=True)
    lines = _take(stream, 10)
    stream.close()
    for container in containers:
        assert [line.text for line in lines if line.container == container.name] == list("01234")


def test_hanging_up_does_not_harm_other_calls(world: engines.World) -> None:
    """A stream's cut-off connection once came back, half read, to the pool of all other calls."""
    services = [
        world.service("sh", "-c", "while :; do echo line; sleep 0.01; done", name=name)
        for name in ("first", "second")
    ]
    world.make_stack(*services)
    world.prepare()
    containers = [world.seen(world.start(service)) for service in services]
    for turn in range(60):
        stream = world.engine.logs(containers, follow=True, tail=3)
        assert len(_take(stream, 6 + turn % 5)) == 6 + turn % 5
        stream.close()
        assert {container.state for container in world.observe().containers} == {"running"}
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("logs ")]


def test_following_ends_when_nothing_runs(world: engines.World) -> None:
    seen = world.up(world.service("sh", "-c", "echo over; exit 1"))
    seen = world.until(seen.name, lambda c: c.state == "exited")
    assert [line.text for line in world.engine.logs([seen], follow=True)] == ["over"]


def test_following_goes_on_across_a_restart_and_a_replacement(world: engines.World) -> None:
    service = world.service("sh", "-c", "echo began; exec sleep 100000")
    other = world.service("sh", "-c", "echo not asked for; exec sleep 100000", name="other")
    world.make_stack(service, other)
    world.prepare()
    first = world.seen(world.start(service))
    stream = world.engine.logs([first], follow=True)
    assert [line.container for line in _take(stream, 1)] == [first.name]

    world.stop(first.name)
    world.apply(op.StartContainer(container=first.name))
    assert [(line.container, line.text) for line in _take(stream, 1)] == [(first.name, "began")]

    world.start(other)
    second = world.start(service, 2)
    assert [(line.container, line.text) for line in _take(stream, 1)] == [(second, "began")]
    stream.close()


def test_following_shows_lines_as_they_come_and_can_be_stopped(world: engines.World) -> None:
    seen = world.up(world.service("sh", "-c", "n=0; while :; do echo $n; n=$((n+1)); sleep 0.1; done"))
    stream = world.engine.logs([seen], follow=True)
    lines: list[LogLine] = []
    began = time.monotonic()
    for line in stream:
        lines.append(line)
        if len(lines) == 5:
            break
    stream.close()
    assert time.monotonic() - began < 20
    assert [line.text for line in lines] == list("01234")
    end = time.monotonic() + 5
    while [thread for thread in threading.enumerate() if thread.name.startswith("logs ")]:
        assert time.monotonic() < end, "the readers end with the stream"
        time.sleep(0.05)


def test_a_line_longer_than_the_engines_pieces_is_one_line(world: engines.World) -> None:
    seen = world.up(world.service("sh", "-c", "head -c 50000 /dev/zero | tr '\\0' x; echo; echo end"))
    world.until(seen.name, lambda c: c.state == "exited")
    assert [len(line.text) for line in world.engine.logs([seen])] == [50000, 3]


def test_output_without_a_last_newline(world: engines.World) -> None:
    seen = world.up(world.service("sh", "-c", "printf 'no newline'"))
    world.until(seen.name, lambda c: c.state == "exited")
    assert [line.text for line in world.engine.logs([seen])] == ["no newline"]


def test_large_output_of_a_command_arrives_whole(world: engines.World) -> None:
    seen = world.up(world.service())
    code, output = world.engine.execute(seen, ("sh", "-c", "seq 1 100000"))
    assert code == 0
    assert output.split()[-1] == b"100000"
    assert len(output.split()) == 100_000


def test_pipes_go_in_and_out(world: engines.World) -> None:
    seen = world.up(world.service())
    text = b"line\n" * 20_000
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, seen.id, "pipe", "sh", "-c", "cat; echo problem >&2; exit 7"],
        input=text,
        capture_output=True,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 7
    assert done.stdout == text
    assert done.stderr == b"problem\n"


def test_a_terminal_has_a_size_and_takes_ctrl_c(world: engines.World) -> None:
    seen = world.up(world.service())
    script = "stty size; tty; trap 'echo caught; exit 5' INT; echo waiting; while :; do sleep 0.1; done"
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.environ |= {"COLUMNS": "101", "LINES": "33"}
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, seen.id, "tty", "sh", "-c", script])
    shown = _until(terminal, b"waiting")
    os.write(terminal, b"\x03")
    shown += _until(terminal, b"caught")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 5
    assert b"/dev/pts/" in shown
    assert b"caught" in shown


def test_a_port_held_by_a_process_names_it(world: engines.World) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        service = world.service(ports=(Port(target=80, published=port, host_ip="127.0.0.1"),))
        world.make_stack(service)
        world.prepare()
        with pytest.raises(PortTaken) as raised:
            world.start(service)
    assert f"127.0.0.1:{port}" in raised.value.message
    assert f"(process {os.getpid()})" in raised.value.message


def _until(terminal: int, wanted: bytes, seconds: float = 30) -> bytes:
    shown = b""
    end = time.monotonic() + seconds
    while wanted not in shown:
        assert time.monotonic() < end, shown
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if ready:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
    return shown
