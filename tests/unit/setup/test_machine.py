"""Looking at the machine."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploytool.actions.setup import apt, commands, daemon
from deploytool.actions.setup.carry_out import link_command
from deploytool.actions.setup.machine import EngineState, distribution, engine_state
from deploytool.errors import RootNeeded, SetupFailed


def test_distribution_names_itself_and_its_kin(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('# a comment\nPRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')
    assert distribution(file) == ("Linux Mint 22", frozenset({"linuxmint", "ubuntu", "debian"}))
    assert distribution(tmp_path / "missing")[1] == frozenset()


def answering(path: Path, answer: bytes) -> threading.Thread:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(1024)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nOK", EngineState.ANSWERS),
        (b"HTTP/1.0 503 Service Unavailable\r\n\r\n", EngineState.ABSENT),
        (b"", EngineState.ABSENT),
    ],
)
def test_engine_state(tmp_path: Path, answer: bytes, state: EngineState) -> None:
    thread = answering(tmp_path / "engine", answer)
    assert engine_state(str(tmp_path / "engine")) is state
    thread.join()


def test_a_dead_or_missing_socket_is_no_engine(tmp_path: Path) -> None:
    assert engine_state(str(tmp_path / "engine")) is EngineState.ABSENT
    with socket.socket(socket.AF_UNIX) as forgotten:
        forgotten.bind(str(tmp_path / "engine"))
    assert engine_state(str(tmp_path / "engine")) is EngineState.ABSENT


def test_root_is_had_by_sudo_or_asked_for() -> None:
    assert commands.as_root(["apt-get", "update"], root=True, sudo="") == ["apt-get", "update"]
    assert commands.as_root(["true"], root=False, sudo="silent") == ["sudo", "-n", "true"]
    assert commands.as_root(["true"], root=False, sudo="asks") == ["sudo", "true"]
    with pytest.raises(RootNeeded, match="root is needed to apt-get install") as caught:
        commands.as_root(["apt-get", "install", "docker.io"], root=False, sudo="")
    assert caught.value.exit_code == 2


def test_a_failing_command_shows_its_last_lines() -> None:
    script = "import sys; [print(n) for n in range(100)]; sys.exit('broken')"
    outcome = commands.run([sys.executable, "-u", "-c", script])
    with pytest.raises(SetupFailed, match=r"unpacking failed \(exit 1\)") as caught:
        commands.require(outcome, "unpacking")
    assert caught.value.details[-2:] == ("99", "broken")
    assert len(caught.value.details) == commands.LAST_LINES


def test_commands_that_are_missing_or_do_not_end() -> None:
    assert commands.run(["surely-not-a-command"]).code == 127
    assert commands.run([sys.executable, "-c", "input()"]).code == 1, "there is no standard input"
    assert commands.run([sys.executable, "-c", "import signal; signal.pause()"], timeout=0.2).code == 124


def test_another_package_manager_is_waited_for_and_named(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    script = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, fcntl.LOCK_EX);"
        "print('held', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    assert apt.lock_holder([str(lock)]) == holder.pid
    with pytest.raises(SetupFailed, match=str(holder.pid)):
        apt.wait_for_locks(lambda _words: None, files=[str(lock)], patience=0, pause=0.01)
    said: list[str] = []

    def hear(words: str) -> None:
        said.append(words)
        holder.communicate("\n")

    apt.wait_for_locks(hear, files=[str(lock)], pause=0.01)
    assert len(said) == 1
    assert f"process {holder.pid}" in said[0]


def test_our_own_or_no_lock_is_nobody_to_wait_for(tmp_path: Path) -> None:
    assert apt.lock_holder([str(tmp_path / "missing")]) == 0
    with (tmp_path / "lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert apt.lock_holder([str(tmp_path / "lock")]) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "failed to start daemon: Error initializing network controller: can't initialize "
            "iptables table `nat': Table does not exist",
            "NAT table",
        ),
        ("failed to start daemon: Devices cgroup isn't mounted", "control groups"),
        (
            "failed to start daemon: error initializing graphdriver: overlay2: driver not supported",
            "overlay2",
        ),
        (
            "failed to start daemon: error initializing graphdriver: prerequisites for driver not satisfied "
            "(wrong filesystem?)",
            "storage driver",
        ),
        ("failed to start daemon: write /var/lib/docker/x: no space left on device", "disk is full"),
        ("failed to start daemon: mount: operation not permitted", "without privileges"),
        ("failed to start daemon: something new", "does not start"),
    ],
)
def test_an_engine_that_does_not_start_is_explained(line: str, words: str) -> None:
    error = daemon._explain(["level=info msg=starting iptables cgroup overlay", line])
    assert words in error.message
    assert line in error.details
    assert error.hint


def test_the_link_replaces_only_a_dangling_link(tmp_path: Path) -> None:
    command = tmp_path / "chatbot"
    command.touch()
    link = tmp_path / "bin" / "chatbot"
    link_command(command, link)
    assert os.path.realpath(link) == str(command)
    link.unlink()
    link.symlink_to(tmp_path / "gone")
    link_command(command, link)
    assert link.exists()
    link.unlink()
    link.write_text("somebody's")
    with pytest.raises(SetupFailed, match="could not be made"):
        link_command(command, link)
    assert link.read_text() == "somebody's"


def test_pid_files_of_an_engine_that_is_gone(tmp_path: Path) -> None:
    processes = tmp_path / "proc"
    for number, name in (("10", "dockerd"), ("20", "nginx")):
        (processes / number).mkdir(parents=True)
        (processes / number / "comm").write_text(f"{name}\n")
    ours, reused, dead, missing = (tmp_path / name for name in ("ours", "reused", "dead", "missing"))
    ours.write_text("10")
    reused.write_text("20\n")
    dead.write_text("30")
    files = {str(path): "dockerd" for path in (ours, reused, dead, missing)}
    assert daemon.stale_pid_files(files, processes=processes) == (str(reused), str(dead))
