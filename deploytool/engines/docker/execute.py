"""Commands inside a container, run to their end."""

from __future__ import annotations

import time
from collections.abc import Sequence

from deploytool.engines.docker.client import Client, explanation, refusal, segment
from deploytool.engines.docker.frames import frames
from deploytool.errors import StepFailed

OUTPUT_LIMIT = 10 * 1024 * 1024
"""Bytes of output that are kept; the rest is read and dropped."""


class TookTooLong(Exception):
    """The command did not end within its time; it may still run."""


def run(
    client: Client, container: str, command: Sequence[str], *, timeout: float | None = None, name: str = ""
) -> tuple[int, bytes]:
    """Exit code and combined output of a command; 126 or 127 when it could not be started.

    Raises TookTooLong after `timeout` seconds, StepFailed when the container does not run.
    """
    began = time.monotonic()
    identity = create(client, container, command, tty=False, stdin=False, name=name)
    answer = client.call(
        "POST",
        f"/exec/{identity}/start",
        body={"Detach": False, "Tty": False},
        stream=True,
        timeout=timeout if timeout is not None else (10.0, None),
        expect=(400, 409),
    )
    if answer.status_code >= 400:
        # The engine answers 400 when the program does not exist in the container.
        return 127, explanation(answer).encode()
    kept = bytearray()
    try:
        for _, content in frames(lambda size: answer.raw.read1(size)):
            kept += content[: OUTPUT_LIMIT - len(kept)]
            if timeout is not None and time.monotonic() - began > timeout:
                raise TookTooLong
    except TookTooLong:
        raise
    except Exception as error:
        if "timed out" in str(error).lower():
            raise TookTooLong from None
        with client.reading():
            raise
    finally:
        answer.close()
    return exit_code(client, identity), bytes(kept)


def create(
    client: Client, container: str, command: Sequence[str], *, tty: bool, stdin: bool, name: str = ""
) -> str:
    """Prepare a command; its id. `name` is what messages call the container."""
    answer = client.call(
        "POST",
        f"/containers/{segment(container)}/exec",
        body={
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "Cmd": list(command),
        },
        expect=(404, 409),
    )
    if answer.status_code == 404:
        raise StepFailed(f"there is no container {name or container}")
    if answer.status_code == 409:
        raise StepFailed(f"container {name or container} does not run", details=(explanation(answer),))
    return str(answer.json()["Id"])


def exit_code(client: Client, identity: str) -> int:
    """The exit code of a command that has ended.

    The stream's end may be seen a moment before the engine has noted the code.
    """
    for pause in (0.0, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 2.0):
        time.sleep(pause)
        found = client.get(f"/exec/{identity}/json")
        if not found["Running"] and found["ExitCode"] is not None:
            return int(found["ExitCode"])
    raise refusal(f"the command's output ended, but the engine says it runs (exec {identity})")
