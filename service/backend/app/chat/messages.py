"""Answers and titles in the shapes of the API."""

from __future__ import annotations

import json
from typing import Any

from app.chat.answer import Answer
from app.chat.repository import Row
from app.core.clock import iso
from app.problems import Problem

_TITLE = 60


def not_found(what: str) -> Problem:
    """The 404 for something that does not exist or is somebody else's."""
    return Problem(404, f"{what}-not-found", f"There is no such {what}.")


def in_progress() -> Problem:
    """The 409 for a second answer at the same time."""
    return Problem(
        409, "answer-in-progress", "An answer is being written in this conversation. Stop it first."
    )


def title_from(text: str) -> str:
    """A conversation's title: the first line of its first message, cut at a word."""
    line = " ".join((text.strip().splitlines() or [""])[0].split()) or "New conversation"
    if len(line) <= _TITLE:
        return line
    cut = line[:_TITLE].rsplit(" ", 1)[0]
    return f"{cut if len(cut) > _TITLE // 2 else line[:_TITLE]}…"


def shown_answer(answer: Answer) -> dict[str, Any]:
    """An answer as a Message of the API."""
    error = answer.error
    return {
        "id": answer.message_id,
        "role": "assistant",
        "status": answer.status,
        "parts": answer.parts,
        "model": answer.model,
        "error": {"code": error["code"], "message": error["message"]} if error else None,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "created_at": iso(answer.created_ms),
    }


def answer_of_row(row: Row, conversation_id: str, user_id: str) -> Answer:
    """A stored assistant message as an answer."""
    error = json.loads(row[6]) if row[6] else None
    return Answer(
        row[0],
        conversation_id,
        user_id,
        row[10],
        row[5],
        parts=json.loads(row[4]),
        status=row[3],
        finish_reason=row[7],
        error={**error, "retryable": True} if error else None,
        prompt_tokens=row[8],
        completion_tokens=row[9],
        ended=row[3] != "streaming",
    )
