"""Field types that every request shares."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field, StringConstraints

from app.core.identifiers import is_id
from app.problems import Problem


def _without_nul(text: str) -> str:
    # PostgreSQL cannot store U+0000 in text, SQLite cuts there when searching.
    if "\0" in text:
        raise ValueError("must not contain the character U+0000")
    return text


PlainText = Annotated[
    str, AfterValidator(_without_nul), Field(json_schema_extra={"pattern": "^[^\\u0000]*$"})
]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_without_nul)
]


def checked_id(text: str, what: str) -> str:
    """`text` when it can be an id, else the same 404 as for one that does not exist."""
    if not is_id(text):
        raise Problem(404, f"{what}-not-found", f"There is no such {what}.")
    return text


def _identifier(what: str) -> AfterValidator:
    # A Problem is no ValueError, so pydantic lets it through: 404 instead of 422.
    return AfterValidator(lambda text: checked_id(text, what))


_EXAMPLE = "01j9zq3k4v5w6x7y8z9abc"
TaskId = Annotated[str, Path(description="Id of the task.", examples=[_EXAMPLE]), _identifier("task")]
ConversationId = Annotated[
    str, Path(description="Id of the conversation.", examples=[_EXAMPLE]), _identifier("conversation")
]
MessageId = Annotated[
    str, Path(description="Id of the message.", examples=[_EXAMPLE]), _identifier("message")
]
