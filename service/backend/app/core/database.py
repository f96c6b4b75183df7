"""The one way to the database: `read` for single statements, `write` for transactions.

Reads take a short way round SQLAlchemy's execution layer, because the task list is measured against a
route that does nothing. Statements are still built with SQLAlchemy and compiled once by its dialect; then
- SQLite: it runs in the event loop's own thread. Readers of a WAL database wait for nobody, and a page of
  rows takes some 50 µs where handing it to another thread and back takes ten times that.
- PostgreSQL: it runs on asyncpg itself, without a transaction around a single SELECT.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ClauseElement, Dialect, event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.core.addresses import EngineAddress, engine_address
from app.core.identifiers import new_id

BUSY_SECONDS = 15  # how long a writer waits for another process's transaction on the same SQLite file


_READERS = 8  # connections, no more than the pool may have; more of them only switch between processes


class Statement:
    """A SELECT with named parameters, compiled once per database dialect and then run many times."""

    __slots__ = ("_compiled", "element")

    def __init__(self, element: ClauseElement):
        self.element = element
        self._compiled: tuple[str, list[str], dict[str, Any]] | None = None

    def compiled(self, dialect: Dialect) -> tuple[str, list[str], dict[str, Any]]:
        """The SQL text, its parameters' names in order, and the values fixed when it was built."""
        if self._compiled is None:
            result = self.element.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            names = list(getattr(result, "positiontup", None) or [])
            self._compiled = (str(result), names, dict(result.params))
        return self._compiled


class _Reader(Protocol):
    async def fetch(self, sql: str, values: list[Any]) -> Sequence[Sequence[Any]]: ...

    async def close(self) -> None: ...


class _SqliteReader:
    def __init__(self, path: str):
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=1, cached_statements=256)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.execute("PRAGMA cache_size=-8000")

    async def fetch(self, sql: str, values: list[Any]) -> Sequence[Sequence[Any]]:
        return self._connection.execute(sql, values).fetchall()

    async def close(self) -> None:
        self._connection.close()


class _PostgresReader:
    """A few connections that only ever run single SELECTs: nothing to begin, end or reset."""

    def __init__(self, address: EngineAddress, size: int):
        self._address = address
        self._idle: list[Any] = []
        self._places = asyncio.Semaphore(size)

    async def _connect(self) -> Any:
        import asyncpg

        dsn = self._address.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return await asyncpg.connect(dsn, **self._address.connect_arguments)

    async def fetch(self, sql: str, values: list[Any]) -> Sequence[Sequence[Any]]:
        async with self._places:
            while self._idle:
                connection = self._idle.pop()
                try:
                    return await self._fetch(connection, sql, values)
                except (OSError, *_broken()):
                    # The server was restarted, or a pooler hung up meanwhile. Reading again is safe.
                    connection.terminate()
            return await self._fetch(await self._connect(), sql, values)

    async def _fetch(self, connection: Any, sql: str, values: list[Any]) -> Sequence[Sequence[Any]]:
        rows: Sequence[Sequence[Any]] = []
        try:
            rows = await connection.fetch(sql, *values)
        except asyncio.CancelledError:
            connection.terminate()
            raise
        finally:
            if not connection.is_closed():
                self._idle.append(connection)
        return rows

    async def close(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()


@cache
def _broken() -> tuple[type[Exception], ...]:
    import asyncpg

    return (
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
        asyncpg.CannotConnectNowError,
        asyncpg.InvalidCachedStatementError,
        asyncpg.IdleSessionTimeoutError,
    )


def is_unreachable(error: BaseException) -> bool:
    """Whether an error means that the database is away or busy, rather than that the service is wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (ConnectionError, TimeoutError, socket.gaierror, *_broken())):
            return True
        if isinstance(cause, DBAPIError) and cause.connection_invalidated:
            return True
        if isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's "begin" below decides, not the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # In WAL mode NORMAL survives the death of the process at any moment; a power cut may lose
        # the last transactions but cannot damage the file.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        # Takes the write lock at once: a transaction that reads first could not wait for it later.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """Connections to the database that the settings name. Make it inside a running event loop."""

    def __init__(self, url: str, pool_size: int):
        self.address = engine_address(url)
        self.is_sqlite = self.address.is_sqlite
        arguments: dict[str, Any] = dict(self.address.connect_arguments)
        if self.is_sqlite:
            self.engine = create_async_engine(self.address.url, pool_size=1, max_overflow=1)
            _prepare_sqlite(self.engine)
        else:
            extra: dict[str, Any] = {}
            if self.address.pooled_elsewhere:
                extra["prepared_statement_cache_size"] = 0
                extra["prepared_statement_name_func"] = lambda: f"_{new_id()}"
            self.engine = create_async_engine(
                self.address.url,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_pre_ping=True,  # a server that was restarted left broken connections in the pool
                pool_recycle=280,  # Neon suspends idle servers after five minutes
                connect_args={**arguments, **extra},
            )
        self._pool_size = pool_size
        self._reader: _Reader | None = None
        # One writer at a time is all SQLite has; queueing here is fair and costs no polling.
        self._writing = asyncio.Lock()

    def _open_reader(self) -> _Reader:
        if self.is_sqlite:
            self._reader = _SqliteReader(self.address.url.database or "")
        else:
            self._reader = _PostgresReader(self.address, min(_READERS, self._pool_size))
        return self._reader

    async def read(self, statement: Statement, **parameters: Any) -> Sequence[Sequence[Any]]:
        """Run one SELECT; rows are sequences in the order of its columns."""
        sql, names, fixed = statement.compiled(self.engine.dialect)
        values = [parameters[name] if name in parameters else fixed[name] for name in names]
        return await (self._reader or self._open_reader()).fetch(sql, values)

    async def read_one(self, statement: Statement, **parameters: Any) -> Sequence[Any] | None:
        """The first row, or None."""
        rows = await self.read(statement, **parameters)
        return rows[0] if rows else None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        if self.is_sqlite:
            async with self._writing, self.engine.begin() as connection:
                yield connection
        else:
            async with self.engine.begin() as connection:
                yield connection

    async def check(self) -> None:
        """Raises whatever the driver raises when the database does not answer."""
        await self.read(_ONE)

    async def revision(self) -> str | None:
        """The migration the schema is at, None when it is empty."""
        try:
            row = await self.read_one(_REVISION)
        except Exception as error:
            if "alembic_version" in str(error):
                return None
            raise
        return str(row[0]) if row else None

    async def close(self) -> None:
        """Give all connections back."""
        if self._reader is not None:
            await self._reader.close()
        await self.engine.dispose()


_ONE = Statement(select(text("1")))
_REVISION = Statement(select(text("version_num")).select_from(text("alembic_version")))
