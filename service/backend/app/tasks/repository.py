"""Tasks in the database. Every statement names the owner."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.database import Database, Statement
from app.core.tables import ordered, tasks

COLUMNS = (
    tasks.c.id,
    tasks.c.title,
    tasks.c.notes,
    tasks.c.done,
    tasks.c.done_ms,
    tasks.c.due_on,
    tasks.c.tags,
    tasks.c.position,
    tasks.c.version,
    tasks.c.created_ms,
    tasks.c.updated_ms,
    tasks.c.title_key,
)
TaskRow = Sequence[Any]
_LAST_DAY = "9999-99-99"  # sorts tasks without a due date behind all others
# Name in the API -> (what to sort by, its Python type, its place in COLUMNS).
SORTS: dict[str, tuple[ColumnElement[Any], type, int]] = {
    "position": (tasks.c.position, float, 7),
    "created": (tasks.c.created_ms, int, 9),
    "updated": (tasks.c.updated_ms, int, 10),
    "due": (func.coalesce(tasks.c.due_on, _LAST_DAY, type_=ordered(10)), str, 5),
    "title": (tasks.c.title_key, str, 11),
}
_ONE = Statement(
    select(*COLUMNS).where(tasks.c.id == bindparam("task_id"), tasks.c.user_id == bindparam("user_id"))
)


def sort_value(row: TaskRow, sort: str) -> str | int | float:
    """What `sort` (without its sign) compares of this row."""
    value = row[SORTS[sort][2]]
    result: str | int | float = _LAST_DAY if value is None else value
    return result


@lru_cache(512)
def _page(sort: str, done: bool | None, filters: frozenset[str], resumed: bool) -> Statement:
    """The list's statement for one combination of filters, built and compiled once."""
    name = sort.lstrip("-")
    column, _, _ = SORTS[name]
    statement = select(*COLUMNS).where(tasks.c.user_id == bindparam("user_id"))
    if done is not None:
        statement = statement.where(tasks.c.done.is_(done))
    if "search" in filters:
        statement = statement.where(tasks.c.search_key.like(bindparam("search", type_=String), escape="\\"))
    if "tag" in filters:
        statement = statement.where(tasks.c.tags.like(bindparam("tag", type_=String), escape="\\"))
    if "due_from" in filters:
        statement = statement.where(tasks.c.due_on >= bindparam("due_from", type_=ordered(10)))
    if "due_to" in filters:
        statement = statement.where(tasks.c.due_on <= bindparam("due_to", type_=ordered(10)))
    value, last = bindparam("value", type_=column.type), bindparam("last", type_=tasks.c.id.type)
    if sort.startswith("-"):
        if resumed:
            statement = statement.where((column < value) | ((column == value) & (tasks.c.id < last)))
        statement = statement.order_by(column.desc(), tasks.c.id.desc())
    else:
        if resumed:
            statement = statement.where((column > value) | ((column == value) & (tasks.c.id > last)))
        statement = statement.order_by(column, tasks.c.id)
    return Statement(statement.limit(bindparam("limit")))


def escaped(text: str) -> str:
    """`text` for the inside of a LIKE pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class TaskRepository:
    """Statements about one user's tasks."""

    def __init__(self, database: Database):
        self.database = database

    async def page(
        self,
        user_id: str,
        sort: str,
        limit: int,
        done: bool | None,
        filters: dict[str, str],
        after: tuple[Any, str] | None,
    ) -> Sequence[TaskRow]:
        """Up to `limit` rows behind the position `after` (sort value, id)."""
        statement = _page(sort, done, frozenset(filters), after is not None)
        value, last = after or (None, None)
        return await self.database.read(
            statement, user_id=user_id, limit=limit, value=value, last=last, **filters
        )

    async def one(self, user_id: str, task_id: str) -> TaskRow | None:
        """The task, if it is this user's."""
        return await self.database.read_one(_ONE, task_id=task_id, user_id=user_id)

    async def one_now(self, connection: AsyncConnection, user_id: str, task_id: str) -> TaskRow | None:
        """The task as the transaction sees it; PostgreSQL keeps others from changing it meanwhile."""
        found = await connection.execute(
            select(*COLUMNS).where(tasks.c.id == task_id, tasks.c.user_id == user_id).with_for_update()
        )
        return found.first()

    async def count(self, connection: AsyncConnection, user_id: str) -> int:
        """How many tasks the user has."""
        found = await connection.execute(
            select(func.count()).select_from(tasks).where(tasks.c.user_id == user_id)
        )
        return int(found.scalar_one())

    async def last_position(self, connection: AsyncConnection, user_id: str) -> float:
        """The largest position in use, 0 when there are no tasks."""
        found = await connection.execute(select(func.max(tasks.c.position)).where(tasks.c.user_id == user_id))
        return float(found.scalar_one() or 0.0)

    async def positions(
        self, connection: AsyncConnection, user_id: str, without: str
    ) -> list[tuple[str, float]]:
        """Ids and positions of all other tasks, in order."""
        found = await connection.execute(
            select(tasks.c.id, tasks.c.position)
            .where(tasks.c.user_id == user_id, tasks.c.id != without)
            .order_by(tasks.c.position, tasks.c.id)
        )
        return [(row[0], float(row[1])) for row in found]

    async def insert(self, connection: AsyncConnection, values: dict[str, Any]) -> None:
        """Add a task."""
        await connection.execute(insert(tasks).values(values))

    async def update(self, connection: AsyncConnection, task_id: str, values: dict[str, Any]) -> None:
        """Change columns of a task that the caller has read in this transaction."""
        await connection.execute(update(tasks).where(tasks.c.id == task_id).values(values))

    async def delete(self, connection: AsyncConnection, task_id: str) -> None:
        """Delete a task that the caller has read in this transaction."""
        await connection.execute(delete(tasks).where(tasks.c.id == task_id))
