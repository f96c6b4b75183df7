"""Conversations and their messages, apart from the answering."""

from __future__ import annotations

from typing import Any

from app.chat.messages import not_found, shown_answer
from app.chat.registry import Answers
from app.chat.repository import ChatRepository, Row
from app.chat.schemas import ConversationQuery, PageQuery, shown_conversation, shown_message
from app.core import cursors
from app.core.clock import now_ms
from app.core.identifiers import new_id
from app.tasks.repository import escaped


class Conversations:
    """All operations take the owner's id first and answer 404 for anybody else's conversations."""

    def __init__(self, repository: ChatRepository, answers: Answers):
        self._repository = repository
        self._answers = answers

    async def page(self, user_id: str, query: ConversationQuery) -> dict[str, Any]:
        """One page of conversations."""
        after = None
        if query.cursor:
            value, last = cursors.decode(query.cursor, "conversations", int, str)
            after = (value, last)
        search = query.search.strip().casefold()
        pattern = f"%{escaped(search)}%" if search else None
        rows = await self._repository.page(user_id, query.limit + 1, pattern, after)
        cursor = None
        if len(rows) > query.limit:
            rows = rows[: query.limit]
            cursor = cursors.encode("conversations", rows[-1][3], rows[-1][0])
        return {"items": [shown_conversation(row) for row in rows], "next_cursor": cursor}

    async def create(self, user_id: str, title: str) -> dict[str, Any]:
        """A conversation without messages."""
        row = (new_id(), title, now_ms(), now_ms())
        async with self._repository.database.write() as connection:
            await self._repository.add_conversation(connection, user_id, row)
        return shown_conversation(row)

    async def get(self, user_id: str, conversation_id: str) -> dict[str, Any]:
        """One conversation."""
        return shown_conversation(await self.own(user_id, conversation_id))

    async def rename(self, user_id: str, conversation_id: str, title: str) -> dict[str, Any]:
        """Change a conversation's title."""
        if not await self._repository.rename(user_id, conversation_id, title):
            raise not_found("conversation")
        return await self.get(user_id, conversation_id)

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Delete a conversation; an answer being written in it is stopped."""
        await self.own(user_id, conversation_id)
        await self._answers.stop_all(self._answers.in_conversation(conversation_id))
        if not await self._repository.delete(user_id, conversation_id):
            raise not_found("conversation")

    async def messages(self, user_id: str, conversation_id: str, query: PageQuery) -> dict[str, Any]:
        """One page of messages, from the newest backwards, each page oldest first."""
        await self.own(user_id, conversation_id)
        before = None
        if query.cursor:
            (value,) = cursors.decode(query.cursor, "messages", int)
            before = max(-1, min(int(value), 2**31 - 1))
        rows = await self._repository.newest(user_id, conversation_id, query.limit + 1, before)
        cursor = cursors.encode("messages", rows[query.limit - 1][1]) if len(rows) > query.limit else None
        items = [self._current(row) for row in reversed(rows[: query.limit])]
        return {"items": items, "next_cursor": cursor}

    def _current(self, row: Row) -> dict[str, Any]:
        answer = self._answers.get(row[0])
        return shown_answer(answer) if answer is not None else shown_message(row)

    async def own(self, user_id: str, conversation_id: str) -> Row:
        """The row of one's own conversation."""
        row = await self._repository.conversation(user_id, conversation_id)
        if row is None:
            raise not_found("conversation")
        return row
