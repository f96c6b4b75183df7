"""Conversations and messages in the database. Everything is reached through its owner."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import now_ms
from app.core.database import Database, Statement
from app.core.tables import conversations, messages

Row = Sequence[Any]
CONVERSATION = (
    conversations.c.id,
    conversations.c.title,
    conversations.c.created_ms,
    conversations.c.updated_ms,
)
MESSAGE = (
    messages.c.id,
    messages.c.sequence,
    messages.c.role,
    messages.c.status,
    messages.c.parts,
    messages.c.model,
    messages.c.error,
    messages.c.finish_reason,
    messages.c.prompt_tokens,
    messages.c.completion_tokens,
    messages.c.created_ms,
    messages.c.updated_ms,
)
MOST_HISTORY = 400  # messages looked at for one answer; far more than fit any window worth paying for

_OWN = (conversations.c.id == bindparam("conversation_id")) & (
    conversations.c.user_id == bindparam("user_id")
)
_ONE = Statement(select(*CONVERSATION).where(_OWN))
_MESSAGE = Statement(
    select(*MESSAGE)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(_OWN, messages.c.id == bindparam("message_id"))
)


@lru_cache(8)
def _page(searching: bool, resumed: bool) -> Statement:
    statement = select(*CONVERSATION).where(conversations.c.user_id == bindparam("user_id"))
    if searching:
        pattern = bindparam("search", type_=String)
        statement = statement.where(conversations.c.search_key.like(pattern, escape="\\"))
    if resumed:
        value = bindparam("value", type_=conversations.c.updated_ms.type)
        last = bindparam("last", type_=conversations.c.id.type)
        column = conversations.c.updated_ms
        statement = statement.where((column < value) | ((column == value) & (conversations.c.id < last)))
    statement = statement.order_by(conversations.c.updated_ms.desc(), conversations.c.id.desc())
    return Statement(statement.limit(bindparam("limit")))


@lru_cache(2)
def _newest(resumed: bool) -> Statement:
    statement = (
        select(*MESSAGE)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(_OWN)
        .order_by(messages.c.sequence.desc())
        .limit(bindparam("limit"))
    )
    if resumed:
        statement = statement.where(messages.c.sequence < bindparam("before", type_=messages.c.sequence.type))
    return Statement(statement)


class ChatRepository:
    """Statements about conversations; those that take a connection belong to the caller's transaction."""

    def __init__(self, database: Database):
        self.database = database

    async def page(
        self, user_id: str, limit: int, search: str | None, after: tuple[Any, Any] | None
    ) -> Sequence[Row]:
        """Conversations, the most recently used first."""
        value, last = after or (None, None)
        statement = _page(search is not None, after is not None)
        return await self.database.read(
            statement, user_id=user_id, limit=limit, search=search, value=value, last=last
        )

    async def conversation(self, user_id: str, conversation_id: str) -> Row | None:
        """A conversation of this user."""
        return await self.database.read_one(_ONE, user_id=user_id, conversation_id=conversation_id)

    async def message(self, user_id: str, conversation_id: str, message_id: str) -> Row | None:
        """A message in a conversation of this user."""
        return await self.database.read_one(
            _MESSAGE, user_id=user_id, conversation_id=conversation_id, message_id=message_id
        )

    async def newest(
        self, user_id: str, conversation_id: str, limit: int, before: int | None = None
    ) -> Sequence[Row]:
        """The newest messages (older than the sequence number `before`), the newest first."""
        return await self.database.read(
            _newest(before is not None),
            user_id=user_id,
            conversation_id=conversation_id,
            limit=limit,
            before=before,
        )

    async def add_conversation(self, connection: AsyncConnection, user_id: str, row: Row) -> None:
        """Insert a conversation."""
        values = {
            "id": row[0],
            "user_id": user_id,
            "title": row[1],
            "search_key": row[1].casefold()[:400],
            "created_ms": row[2],
            "updated_ms": row[3],
        }
        await connection.execute(insert(conversations).values(values))

    async def touch(self, connection: AsyncConnection, conversation_id: str, **values: Any) -> None:
        """Mark a conversation as used just now, and change what is given."""
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(updated_ms=now_ms(), **values)
        )

    async def rename(self, user_id: str, conversation_id: str, title: str) -> bool:
        """Change the title; False when there is no such conversation."""
        async with self.database.write() as connection:
            changed = await connection.execute(
                update(conversations)
                .where(conversations.c.id == conversation_id, conversations.c.user_id == user_id)
                .values(title=title, search_key=title.casefold()[:400])
            )
        return bool(changed.rowcount)

    async def delete(self, user_id: str, conversation_id: str) -> bool:
        """Delete with all messages; False when there is no such conversation."""
        async with self.database.write() as connection:
            gone = await connection.execute(
                delete(conversations).where(
                    conversations.c.id == conversation_id, conversations.c.user_id == user_id
                )
            )
        return bool(gone.rowcount)

    async def add_messages(self, connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
        """Insert messages."""
        await connection.execute(insert(messages), rows)

    async def delete_from(self, connection: AsyncConnection, conversation_id: str, sequence: int) -> None:
        """Delete the message with this sequence number and all after it."""
        await connection.execute(
            delete(messages).where(
                messages.c.conversation_id == conversation_id, messages.c.sequence >= sequence
            )
        )

    async def change_message(self, connection: AsyncConnection, message_id: str, **values: Any) -> bool:
        """Change columns of a message; False when it is gone."""
        changed = await connection.execute(
            update(messages).where(messages.c.id == message_id).values(updated_ms=now_ms(), **values)
        )
        return bool(changed.rowcount)

    async def signs_of_life(self, message_ids: list[str]) -> set[str]:
        """Mark answers as being written still. Returns those that were ended from elsewhere or deleted."""
        async with self.database.write() as connection:
            alive = await connection.execute(
                update(messages)
                .where(messages.c.id.in_(message_ids), messages.c.status == "streaming")
                .values(updated_ms=now_ms())
                .returning(messages.c.id)
            )
            return set(message_ids) - {row[0] for row in alive}

    async def end_orphan(self, message_id: str, finish: str, since_ms: int) -> bool:
        """End an answer whose writer has given no sign of life since then."""
        async with self.database.write() as connection:
            ended = await connection.execute(
                update(messages)
                .where(
                    messages.c.id == message_id,
                    messages.c.status == "streaming",
                    messages.c.updated_ms <= since_ms,
                )
                .values(status=finish, finish_reason=finish)
            )
        return bool(ended.rowcount)

    async def claim(self, message_id: str) -> bool:
        """Take up an interrupted answer; False when somebody else did."""
        async with self.database.write() as connection:
            claimed = await connection.execute(
                update(messages)
                .where(messages.c.id == message_id, messages.c.status == "interrupted")
                .values(status="streaming", updated_ms=now_ms())
            )
        return bool(claimed.rowcount)
