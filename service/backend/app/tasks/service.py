"""What can be done with tasks, by their owner or by a tool on the owner's behalf."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from app.core import cursors
from app.core.clock import now_ms
from app.core.database import Database
from app.core.identifiers import new_id
from app.problems import Problem
from app.tasks.repository import SORTS, TaskRepository, TaskRow, escaped, sort_value
from app.tasks.schemas import NewTask, TaskChanges, TaskQuery

_STEP = 1024.0  # distance between neighbours, so that many moves fit in between
_SMALLEST_GAP = 1e-6
MOST_TASKS = 10_000  # per user


def not_found() -> Problem:
    """The 404 for a task that does not exist or is somebody else's."""
    return Problem(404, "task-not-found", "There is no such task.")


def _keys(title: str, notes: str) -> dict[str, str]:
    return {"title_key": title.casefold()[:200], "search_key": f"{title}\n{notes}".casefold()}


def _check_version(row: TaskRow, if_match: str | None) -> None:
    if if_match is None or if_match.strip() == "*":
        return
    wanted = {part.strip().removeprefix("W/").strip('"') for part in if_match.split(",")}
    if str(row[8]) not in wanted:
        raise Problem(412, "task-changed", "The task was changed in the meantime. Load it again.")


class TaskService:
    """All operations take the owner's id first and answer 404 for anybody else's tasks."""

    def __init__(self, database: Database):
        self._database = database
        self._repository = TaskRepository(database)

    async def page(self, user_id: str, query: TaskQuery) -> tuple[Sequence[TaskRow], str | None]:
        """One page of rows, and the cursor of the next."""
        order = query.sort
        name = order.lstrip("-")
        after: tuple[Any, str] | None = None
        if query.cursor:
            value, last = cursors.decode(query.cursor, order, SORTS[name][1], str)
            after = (value, str(last))
        filters: dict[str, str] = {}
        if query.search.strip():
            filters["search"] = f"%{escaped(query.search.strip().casefold())}%"
        if query.tag:
            filters["tag"] = f"%{escaped(json.dumps(query.tag.strip().lower(), ensure_ascii=False))}%"
        if query.due_from:
            filters["due_from"] = query.due_from.isoformat()
        if query.due_to:
            filters["due_to"] = query.due_to.isoformat()
        done = None if query.status == "all" else query.status == "done"
        rows = await self._repository.page(user_id, order, query.limit + 1, done, filters, after)
        if len(rows) <= query.limit:
            return rows, None
        last_row = rows[query.limit - 1]
        return rows[: query.limit], cursors.encode(order, sort_value(last_row, name), last_row[0])

    async def get(self, user_id: str, task_id: str) -> TaskRow:
        """One task."""
        row = await self._repository.one(user_id, task_id)
        if row is None:
            raise not_found()
        return row

    async def add(self, user_id: str, new: NewTask) -> TaskRow:
        """Add a task at the end of the list."""
        task_id, now = new_id(), now_ms()
        async with self._database.write() as connection:
            if await self._repository.count(connection, user_id) >= MOST_TASKS:
                raise Problem(409, "too-many-tasks", f"A list holds at most {MOST_TASKS} tasks.")
            position = await self._repository.last_position(connection, user_id) + _STEP
            values = {
                "id": task_id,
                "user_id": user_id,
                "title": new.title,
                "notes": new.notes,
                "done": False,
                "done_ms": None,
                "due_on": new.due_on.isoformat() if new.due_on else None,
                "tags": json.dumps(new.tags, ensure_ascii=False),
                "position": position,
                "version": 1,
                "created_ms": now,
                "updated_ms": now,
                **_keys(new.title, new.notes),
            }
            await self._repository.insert(connection, values)
        return await self.get(user_id, task_id)

    async def change(
        self, user_id: str, task_id: str, changes: TaskChanges, if_match: str | None = None
    ) -> TaskRow:
        """Change what was given. Raises a 412 problem when `if_match` names another version."""
        given = changes.given()
        async with self._database.write() as connection:
            row = await self._repository.one_now(connection, user_id, task_id)
            if row is None:
                raise not_found()
            _check_version(row, if_match)
            values: dict[str, Any] = {}
            for name, value in given.items():
                if name == "done":
                    values |= self._completion(row, value)
                elif name == "tags":
                    values["tags"] = json.dumps(value, ensure_ascii=False)
                elif name == "due_on":
                    values["due_on"] = value.isoformat() if isinstance(value, date) else None
                else:
                    values[name] = value
            values |= _keys(str(values.get("title", row[1])), str(values.get("notes", row[2])))
            values |= {"version": row[8] + 1, "updated_ms": now_ms()}
            await self._repository.update(connection, task_id, values)
        return await self.get(user_id, task_id)

    async def complete(self, user_id: str, task_id: str, if_match: str | None = None) -> TaskRow:
        """Mark as done; a task that is done already stays as it is."""
        return await self.change(user_id, task_id, TaskChanges(done=True), if_match)

    async def reopen(self, user_id: str, task_id: str, if_match: str | None = None) -> TaskRow:
        """Mark as not done."""
        return await self.change(user_id, task_id, TaskChanges(done=False), if_match)

    async def delete(self, user_id: str, task_id: str, if_match: str | None = None) -> None:
        """Delete a task."""
        async with self._database.write() as connection:
            row = await self._repository.one_now(connection, user_id, task_id)
            if row is None:
                raise not_found()
            _check_version(row, if_match)
            await self._repository.delete(connection, task_id)

    async def move(self, user_id: str, task_id: str, after: str | None) -> TaskRow:
        """Put a task behind another one (or first). Neighbours move only when no number fits in between."""
        async with self._database.write() as connection:
            row = await self._repository.one_now(connection, user_id, task_id)
            others = await self._repository.positions(connection, user_id, task_id)
            if row is None:
                raise not_found()
            index = 0
            if after is not None and after != task_id:
                places = {other: number for number, (other, _) in enumerate(others, 1)}
                if after not in places:
                    raise not_found()
                index = places[after]
            elif after == task_id:
                index = sum(1 for _, position in others if position < row[7])
            before = others[index - 1][1] if index else (others[0][1] - 2 * _STEP if others else 0.0)
            behind = others[index][1] if index < len(others) else before + 2 * _STEP
            position = (before + behind) / 2
            if behind - before < _SMALLEST_GAP:
                for number, (other, _) in enumerate(others):
                    shift = _STEP * (number + 1 + (number >= index))
                    await self._repository.update(connection, other, {"position": shift})
                position = _STEP * (index + 1)
            changed = {"position": position, "version": row[8] + 1, "updated_ms": now_ms()}
            await self._repository.update(connection, task_id, changed)
        return await self.get(user_id, task_id)

    @staticmethod
    def _completion(row: TaskRow, done: bool) -> dict[str, Any]:
        if bool(row[3]) == done:
            return {}
        return {"done": done, "done_ms": now_ms() if done else None}
