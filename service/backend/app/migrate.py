"""`python -m app.migrate`: bring the database's schema up to date. Safe when two start at once."""

from __future__ import annotations

import sys
from pathlib import Path

from app.core.addresses import engine_address
from app.core.database import Database

HEAD = "0001"  # the newest file in app/migrations/versions; a test compares
LOCK_NUMBER = 7_246_330_911  # any number nobody else uses for a PostgreSQL advisory lock
_DIRECTORY = Path(__file__).parent / "migrations"


def _upgrade(connection: object) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_DIRECTORY))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(database_url: str) -> tuple[str | None, str | None]:
    """Run the missing migrations in one transaction, under a lock. Returns the revisions before and after.

    PostgreSQL: an advisory lock that lives as long as the transaction (so it also holds behind a pooler).
    SQLite: `BEGIN IMMEDIATE`, which waits its busy time-out for another writer.
    """
    from sqlalchemy import text

    database = Database(database_url, pool_size=1)
    try:
        before = await database.revision()
        if before is not None and before >= HEAD:
            # Also when it is newer: an older release put back must start on the schema it finds.
            return before, before
        async with database.write() as connection:
            if not database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})"))
            await connection.run_sync(_upgrade)
        return before, await database.revision()
    finally:
        await database.close()


def is_sqlite(database_url: str) -> bool:
    """Whether the address names a SQLite file."""
    return engine_address(database_url).is_sqlite


def _first_line(error: Exception, address: str) -> str:
    """What the driver said, in one line and without the password."""
    from sqlalchemy.engine import make_url

    told = (str(getattr(error, "orig", None) or error).splitlines() or [""])[0]
    password = make_url(address).password
    return f"{type(error).__name__}: {told.replace(str(password), '***') if password else told}"


def main() -> int:
    """Migrate the database of the settings. Returns 0, or 2 with one line on stderr for unusable settings."""
    import asyncio

    from app.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        before, after = asyncio.run(migrate(settings.database_url.get_secret_value()))
    except Exception as error:
        print(f"migrate: {_first_line(error, settings.database_url.get_secret_value())}", file=sys.stderr)  # noqa: T201
        return 1
    done = "nothing to do" if before == after else f"{before or 'empty'} -> {after}"
    print(f"migrate: {done}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
