"""Secret values from `environments/<environment>.env.docker`.

The format is the usual one of env files: NAME=value lines, `#` comments, optional single or double quotes
around a value, an optional leading `export`. Nothing is interpolated. The file must not be readable by
others than its owner.
"""

from __future__ import annotations

import os
import re
import secrets as random_source
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploytool.errors import SecretFileUnreadable, SecretMissing

GENERATED = ("JWT_SECRET", "POSTGRES_PASSWORD")
"""Secrets that `local` makes up once when they are missing."""

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_RANDOM_BYTES = 48


def path_of(environment: str, project_dir: Path) -> Path:
    """Where the environment's secrets stand."""
    return project_dir / "environments" / f"{environment}.env.docker"


def read(environment: str, project_dir: Path) -> dict[str, str]:
    """All values of the environment; empty when there is no file.

    Raises SecretFileUnreadable when the file cannot be read, is open to others or has a bad line. The message
    names the line and never shows it.
    """
    path = path_of(environment, project_dir)
    shown = f"environments/{path.name}"
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretFileUnreadable(
                    f"the secrets file is open to others (mode {mode:04o})",
                    where=shown,
                    hint=f"chmod 600 {shown}",
                )
            raw = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretFileUnreadable(
            f"the secrets file cannot be read: {error.strerror}",
            where=shown,
            hint=f"make it a file that you can read: ls -l {shown}",
        ) from None
    try:
        lines = raw.decode().splitlines()
    except UnicodeDecodeError:
        raise SecretFileUnreadable("the secrets file is not UTF-8 text", where=shown) from None
    values = {}
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if not match:
            raise SecretFileUnreadable(
                "this line is not NAME=value",
                where=f"{shown}:{number}",
                hint="write NAME=value, # for comments",
            )
        values[match[1]] = _unquote(match[2])
    return {name: value for name, value in values.items() if value}


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return re.split(r"\s+#", text, maxsplit=1)[0].rstrip()


def names(environment: str, project_dir: Path) -> frozenset[str]:
    """The names that have a value."""
    return frozenset(read(environment, project_dir))


def generate(environment: str, project_dir: Path, missing: Sequence[str]) -> tuple[str, ...]:
    """Make up the missing ones of GENERATED and add them to the file (created with mode 0600).

    The names that were made up are returned. Other names are left alone.
    """
    made = tuple(name for name in GENERATED if name in missing)
    if not made:
        return ()
    path = path_of(environment, project_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(0)
        present = file.read()
        start = b"" if not present or present.endswith(b"\n") else b"\n"
        file.write(
            start + b"".join(f"{n}={random_source.token_urlsafe(_RANDOM_BYTES)}\n".encode() for n in made)
        )
    return made


def select(
    values: Mapping[str, str],
    wanted: Sequence[str],
    *,
    optional: Sequence[str],
    service: str,
    environment: str,
) -> dict[str, str]:
    """One service's values. Raises SecretMissing for a name that has none and is not optional."""
    missing = [name for name in wanted if name not in values and name not in optional]
    if missing:
        raise SecretMissing(
            f"{service} needs the secret{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            where=f"environments/{environment}.env.docker",
            hint=f"add a line `{missing[0]}=…` (see environments/example.env.docker), mode 600",
        )
    return {name: values[name] for name in wanted if name in values}
