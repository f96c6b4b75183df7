"""A command inside a container, connected to this process's own terminal or pipes."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deploytool.engines.docker import execute
from deploytool.engines.docker.client import Client, explanation
from deploytool.engines.docker.frames import frames

_CHUNK = 65536
INTERRUPTED = 130


def execute_interactively(
    client: Client, container: str, command: Sequence[str], *, tty: bool, name: str = ""
) -> int:
    """Run the command to its end; its exit code, 130 after Ctrl-C without a terminal.

    With `tty` the terminal is put into raw mode: keys, Ctrl-C included, go to the command.
    """
    identity = execute.create(client, container, command, tty=tty, stdin=True, name=name)
    answer = client.call(
        "POST",
        f"/exec/{identity}/start",
        body={"Detach": False, "Tty": tty},
        headers={"Connection": "Upgrade", "Upgrade": "tcp"},
        stream=True,
        timeout=(10.0, None),
        expect=(400, 409),
    )
    if answer.status_code >= 400:
        print(explanation(answer), file=sys.stderr)  # noqa: T201 - the stream is the caller's own stderr
        return 127
    reader, connection = _connection(answer)
    connection.settimeout(None)
    ended = threading.Event()
    try:
        with _raw_terminal(tty), _window_size(client, identity, tty):
            threading.Thread(target=_send_input, args=(connection, ended), daemon=True).start()
            _receive_output(reader, tty)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        answer.close()
    return execute.exit_code(client, identity)


def _connection(answer: Any) -> tuple[Any, socket.socket]:
    """The response's buffered reader (it may hold the first output already) and the socket below it."""
    reader = answer.raw._fp.fp
    below = reader.raw if hasattr(reader, "raw") else reader
    return reader, getattr(below, "_sock", below)


def _receive_output(reader: Any, tty: bool) -> None:
    if tty:
        while content := reader.read1(_CHUNK):
            _write(1, content)
        return
    for stream, content in frames(reader.read1):
        _write(2 if stream == "stderr" else 1, content)


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _send_input(connection: socket.socket, ended: threading.Event) -> None:
    """Pass stdin on; at its end tell the command so, and go on receiving."""
    with contextlib.suppress(OSError, ValueError):
        while not ended.is_set():
            ready, _, _ = select.select([0], [], [], 0.2)
            if not ready:
                continue
            content = os.read(0, _CHUNK)
            if not content:
                break
            connection.sendall(content)
    if not ended.is_set():
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _raw_terminal(tty: bool) -> Iterator[None]:
    if not (tty and os.isatty(0)):
        yield
        return
    import termios
    import tty as modes

    before = termios.tcgetattr(0)
    modes.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _window_size(client: Client, identity: str, tty: bool) -> Iterator[None]:
    """Tell the command the terminal's size, now and whenever it changes."""
    if not (tty and os.isatty(1)):
        yield
        return

    def resize(*_: Any) -> None:
        size = shutil.get_terminal_size()
        with contextlib.suppress(Exception):
            client.call("POST", f"/exec/{identity}/resize", parameters={"h": size.lines, "w": size.columns})

    main = threading.current_thread() is threading.main_thread()
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGWINCH, resize) if main else None
    resize()
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGWINCH, before)
