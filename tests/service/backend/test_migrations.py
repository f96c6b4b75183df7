"""Migrations: in step with the tables, safe when several start at once, and harmless when repeated."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from app.core.database import Database
from app.core.tables import metadata
from app.migrate import HEAD, migrate
from backend_support.servers import BACKEND, BackendProcess, PostgresServer, free_port

KINDS = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)]


def _start(directory: Path, url: str) -> subprocess.Popen[str]:
    environment = BackendProcess(directory, DATABASE_URL=url).environment
    return subprocess.Popen(
        [sys.executable, "-m", "app.migrate"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_three_at_once_and_once_more(new_database: Callable[[str], str], tmp_path: Path, kind: str) -> None:
    url = new_database(kind)
    running = [_start(tmp_path, url) for _ in range(3)]
    told = [process.communicate(timeout=90) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    again = _start(tmp_path, url)
    assert again.communicate(timeout=90) == ("migrate: nothing to do\n", "")
    assert asyncio.run(_revision(url)) == HEAD


async def _revision(url: str) -> str | None:
    database = Database(url, 1)
    try:
        return await database.revision()
    finally:
        await database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_migrated_schema_is_that_of_the_tables(new_database: Callable[[str], str], kind: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    async def differences() -> list[object]:
        url = new_database(kind)
        await migrate(url)
        database = Database(url, 1)
        try:
            async with database.write() as connection:
                return await connection.run_sync(
                    lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
                )
        finally:
            await database.close()

    assert asyncio.run(differences()) == []


def test_the_newest_file_is_the_head() -> None:
    files = sorted((BACKEND / "app" / "migrations" / "versions").glob("[0-9]*.py"))
    revisions = [re.search(r'^revision = "(\w+)"', file.read_text(), re.MULTILINE) for file in files]
    assert [found[1] for found in revisions if found][-1] == HEAD


def test_an_older_release_starts_on_a_newer_schema(new_database: Callable[[str], str]) -> None:
    async def run() -> tuple[str | None, str | None]:
        from sqlalchemy import text

        url = new_database("sqlite")
        await migrate(url)
        database = Database(url, 1)
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        await database.close()
        return await migrate(url)

    assert asyncio.run(run()) == ("0999", "0999")


def test_a_failure_is_one_line_without_the_password(tmp_path: Path) -> None:
    process = _start(tmp_path, f"postgresql://u:hunter2@127.0.0.1:{free_port()}/db")
    output, told = process.communicate(timeout=90)
    assert process.returncode == 1
    assert output == ""
    assert len(told.strip().splitlines()) == 1
    assert told.startswith("migrate: ")
    assert "hunter2" not in told


@pytest.mark.postgresql
def test_a_living_postgresql_is_left_alone_at_start(
    postgres: PostgresServer, make_backend: Callable[..., BackendProcess]
) -> None:
    import httpx

    url = postgres.new_database("postgres")
    backend = make_backend(DATABASE_URL=url)  # empty: it is migrated
    assert httpx.get(f"{backend.url}/ready").status_code == 200
    postgres.query(url, "UPDATE alembic_version SET version_num = '0000'")
    other = make_backend(DATABASE_URL=url)
    told = httpx.get(f"{other.url}/ready")
    assert told.status_code == 503
    assert "app.migrate" in told.json()["checks"]["migrations"]
    assert postgres.query(url, "SELECT version_num FROM alembic_version") == "0000"
