"""Slash commands: the task tools without a model."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from app.chat.days import day_named
from app.chat.tools import Part, Tools

_COMMAND = re.compile(r"\s*/([A-Za-z]{1,20})(?:\s+(.*))?\s*", re.DOTALL)
_TAG = re.compile(r"(?:^|\s)#([\w-]{1,32})")
_DUE = re.compile(r"(?:^|\s)due:(\S+)", re.IGNORECASE)

HELP = [
    (
        "/add",
        "/add Buy milk #home due:2026-03-04",
        "Add a task; #tags and due:today, due:friday or a date.",
    ),
    ("/tasks", "/tasks #home", "List open tasks; `done`, `all`, a #tag or words narrow it down."),
    ("/done", "/done 2", "Complete a task by its number or its title."),
    ("/help", "/help", "Show these commands."),
]


def parse(text: str) -> tuple[str, str] | None:
    """Name and rest of a slash command; None when the text is none (such as a path)."""
    found = _COMMAND.fullmatch(text)
    return (found[1].lower(), (found[2] or "").strip()) if found else None


def task_from(rest: str, today: date) -> dict[str, Any]:
    """The arguments of add_task in `Buy milk #home due:tomorrow`."""
    arguments: dict[str, Any] = {}
    due = _DUE.search(rest)
    if due:
        day = day_named(due[1], today)
        arguments["due_on"] = day.isoformat() if day else due[1]  # what it is not, the task's own check says
        rest = rest[: due.start()] + rest[due.end() :]
    tags = _TAG.findall(rest)
    if tags:
        arguments["tags"] = tags
        rest = _TAG.sub("", rest)
    return {"title": " ".join(rest.split()), **arguments}


def _listing(rest: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    words = []
    for word in rest.split():
        if word.lower() in {"open", "done", "all"}:
            arguments["status"] = word.lower()
        elif word.startswith("#") and len(word) > 1:
            arguments["tag"] = word[1:].lower()
        else:
            words.append(word)
    return {**arguments, **({"search": " ".join(words)} if words else {})}


async def run(name: str, rest: str, tools: Tools, today: date) -> Part | str:
    """Carry out a command: what was done, or text (help, or how a command is used)."""
    if name == "add":
        return await tools.run("add_task", task_from(rest, today)) if rest else _usage("add")
    if name in {"tasks", "list"}:
        return await tools.run("list_tasks", _listing(rest))
    if name == "done":
        return await tools.run("complete_task", {"task": rest}) if rest else _usage("done")
    lines = "\n".join(f"- `{usage}`: {text}" for _, usage, text in HELP)
    return (
        f"Commands:\n{lines}" if name == "help" else f"There is no command `/{name}`. These exist:\n{lines}"
    )


def _usage(name: str) -> str:
    usage = next(usage for command, usage, _ in HELP if command == f"/{name}")
    return f"Like this: `{usage}`"
