"""Database addresses: what operators paste, turned into what SQLAlchemy's async drivers take."""

from __future__ import annotations

import os
import sqlite3
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

# Parameters of libpq that asyncpg does not know; each is either translated below or has no meaning here.
_DROPPED = ("sslmode", "channel_binding", "pgbouncer", "connect_timeout", "sslrootcert", "gssencmode")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class EngineAddress:
    """A SQLAlchemy URL with an async driver, and the arguments that driver wants beside it."""

    url: URL
    connect_arguments: dict[str, Any] = field(default_factory=dict)
    pooled_elsewhere: bool = False

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file rather than a PostgreSQL server."""
        return self.url.get_backend_name() == "sqlite"


def _tls(mode: str, root_certificate: str | None) -> ssl.SSLContext | str | bool:
    if mode not in _SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(_SSL_MODES)}")
    if mode == "disable":
        return False
    if mode in {"allow", "prefer"}:
        return mode
    context = ssl.create_default_context(cafile=root_certificate)
    if mode == "require" and root_certificate is None:
        # libpq's "require" encrypts without checking the certificate.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif mode != "verify-full":
        context.check_hostname = False
    return context


def engine_address(text: str) -> EngineAddress:
    """Parse `DATABASE_URL`.

    Takes `sqlite:///…`, `postgres://…` and `postgresql://…`, Neon's pooled addresses included.
    Raises ValueError (never quoting the address: it holds a password) for anything else.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not an address such as sqlite:////data/chatbot.db or postgresql://user:pass@host/name"
        ) from None
    backend = url.drivername.split("+")[0]
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError("needs a file, such as sqlite:////data/chatbot.db")
        return EngineAddress(url.set(drivername="sqlite+aiosqlite"))
    if backend not in {"postgres", "postgresql"}:
        raise ValueError(f"uses {backend!r}; sqlite and postgresql are supported")
    if not url.host or not url.database:
        raise ValueError("needs a host and a database name: postgresql://user:pass@host/name")
    query = {key: value if isinstance(value, str) else value[0] for key, value in url.query.items()}
    arguments: dict[str, Any] = {}
    if "sslmode" in query:
        arguments["ssl"] = _tls(query["sslmode"], query.get("sslrootcert"))
    arguments["timeout"] = float(query.get("connect_timeout", "10"))
    # A pooler in transaction mode hands each transaction another server connection, on which
    # statements prepared earlier do not exist: no caches then, and names that never collide.
    pooled = "-pooler." in url.host or query.get("pgbouncer") == "true"
    kept = {key: value for key, value in query.items() if key not in _DROPPED}
    unknown = set(kept) - {"application_name"}
    if unknown:
        raise ValueError(f"has the parameter {sorted(unknown)[0]!r}, which is not supported")
    settings = {"application_name": kept.get("application_name", "chatbot-backend")}
    arguments["server_settings"] = settings
    if pooled:
        arguments["statement_cache_size"] = 0
        arguments.pop("server_settings")
    return EngineAddress(url.set(drivername="postgresql+asyncpg", query={}), arguments, pooled)


def check_file(address: EngineAddress) -> None:
    """Raise ValueError with one line when a SQLite file can be neither opened nor made nor written.

    Without it the same fault would end the start with a page of traceback.
    """
    if not address.is_sqlite:
        return
    path = Path(address.url.database or "")
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            return  # somebody else writes: it can be used
        remedy = f"user {os.getuid()} must be able to write it and {path.parent}"
        if "not a database" in str(error):
            remedy = "move it away, or name another file"
        raise ValueError(f"{path} cannot be used: {error}; {remedy}") from None
