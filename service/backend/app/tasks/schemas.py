"""What goes in and out of the task routes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import to_json

from app.core.clock import iso
from app.core.fields import PlainText, Title
from app.core.identifiers import ID_PATTERN, is_id

_TAG = re.compile(r"[\w][\w -]{0,31}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _tag(text: str) -> str:
    tag = " ".join(text.split()).lower()
    if not _TAG.fullmatch(tag) or len(tag) > 32:
        raise ValueError("a tag has 1 to 32 letters, digits, spaces, '-' or '_'")
    return tag


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def _iso_date(value: object) -> object:
    # Pydantic would also take numbers and times; one form is enough.
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2026-03-04")
    if not isinstance(value, str | date) and value is not None:
        raise ValueError("must be a date such as 2026-03-04")
    return value


Tag = Annotated[
    str,
    Field(min_length=1, max_length=32, examples=["home"], json_schema_extra={"pattern": r"^\w[\w -]*$"}),
    AfterValidator(_tag),
]
Tags = Annotated[list[Tag], Field(max_length=10, examples=[["home"]]), AfterValidator(_unique)]
DueDate = Annotated[
    date,
    BeforeValidator(_iso_date),
    WithJsonSchema({"type": "string", "format": "date"}),
    Field(examples=["2026-03-04"]),
]
Notes = Annotated[PlainText, Field(max_length=10_000, examples=["Two litres"])]
Status = Literal["open", "done", "all"]
Sort = Literal[
    "position", "-position", "created", "-created", "updated", "-updated", "due", "-due", "title", "-title"
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewTask(_Request):
    """A task to be."""

    title: Annotated[Title, Field(examples=["Buy milk"])]
    notes: Notes = ""
    due_on: DueDate | None = None
    tags: Tags = []


class TaskChanges(_Request):
    """Any of these; what is left out stays as it is."""

    title: Annotated[Title, Field(examples=["Buy oat milk"])] = ""
    notes: Notes = ""
    due_on: DueDate | None = None
    tags: Tags = []
    done: bool = False

    def given(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _after(value: str | None) -> str | None:
    if value is not None and not is_id(value):
        raise ValueError("is not the id of a task")
    return value


class Move(_Request):
    """Where a task goes: behind another one, or to the top."""

    after: Annotated[
        str | None,
        AfterValidator(_after),
        Field(examples=[None]),
        WithJsonSchema({"anyOf": [{"type": "string", "pattern": ID_PATTERN}, {"type": "null"}]}),
    ]


class TaskQuery(_Request):
    """Which tasks, in which order, and from where on."""

    status: Status = "all"
    search: Annotated[PlainText, Field(max_length=200, description="Words in title or notes.")] = ""
    tag: Annotated[PlainText, Field(max_length=32)] = ""
    due_from: DueDate | None = None
    due_to: DueDate | None = None
    sort: Sort = "position"
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=2000)] = ""


class Task(BaseModel):
    """One task."""

    id: str = Field(examples=["01j9zq3k4v5w6x7y8z9abc"])
    title: str = Field(examples=["Buy milk"])
    notes: str = Field(examples=[""])
    done: bool = Field(examples=[False])
    done_at: str | None = Field(examples=[None])
    due_on: str | None = Field(examples=["2026-03-04"])
    tags: list[str] = Field(examples=[["home"]])
    position: float = Field(examples=[1024.0])
    version: int = Field(examples=[1])
    created_at: str = Field(examples=["2026-03-01T09:30:00.123Z"])
    updated_at: str = Field(examples=["2026-03-01T09:30:00.123Z"])


class TaskPage(BaseModel):
    """One page of tasks."""

    items: list[Task]
    next_cursor: str | None = Field(examples=[None])


@lru_cache(4096)
def _tags(text: str) -> list[str]:
    tags: list[str] = json.loads(text)
    return tags


_LONGEST_KEPT = 500  # characters of notes; longer ones would fill the memory


@lru_cache(4096)
def _kept(row: Sequence[Any]) -> bytes:
    return to_json(shown(row))


def page_json(rows: Sequence[Sequence[Any]], cursor: str | None) -> bytes:
    """A TaskPage as JSON. A row that has not changed since it was last shown is not put into words again."""
    items = [_kept(row) if len(row[2]) <= _LONGEST_KEPT else to_json(shown(row)) for row in rows]
    return b'{"items":[' + b",".join(items) + b'],"next_cursor":' + to_json(cursor) + b"}"


def shown(row: Sequence[Any]) -> dict[str, Any]:
    """A row, in the order of `repository.COLUMNS`, as the API shows it; its list of tags is shared."""
    done_ms = row[4]
    return {
        "id": row[0],
        "title": row[1],
        "notes": row[2],
        "done": bool(row[3]),
        "done_at": None if done_ms is None else iso(done_ms),
        "due_on": row[5],
        "tags": _tags(row[6]),
        "position": row[7],
        "version": row[8],
        "created_at": iso(row[9]),
        "updated_at": iso(row[10]),
    }
