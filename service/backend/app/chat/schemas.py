"""What goes in and out of the chat routes. The event shapes are written down in API.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import iso
from app.core.fields import PlainText, Title
from app.core.identifiers import is_id
from app.tasks.schemas import Task

LONGEST_MESSAGE = 16_000  # characters
_ID = "01j9zq3k4v5w6x7y8z9abc"
_TIME = "2026-03-01T09:30:00.123Z"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChatRequest(_Request):
    """A message to the model, a slash command, or a changed message that replaces an earlier one."""

    message: Annotated[
        PlainText, Field(min_length=1, max_length=LONGEST_MESSAGE, examples=["/add Buy milk #home"])
    ]
    conversation_id: Annotated[
        str | None, Field(max_length=64, description="None begins a conversation.", examples=[None])
    ] = None
    replace_message_id: Annotated[
        str | None,
        Field(max_length=64, description="A user message; it and all after it go.", examples=[None]),
    ] = None

    def names_possible_ids(self) -> bool:
        """Whether the ids could exist at all."""
        return all(name is None or is_id(name) for name in (self.conversation_id, self.replace_message_id))


class NewConversation(_Request):
    """A conversation without messages."""

    title: Annotated[Title, Field(examples=["Groceries"])] = "New conversation"


class RenameConversation(_Request):
    """A conversation's new title."""

    title: Annotated[Title, Field(examples=["Groceries"])]


class PageQuery(_Request):
    """One page of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=2000)] = ""


class ConversationQuery(PageQuery):
    """Which conversations."""

    search: Annotated[PlainText, Field(max_length=200, description="Words in the title.")] = ""


class Conversation(BaseModel):
    """A conversation without its messages."""

    id: str = Field(examples=[_ID])
    title: str = Field(examples=["Groceries"])
    created_at: str = Field(examples=[_TIME])
    updated_at: str = Field(examples=[_TIME])


class ConversationPage(BaseModel):
    """One page of conversations, the newest first."""

    items: list[Conversation]
    next_cursor: str | None = Field(examples=[None])


class TextPart(BaseModel):
    """Markdown."""

    type: Literal["text"]
    text: str = Field(examples=["Here is your list."])


class Undo(BaseModel):
    """A request to this API that takes a tool's change back."""

    label: str = Field(examples=["Undo"])
    method: str = Field(examples=["DELETE"])
    path: str = Field(examples=[f"/api/tasks/{_ID}"])
    body: dict[str, Any] | None = Field(examples=[None])


class ToolPart(BaseModel):
    """Something that was done for the user."""

    type: Literal["tool"]
    name: str = Field(examples=["add_task"])
    arguments: dict[str, Any] = Field(examples=[{"title": "Buy milk"}])
    ok: bool
    summary: str = Field(examples=["Added “Buy milk”."])
    tasks: list[Task]
    undo: Undo | None


class MessageError(BaseModel):
    """Why there is no (or no whole) answer."""

    code: str = Field(examples=["provider-timeout"])
    message: str = Field(examples=["The model did not answer in time."])


class Message(BaseModel):
    """One message; its parts in order are what is shown."""

    id: str = Field(examples=[_ID])
    role: Literal["user", "assistant"]
    status: Literal["streaming", "complete", "stopped", "interrupted", "failed"]
    parts: list[TextPart | ToolPart]
    model: str | None = Field(examples=["gpt-4o-mini"])
    error: MessageError | None = Field(examples=[None])
    prompt_tokens: int | None = Field(examples=[120])
    completion_tokens: int | None = Field(examples=[30])
    created_at: str = Field(examples=[_TIME])


class MessagePage(BaseModel):
    """One page of messages, the oldest first; the next page holds older ones."""

    items: list[Message]
    next_cursor: str | None = Field(examples=[None])


class Stopped(BaseModel):
    """Whether there was an answer to stop."""

    stopped: bool


class Model(BaseModel):
    """Which model answers."""

    name: str = Field(examples=["gpt-4o-mini"])
    kind: Literal["local-demo", "openai", "other"]
    size: Literal["standard", "tiny"] | None = Field(examples=[None])
    label: str = Field(examples=["OpenAI gpt-4o-mini"])
    tools: Literal["native", "router", "patterns", "off"]
    available: bool | None = Field(description="None: not known yet.", examples=[True])
    context_tokens: int = Field(examples=[128000])


class Command(BaseModel):
    """One slash command."""

    command: str = Field(examples=["/add"])
    usage: str = Field(examples=["/add Buy milk #home due:2026-03-04"])
    description: str = Field(examples=["Add a task."])


class Commands(BaseModel):
    """All slash commands."""

    items: list[Command]


class Usage(BaseModel):
    """What a user has used in this month (UTC)."""

    month: str = Field(examples=["2026-03"])
    requests: int = Field(examples=[9])
    prompt_tokens: int = Field(examples=[1200])
    completion_tokens: int = Field(examples=[340])
    cost_usd: float = Field(examples=[0.0004])
    limit_tokens: int = Field(description="0 means no limit.", examples=[2000000])
    remaining_tokens: int | None = Field(examples=[1998460])
    resets_at: str = Field(examples=["2026-04-01T00:00:00.000Z"])


def shown_conversation(row: Sequence[Any]) -> dict[str, Any]:
    """A row, in the order of `repository.CONVERSATION`, as the API shows it."""
    return {"id": row[0], "title": row[1], "created_at": iso(row[2]), "updated_at": iso(row[3])}


def shown_message(row: Sequence[Any]) -> dict[str, Any]:
    """A row, in the order of `repository.MESSAGE`, as the API shows it."""
    return {
        "id": row[0],
        "role": row[2],
        "status": row[3],
        "parts": json.loads(row[4]),
        "model": row[5],
        "error": json.loads(row[6]) if row[6] else None,
        "prompt_tokens": row[8],
        "completion_tokens": row[9],
        "created_at": iso(row[10]),
    }
