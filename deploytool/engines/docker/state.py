"""This tool's own files beside the stack (a volume), and the lock (a container name, which is atomic).

The volume's handle is a container that is created once, never started, and stays: reading the state is then a
single GET, which a dry run may do too, and `docker volume prune` leaves the history alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from deploytool.engines.docker import files, helper
from deploytool.engines.docker.client import Client, segment
from deploytool.engines.docker.resources import remove_volume
from deploytool.engines.protocol import FileEntry, LockHolder
from deploytool.errors import EngineRefused, Locked
from deploytool.stack import labels

HOLDER = "io.chatbot.lock-holder"


def read_state(client: Client, project: str) -> dict[str, bytes]:
    """Files by path; empty when nothing was stored."""
    handle = _name(project)
    if not _is_state(client, handle, project):
        if client.find(f"/volumes/{segment(handle)}") is None:
            return {}
        if client.read_only:
            raise EngineRefused(
                f"the history of {project} cannot be read: its container {handle} was removed (by a prune?),"
                " and a dry run may not create it",
                hint="chatbot status creates it again",
            )
        _ensure(client, project)
    return {entry.path: entry.content for entry in files.read_folder(client, handle, helper.MOUNTED)}


def write_state(client: Client, project: str, contents: Mapping[str, bytes]) -> None:
    """Add or replace files; readable by root of the engine's machine alone."""
    _ensure(client, project)
    entries = [FileEntry(path, content, mode=0o600) for path, content in sorted(contents.items())]
    files.write_folder(client, _name(project), helper.MOUNTED, entries)


def remove_state(client: Client, project: str) -> None:
    """Forget everything; nothing stored is fine."""
    helper.remove(client, _name(project))
    remove_volume(client, _name(project))


def lock(client: Client, project: str, holder: LockHolder) -> None:
    """Take the lock. Raises Locked, naming the present holder."""
    marks = {
        labels.ROLE: "lock",
        labels.STATE_PROJECT: project,
        HOLDER: json.dumps({"who": holder.who, "purpose": holder.purpose, "since": holder.since}),
    }
    for _ in range(5):
        if helper.create(client, _lock_name(project), marks):
            return
        present = lock_holder(client, project)
        if present is not None:
            raise Locked(
                f"{project} is locked by {present.who} ({present.purpose}, since {_clock(present.since)})",
                hint=f"wait; or, if that was interrupted: docker rm {_lock_name(project)}",
            )
    raise Locked(f"{project} is locked again and again by somebody", hint="try again")


def unlock(client: Client, project: str) -> None:
    """Release the lock; not held is fine."""
    helper.remove(client, _lock_name(project))


def lock_holder(client: Client, project: str) -> LockHolder | None:
    """Who holds the lock now."""
    present = client.inspect(_lock_name(project))
    if present is None:
        return None
    try:
        values = json.loads((present["Config"].get("Labels") or {})[HOLDER])
        return LockHolder(str(values["who"]), str(values["purpose"]), float(values["since"]))
    except (KeyError, ValueError, TypeError):
        return LockHolder("somebody else", f"container {_lock_name(project)}", 0.0)


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _name(project: str) -> str:
    return f"{project}-state"


def _lock_name(project: str) -> str:
    return f"{project}-lock"


def _is_state(client: Client, name: str, project: str) -> bool:
    present = client.inspect(name)
    if present is None:
        return False
    if (present["Config"].get("Labels") or {}).get(labels.STATE_PROJECT) != project:
        raise EngineRefused(
            f"the name {name} is taken by a container that is not this project's",
            hint=f"docker inspect {name}",
        )
    return True


def _ensure(client: Client, project: str) -> None:
    name = _name(project)
    if _is_state(client, name, project):
        return
    marks = {labels.ROLE: "state", labels.STATE_PROJECT: project}
    if client.find(f"/volumes/{segment(name)}") is None:
        client.call("POST", "/volumes/create", body={"Name": name, "Labels": marks})
    helper.create(client, name, marks, volume=name)
