"""A stored conversation as the messages that a model reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.chat.context import ChatMessage, size_in_bytes
from app.chat.tools import as_text

Row = Sequence[Any]  # in the order of repository.MESSAGE


def text_of(parts: list[dict[str, Any]]) -> str:
    """All words of a message."""
    return "".join(part["text"] for part in parts if part["type"] == "text")


def _tool_messages(part: dict[str, Any], identifier: str) -> list[ChatMessage]:
    arguments = json.dumps(part["arguments"], ensure_ascii=False)
    call = {"id": identifier, "type": "function", "function": {"name": part["name"], "arguments": arguments}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": identifier, "content": as_text(part)},
    ]


def assistant_messages(message_id: str, parts: list[dict[str, Any]], native_tools: bool) -> list[ChatMessage]:
    """One assistant message; tool parts become calls and results, or words where the model knows no calls."""
    found: list[ChatMessage] = []
    words: list[str] = []
    for number, part in enumerate(parts):
        if part["type"] == "text":
            words.append(part["text"])
        elif native_tools:
            if words:
                found.append({"role": "assistant", "content": "".join(words)})
                words = []
            found += _tool_messages(part, f"call_{message_id}_{number}")
        else:
            words.append(as_text(part))
    if words:
        found.append(
            {"role": "assistant", "content": "\n".join(words) if not native_tools else "".join(words)}
        )
    return found


def model_messages(rows: Sequence[Row], native_tools: bool) -> list[ChatMessage]:
    """Stored rows, oldest first, as the model reads them. Answers without any content are left out."""
    found: list[ChatMessage] = []
    for row in rows:
        parts = json.loads(row[4])
        if row[2] == "user":
            found.append({"role": "user", "content": text_of(parts)})
        else:
            found += assistant_messages(row[0], parts, native_tools)
    return found


def measured_rate(rows: Sequence[Row], native_tools: bool, fixed_bytes: int) -> float | None:
    """Tokens per byte as the provider's newest report in this conversation has them, None without a report.

    A report about a prompt that had been cut gives too small a rate here, so it is not used.
    """
    for index in range(len(rows) - 1, 0, -1):
        row = rows[index]
        if row[2] != "assistant" or not row[8]:
            continue
        sent = fixed_bytes + sum(
            size_in_bytes(message) for message in model_messages(rows[:index], native_tools)
        )
        rate = row[8] / max(1, sent)
        return rate if rate > 0.1 else None
    return None
