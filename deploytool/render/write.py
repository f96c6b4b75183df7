"""Writing a bundle into a folder."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from deploytool.errors import UsageError
from deploytool.render.context import MANIFEST_FILE
from deploytool.render.files import Bundle


def write_bundle(bundle: Bundle, out_dir: Path) -> None:
    """Write every file; remove those that the folder's older manifest lists and the bundle no longer has.

    Files that no manifest lists are somebody else's and stay. Raises UsageError where it cannot write.
    """
    try:
        stale = _listed(out_dir) - set(bundle.files)
        for name, content in bundle.files.items():
            _write(out_dir / name, content)
        for name in sorted(stale):
            path = out_dir / name
            if path.is_file() and not path.is_symlink():
                path.unlink()
                _remove_if_empty(path.parent, out_dir)
    except OSError as error:
        raise UsageError(
            f"cannot write the bundle: {error.strerror}",
            where=str(error.filename or out_dir),
            hint="choose another folder: --out DIR",
        ) from None


def _write(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place and then renamed, so that a reader never sees half a file.
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _remove_if_empty(folder: Path, out_dir: Path) -> None:
    if folder != out_dir and not any(folder.iterdir()):
        folder.rmdir()


def _listed(out_dir: Path) -> set[str]:
    try:
        manifest = json.loads((out_dir / MANIFEST_FILE).read_bytes())
        names = {str(name) for name in manifest["files"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if _inside(name)} | {MANIFEST_FILE}


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)
