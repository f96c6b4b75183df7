"""Containers that are created and never started: handles by which the engine reads and writes volumes.

Their image holds one empty folder and is imported through the API, so nothing is pulled and nothing runs.
None of them carries Compose's labels: `docker compose ps -a` and `down` do not see them.
"""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deploytool.engines.docker.client import Client, explanation, lines_of_json, refusal, segment
from deploytool.stack import labels

IMAGE = "chatbot-state:1"
MOUNTED = "/volume"


def create(
    client: Client, name: str, marks: Mapping[str, str], *, volume: str = "", read_only: bool = False
) -> bool:
    """Create one under a fixed name; False when the name is taken. The engine makes this atomic."""
    body: dict[str, Any] = {
        "Image": IMAGE,
        "Cmd": ["never-started"],
        "Labels": dict(marks),
        "NetworkDisabled": True,
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}},
    }
    if volume:
        body["HostConfig"]["Binds"] = [f"{volume}:{MOUNTED}:{'ro' if read_only else 'rw'}"]
    for attempt in range(2):
        answer = client.call(
            "POST", "/containers/create", parameters={"name": name}, body=body, expect=(404, 409)
        )
        if answer.status_code == 409:
            return False
        if answer.status_code < 400:
            return True
        if attempt == 0:
            _import_image(client)
    raise refusal(explanation(answer), where=f"helper container {name}")


def remove(client: Client, name: str) -> None:
    """Remove one; gone already is fine."""
    client.call("DELETE", f"/containers/{segment(name)}", parameters={"force": True}, expect=(404, 409))


@contextmanager
def mounted(client: Client, volume: str, *, read_only: bool = False) -> Iterator[str]:
    """A volume's handle for the time of a `with` block: a container name; the volume is at MOUNTED in it."""
    name = f"chatbot-files-{secrets.token_hex(6)}"
    create(client, name, {labels.ROLE: "files"}, volume=volume, read_only=read_only)
    try:
        yield name
    finally:
        remove(client, name)


def _import_image(client: Client) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folder = tarfile.TarInfo(MOUNTED.strip("/"))
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
    repository, _, tag = IMAGE.partition(":")
    answer = client.call(
        "POST",
        "/images/create",
        parameters={"fromSrc": "-", "repo": repository, "tag": tag},
        data=raw.getvalue(),
        headers={"Content-Type": "application/x-tar"},
    )
    for message in lines_of_json(answer):
        if "error" in message:
            raise refusal(str(message["error"]), where=f"import of {IMAGE}")
