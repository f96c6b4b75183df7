"""Files in volumes, read and written through the engine's archive calls: remote engines work alike."""

from __future__ import annotations

import io
import posixpath
import tarfile
import time
from collections.abc import Iterable, Sequence

from deploytool.engines.docker import helper
from deploytool.engines.docker.client import Client, segment
from deploytool.engines.docker.resources import users_of_volume
from deploytool.engines.protocol import FileEntry
from deploytool.errors import EngineRefused, StepFailed


def read_volume(client: Client, volume: str) -> tuple[FileEntry, ...] | None:
    """All regular files of a small volume, sorted by path; None when there is no such volume."""
    if client.find(f"/volumes/{segment(volume)}") is None:
        return None
    for user in users_of_volume(client, volume):
        for mount in user["Mounts"]:
            inside = f"{mount['Destination'].rstrip('/')}/"
            # Another volume mounted below this one would be read along with it.
            alone = not any(other["Destination"].startswith(inside) for other in user["Mounts"])
            if mount.get("Name") == volume and alone:
                return read_folder(client, user["Id"], mount["Destination"])
    if client.read_only:
        raise EngineRefused(
            f"volume {volume} cannot be read without creating a helper container, which a dry run may not do",
            hint="chatbot status creates it",
        )
    with helper.mounted(client, volume, read_only=True) as name:
        return read_folder(client, name, helper.MOUNTED)


def write_volume(
    client: Client, volume: str, files: Sequence[FileEntry], *, delete_others: bool = False
) -> None:
    """Write files into a volume that exists. Raises StepFailed."""
    if client.find(f"/volumes/{segment(volume)}") is None:
        raise StepFailed(f"volume {volume} does not exist")
    with helper.mounted(client, volume) as name:
        write_folder(client, name, helper.MOUNTED, files)
        if not delete_others:
            return
        keep = {_clean(entry.path) for entry in files}
        for unwanted in _others(client, name, keep):
            _delete(client, name, helper.MOUNTED, unwanted)
        left = _others(client, name, keep)
        if left:
            raise StepFailed(f"volume {volume}: could not delete {', '.join(left)}")


def _others(client: Client, container: str, keep: set[str]) -> list[str]:
    return sorted({entry.path for entry in read_folder(client, container, helper.MOUNTED)} - keep)


def read_folder(client: Client, container: str, path: str) -> tuple[FileEntry, ...]:
    """The regular files below a folder of a container, sorted; paths are relative to it."""
    answer = client.call(
        "GET", f"/containers/{segment(container)}/archive", parameters={"path": path}, expect=(404,)
    )
    if answer.status_code == 404:
        return ()
    found = []
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() or member.islnk() else None
            if stream is None:
                continue
            # The archive's one top entry is the folder itself.
            relative = member.name.removeprefix("./").partition("/")[2]
            found.append(FileEntry(relative, stream.read(), member.mode & 0o7777, member.uid, member.gid))
    return tuple(sorted(found, key=lambda entry: entry.path))


def write_folder(client: Client, container: str, path: str, files: Iterable[FileEntry]) -> None:
    """Write files below a folder of a container."""
    _unpack(client, container, path, _archive(files))


def _delete(client: Client, container: str, path: str, name: str) -> None:
    """Delete one file below a folder of a container.

    The API has no call for it. When the engine unpacks an archive, it first removes whatever stands where an
    entry goes, and then fails to create this entry: a hard link to nothing (moby pkg/archive, Unpack and
    createTarFile). The caller looks whether the file is gone.
    """
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.LNKTYPE, ".nothing-has-this-name"
        archive.addfile(entry)
    _unpack(client, container, path, raw.getvalue(), expect=(400, 404, 500))


def _unpack(
    client: Client, container: str, path: str, archive: bytes, *, expect: tuple[int, ...] = ()
) -> None:
    client.call(
        "PUT",
        f"/containers/{segment(container)}/archive",
        parameters={"path": path},
        data=archive,
        headers={"Content-Type": "application/x-tar"},
        expect=expect,
    )


def _archive(files: Iterable[FileEntry]) -> bytes:
    raw = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for file in files:
            path = _clean(file.path)
            for folder in _parents(path):
                if folder not in folders:
                    folders.add(folder)
                    parent = tarfile.TarInfo(folder)
                    parent.type, parent.mode, parent.uid, parent.gid = (
                        tarfile.DIRTYPE,
                        0o755,
                        file.uid,
                        file.gid,
                    )
                    archive.addfile(parent)
            entry = tarfile.TarInfo(path)
            entry.mtime = int(time.time())
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.uid, file.gid
            archive.addfile(entry, io.BytesIO(file.content))
    return raw.getvalue()


def _clean(path: str) -> str:
    """A path that stays inside its folder."""
    clean = posixpath.normpath("/" + path).lstrip("/")
    if not clean or ".." in path.split("/"):
        raise StepFailed(f"`{path}` is no path inside a volume")
    return clean


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]
