"""What the model (or a slash command) can do with the user's tasks. Each leaves a visible part."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from app.problems import Problem
from app.tasks.schemas import NewTask, TaskChanges, TaskQuery, shown
from app.tasks.service import TaskService

Part = dict[str, Any]
_LISTED = 20

_TASK_REFERENCE = {"type": "string", "description": "The task's id, its number in the list, or its title."}
DEFINITIONS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "list_tasks",
            "description": "List the user's tasks.",
            "parameters": {
                "type": "object",
                "properties": {
                    "status": {"type": "string", "enum": ["open", "done", "all"]},
                    "search": {"type": "string"},
                    "tag": {"type": "string"},
                },
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "add_task",
            "description": "Add a task to the user's list.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "notes": {"type": "string"},
                    "due_on": {"type": "string", "description": "YYYY-MM-DD"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["title"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "update_task",
            "description": "Change a task of the user.",
            "parameters": {
                "type": "object",
                "properties": {
                    "task": _TASK_REFERENCE,
                    "title": {"type": "string"},
                    "notes": {"type": "string"},
                    "due_on": {"type": ["string", "null"], "description": "YYYY-MM-DD"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["task"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "complete_task",
            "description": "Mark a task of the user as done.",
            "parameters": {"type": "object", "properties": {"task": _TASK_REFERENCE}, "required": ["task"]},
        },
    },
]
DEFINITION_BYTES = len(json.dumps(DEFINITIONS).encode())


def part(
    name: str,
    arguments: dict[str, Any],
    summary: str,
    ok: bool = True,
    tasks: list[dict[str, Any]] | None = None,
    undo: dict[str, Any] | None = None,
) -> Part:
    """A tool part, as it is stored and shown."""
    return {
        "type": "tool",
        "name": name,
        "arguments": arguments,
        "ok": ok,
        "summary": summary,
        "tasks": tasks or [],
        "undo": undo,
    }


def _undo(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"label": "Undo", "method": method, "path": path, "body": body}


class ToolRefusal(Exception):
    """The tool cannot do that; the message is for the user and the model."""


class Tools:
    """Runs tools on one user's behalf."""

    def __init__(self, tasks: TaskService, user_id: str):
        self._tasks = tasks
        self._user_id = user_id

    async def run(self, name: str, arguments: dict[str, Any]) -> Part:
        """Do it, and return the part that says what was done or why not. Never raises for bad arguments."""
        known = {
            "list_tasks": self._list,
            "add_task": self._add,
            "update_task": self._update,
            "complete_task": self._complete,
        }
        if name not in known:
            return part(name[:40], arguments, f"There is no tool named “{name[:40]}”.", ok=False)
        try:
            return await known[name](arguments)
        except ToolRefusal as refusal:
            return part(name, arguments, str(refusal), ok=False)
        except Problem as problem:
            return part(name, arguments, problem.detail, ok=False)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(place) for place in first["loc"])
            return part(name, arguments, f"{where}: {first['msg']}", ok=False)

    async def open_tasks(self) -> list[dict[str, Any]]:
        """The open tasks in the order that numbers refer to."""
        rows, _ = await self._tasks.page(self._user_id, TaskQuery(status="open", limit=100))
        return [shown(row) for row in rows]

    async def _list(self, arguments: dict[str, Any]) -> Part:
        wanted = {key: arguments[key] for key in ("status", "search", "tag") if arguments.get(key)}
        query = TaskQuery(**{"status": "open", **wanted, "limit": _LISTED})
        rows, more = await self._tasks.page(self._user_id, query)
        found = [shown(row) for row in rows]
        if not found:
            words = "No tasks found." if wanted.get("search") or wanted.get("tag") else "No open tasks."
            return part("list_tasks", arguments, words)
        count = f"{len(found)}{'+' if more else ''} task{'s' if len(found) != 1 else ''}"
        return part("list_tasks", arguments, count, tasks=found)

    async def _add(self, arguments: dict[str, Any]) -> Part:
        allowed = {"title", "notes", "due_on", "tags"}
        given = {key: value for key, value in arguments.items() if key in allowed and value is not None}
        task = shown(await self._tasks.add(self._user_id, NewTask(**given)))
        undo = _undo("DELETE", f"/api/tasks/{task['id']}")
        return part("add_task", arguments, f"Added “{task['title']}”.", tasks=[task], undo=undo)

    async def _update(self, arguments: dict[str, Any]) -> Part:
        task = await self.find(arguments.get("task"), include_done=True)
        allowed = ("title", "notes", "due_on", "tags")
        given = {key: arguments[key] for key in allowed if key in arguments}
        if not given:
            raise ToolRefusal("There is nothing to change.")
        before = {key: task[key] for key in given}
        changed = shown(await self._tasks.change(self._user_id, task["id"], TaskChanges(**given)))
        undo = _undo("PATCH", f"/api/tasks/{task['id']}", before)
        return part("update_task", arguments, f"Changed “{changed['title']}”.", tasks=[changed], undo=undo)

    async def _complete(self, arguments: dict[str, Any]) -> Part:
        task = await self.find(arguments.get("task"))
        done = shown(await self._tasks.complete(self._user_id, task["id"]))
        undo = _undo("POST", f"/api/tasks/{task['id']}/reopen")
        return part("complete_task", arguments, f"Completed “{done['title']}”.", tasks=[done], undo=undo)

    async def find(self, reference: object, include_done: bool = False) -> dict[str, Any]:
        """The task meant by an id, a number in the open list, or (part of) a title. Raises ToolRefusal."""
        text = str(reference or "").strip().strip("\"'“”.").casefold()
        if not text:
            raise ToolRefusal("Which task? Give its number or its title.")
        candidates = await self.open_tasks()
        if text.removeprefix("#").isdigit() and len(text) < 6:
            number = int(text.removeprefix("#"))
            if 1 <= number <= len(candidates):
                return candidates[number - 1]
        if include_done:
            rows, _ = await self._tasks.page(self._user_id, TaskQuery(status="done", limit=100))
            candidates += [shown(row) for row in rows]
        for test in (
            lambda task: task["id"] == text,
            lambda task: task["title"].casefold() == text,
            lambda task: text in task["title"].casefold(),
        ):
            found = [task for task in candidates if test(task)]
            if len(found) == 1:
                return found[0]
            if found:
                names = ", ".join(f"“{task['title']}”" for task in found[:4])
                raise ToolRefusal(f"More than one task fits: {names}. Please be more exact.")
        raise ToolRefusal(f"There is no open task “{str(reference).strip()[:80]}”.")


def as_text(tool_part: Part) -> str:
    """What was done, in words: for the history that a model reads, and for models that call no tools."""
    listed = "".join(
        f"\n{number}. {task['title']}{' (due ' + task['due_on'] + ')' if task['due_on'] else ''}"
        for number, task in enumerate(tool_part["tasks"], 1)
        if tool_part["name"] == "list_tasks"
    )
    return f"{tool_part['summary']}{listed}"
