"""Task wishes in plain words, for a model that cannot call tools by itself.

First a few anchored patterns, which are sure. Then, with the local "standard" model only and only when the
text looks like a task, a router: the model fills in constrained JSON at temperature 0. (Measured before this
was built: 65 of 68 sentences right with that model, 15 of 40 with the tiny one, and no right tool
call from either.)
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from app.chat.commands import task_from
from app.chat.days import day_named, split_day

Intent = tuple[str, dict[str, Any]]  # a tool's name and its arguments

_LIST_NAME = r"(?:my |the )?(?:(?:task|to-?do|todo) ?list|tasks|to-?dos|todos|list)"
_ADD = (
    rf"(?:please )?(?:add|put) (?P<what>.+?) (?:to|on|onto|in) {_LIST_NAME}",
    r"(?:please )?(?:add|create|make|new)(?: a| the)?(?: new)? (?:task|to-?do|todo)(?: item)?"
    r"(?::| to| called| named)? (?P<what>.+)",
    r"(?:please )?remind me(?: (?P<when>.{3,30}?))?? to (?P<what>.+)",
    r"(?:task|to-?do|todo): ?(?P<what>.+)",
)
_DONE = (
    r"(?:please )?(?:mark|set|tick off|check off) (?:the )?(?:task )?(?P<what>.+?) "
    r"(?:as )?(?:done|completed?|finished)",
    r"(?:please )?(?:complete|finish|tick off|check off)(?: the)? task (?P<what>.+)",
)
_SHOW = (
    rf"(?:please )?(?:show|list|give)(?: me)?(?: all)?(?: of)? {_LIST_NAME}",
    rf"what(?:'s| is| are|’s)(?: on)? {_LIST_NAME}",
    rf"what do i have (?:to do|on {_LIST_NAME})",
)
_LOOKS_LIKE_A_TASK = re.compile(
    r"\b(tasks?|to-?dos?|todos?|list|remind|reminder|remember to|don't forget|dont forget|add|note|put|"
    r"done|finished|completed?|tick|check off|mark|i need to|i have to|i must|buy|bought|pending|"
    r"left to do)\b",
    re.IGNORECASE,
)
_LONGEST = 300  # characters; longer texts are something to talk about

ROUTER_PROMPT = (
    "You route one message of a user to an action on a task list. Answer with JSON only.\n"
    "add_task: the user wants something put on the list; title is what to do, short.\n"
    "list_tasks: the user asks what is on the list.\n"
    "complete_task: the user says a task is done; title is that task.\n"
    "chat: anything else, also questions about tasks in general.\n"
)
_EXAMPLES = (
    ("I need to call the dentist tomorrow, note that", "add_task", "call the dentist tomorrow"),
    ("don't let me forget to water the plants", "add_task", "water the plants"),
    ("put eggs on it too", "add_task", "eggs"),
    ("what is still open?", "list_tasks", ""),
    ("anything left to do today?", "list_tasks", ""),
    ("I have paid the rent", "complete_task", "pay the rent"),
    ("the report is finished", "complete_task", "report"),
    ("how do I add two fractions?", "chat", ""),
    ("write a short list of fruits", "chat", ""),
)
_SCHEMA = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": ["add_task", "list_tasks", "complete_task", "chat"]},
        "title": {"type": "string", "maxLength": 80},
    },
    "required": ["action", "title"],
    "additionalProperties": False,
}


def by_pattern(text: str, today: date) -> Intent | None:
    """The intent of a text that fits one of the patterns as a whole."""
    plain = " ".join(text.split())
    if len(plain) > _LONGEST:
        return None
    bare = plain.rstrip(" .!?")
    for pattern in _SHOW:
        if re.fullmatch(pattern, bare, re.IGNORECASE):
            return "list_tasks", {"status": "open"}
    for pattern in _DONE:
        found = re.fullmatch(pattern, bare, re.IGNORECASE)
        if found:
            return "complete_task", {"task": _unquoted(found["what"])}
    if plain.endswith("?"):
        return None
    for pattern in _ADD:
        found = re.fullmatch(pattern, bare, re.IGNORECASE)
        if found:
            return _task_to_add(found, today)
    return None


def _task_to_add(found: re.Match[str], today: date) -> Intent | None:
    when = found.groupdict().get("when")
    day = day_named(re.sub(r"^(?:on|by) ", "", when), today) if when else None
    if when and day is None:
        return None  # "remind me later to …": for a model to understand
    title = _unquoted(found["what"])
    arguments = task_from(title, today)
    if day is not None:
        return "add_task", {**arguments, "due_on": day.isoformat()}
    # What stands in quotation marks is a title to the letter.
    return "add_task", arguments if title != found["what"].strip() else _with_day(arguments, today)


def _with_day(arguments: dict[str, Any], today: date) -> dict[str, Any]:
    """The arguments of add_task with a day that ends the title made into the task's own."""
    title, day = split_day(arguments["title"], today)
    if day is None or "due_on" in arguments:
        return arguments
    return {**arguments, "title": title, "due_on": day.isoformat()}


def _unquoted(text: str) -> str:
    return text.strip().strip("\"'“”„«»").strip()


def looks_like_a_task(text: str) -> bool:
    """Whether it is worth a second of the router's time."""
    return len(text) <= _LONGEST and _LOOKS_LIKE_A_TASK.search(text) is not None


def router_request(model: str, text: str) -> dict[str, Any]:
    """The request that makes the model choose."""
    messages: list[dict[str, str]] = [{"role": "system", "content": ROUTER_PROMPT}]
    for sentence, action, title in _EXAMPLES:
        messages.append({"role": "user", "content": sentence})
        messages.append({"role": "assistant", "content": json.dumps({"action": action, "title": title})})
    messages.append({"role": "user", "content": text})
    return {
        "model": model,
        "messages": messages,
        "temperature": 0,
        "max_tokens": 60,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "action", "strict": True, "schema": _SCHEMA},
        },
    }


def from_router(answer: str, text: str, today: date) -> Intent | None:
    """The intent in the router's answer; None for chat and for anything that is not what was asked for."""
    try:
        chosen = json.loads(answer)
    except ValueError:
        return None
    if not isinstance(chosen, dict):
        return None
    title = str(chosen.get("title") or "").strip()[:80]
    if chosen.get("action") == "list_tasks":
        return "list_tasks", {"status": "open"}
    if chosen.get("action") == "add_task" and title:
        arguments = _with_day({"title": title}, today)
        _, day = split_day(text.rstrip(" .!"), today)  # which the title may have left out
        return "add_task", arguments if day is None else {"due_on": day.isoformat(), **arguments}
    if chosen.get("action") == "complete_task" and title:
        return "complete_task", {"task": title}
    return None
