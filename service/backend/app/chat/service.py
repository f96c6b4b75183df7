"""Conversations and the answers being written in them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.chat import days
from app.chat.accounting import Accounting
from app.chat.answer import START, Answer, Position, event, parse_position
from app.chat.conversations import Conversations
from app.chat.history import measured_rate, model_messages, text_of
from app.chat.messages import answer_of_row, in_progress, not_found, shown_answer, title_from
from app.chat.model import ModelInformation
from app.chat.provider import Provider
from app.chat.registry import Answers
from app.chat.repository import MOST_HISTORY, ChatRepository, Row
from app.chat.schemas import ChatRequest, shown_conversation
from app.chat.stream import EventStream
from app.chat.tools import DEFINITION_BYTES
from app.chat.writer import Job, Writer, system_text
from app.core.clock import iso, now_ms
from app.core.database import Database
from app.core.identifiers import new_id
from app.problems import Problem
from app.settings import Settings
from app.tasks.service import TaskService

_log = logging.getLogger("app.chat")
DEAD_MS = 25_000  # an answer without a sign of life for this long has lost its writer
_RESUMABLE_MS = 10 * 60_000


class ChatService:
    """Everything under `/api/chat` and `/api/conversations`."""

    def __init__(self, database: Database, tasks: TaskService, settings: Settings, draining: asyncio.Event):
        self._database = database
        self._settings = settings
        self._repository = ChatRepository(database)
        self._provider = Provider(settings)
        self.information = ModelInformation(settings, self._provider)
        self.accounting = Accounting(database, self.information.abilities, settings.chat_monthly_token_limit)
        self._writer = Writer(
            settings, self._provider, self.information, self.accounting, self._repository, tasks
        )
        self._answers = Answers(self._repository, self._provider, settings, draining)
        self.conversations = Conversations(self._repository, self._answers)
        self.run = self._answers.run
        self.close = self._answers.close

    async def ask(self, user_id: str, request: ChatRequest, today: date) -> EventStream:
        """Take a message and begin the answer to it."""
        if not request.names_possible_ids():
            raise not_found("conversation")
        if request.replace_message_id and not request.conversation_id:
            raise Problem(422, "invalid-request", "replace_message_id needs a conversation_id.")
        left = await self._before_answering(user_id)
        conversation: Row
        rows: list[Row] = []
        replaced: int | None = None
        if request.conversation_id:
            conversation = await self.conversations.own(user_id, request.conversation_id)
            rows = await self._idle_history(user_id, request.conversation_id)
            if request.replace_message_id:
                message = await self._repository.message(
                    user_id, request.conversation_id, request.replace_message_id
                )
                if message is None or message[2] != "user":
                    raise not_found("message")
                replaced = int(message[1])
        else:
            conversation = (new_id(), title_from(request.message), now_ms(), now_ms())
        last = rows[-1][1] if rows else 0
        if replaced is not None:
            rows = [row for row in rows if row[1] < replaced]
        user_row = self._user_row(conversation[0], last + 1, request.message)
        renamed = title_from(request.message) if not rows and request.conversation_id else None

        async def store(connection: Any, answer_row: dict[str, Any]) -> None:
            if not request.conversation_id:
                await self._repository.add_conversation(connection, user_id, conversation)
            # Always the conversation first, then its messages: whoever deletes it locks in this order too.
            if renamed and conversation[1] in {"New conversation", ""}:
                changes = {"title": renamed, "search_key": renamed.casefold()[:400]}
                await self._repository.touch(connection, conversation[0], **changes)
            elif request.conversation_id:
                await self._repository.touch(connection, conversation[0])
            if replaced is not None:
                await self._repository.delete_from(connection, conversation[0], replaced)
            await self._repository.add_messages(connection, [user_row, answer_row])

        shown = shown_conversation(conversation)
        if renamed and conversation[1] in {"New conversation", ""}:
            shown["title"] = renamed
        shown_user = {
            "id": user_row["id"],
            "role": "user",
            "status": "complete",
            "parts": json.loads(user_row["parts"]),
            "model": None,
            "error": None,
            "prompt_tokens": None,
            "completion_tokens": None,
            "created_at": iso(user_row["created_ms"]),
        }
        return await self._begin(
            user_id, shown, request.message, rows, last + 2, store, shown_user, left, today
        )

    async def regenerate(self, user_id: str, conversation_id: str, today: date) -> EventStream:
        """Answer the last message once more, in place of the answer it has."""
        left = await self._before_answering(user_id)
        conversation = await self.conversations.own(user_id, conversation_id)
        rows = await self._idle_history(user_id, conversation_id)
        last = rows[-1][1] if rows else 0
        old = rows.pop() if rows and rows[-1][2] == "assistant" else None
        if not rows or rows[-1][2] != "user":
            raise Problem(409, "nothing-to-regenerate", "There is no message to answer.")
        if old is not None and _changed_something(old):
            raise Problem(
                409,
                "nothing-to-regenerate",
                "That answer changed your tasks; send the message again instead.",
            )
        text = text_of(json.loads(rows[-1][4]))

        async def store(connection: Any, answer_row: dict[str, Any]) -> None:
            await self._repository.touch(connection, conversation_id)
            if old is not None:
                await self._repository.delete_from(connection, conversation_id, old[1])
            await self._repository.add_messages(connection, [answer_row])

        return await self._begin(
            user_id, shown_conversation(conversation), text, rows[:-1], last + 1, store, None, left, today
        )

    async def stop(self, user_id: str, conversation_id: str) -> bool:
        """Stop the answer being written; True when there was one."""
        await self.conversations.own(user_id, conversation_id)
        here = self._answers.in_conversation(conversation_id)
        if here:
            await self._answers.stop_all(here)
            return True
        rows = await self._repository.newest(user_id, conversation_id, 1)
        if rows and rows[0][3] == "streaming":
            # Written by another replica, which looks every few seconds, or by one that is no more.
            return await self._repository.end_orphan(rows[0][0], "stopped", now_ms())
        return False

    async def resume(
        self, user_id: str, conversation_id: str, message_id: str, last_event_id: str | None
    ) -> EventStream:
        """The stream of an answer from just after an event."""
        conversation = await self.conversations.own(user_id, conversation_id)
        position = parse_position(last_event_id)
        answer = self._answers.get(message_id)
        if answer is not None and answer.stop_reason == "interrupted" and answer.task is not None:
            # It was just given up because nobody watched; once that is stored, it can be taken up again.
            await asyncio.wait({answer.task}, timeout=5)
            answer = self._answers.get(message_id)
        if answer is None:
            row = await self._repository.message(user_id, conversation_id, message_id)
            if row is None or row[2] != "assistant":
                raise not_found("message")
            answer = self._answers.get(message_id)  # it may have come to life meanwhile
            if answer is None:
                answer = answer_of_row(row, conversation_id, user_id)
                if not answer.ended or (last_event_id and position and self._may_go_on(answer, row)):
                    answer.ended = False
                    self._answers.keep(
                        answer, asyncio.create_task(self._take_over(answer, position or START))
                    )
        elif answer.conversation_id != conversation_id:
            raise not_found("message")
        return self._stream(answer, position, shown_conversation(conversation), None)

    async def forget_user(self, user_id: str) -> None:
        """Stop everything that is being written for a user who is about to go."""
        await self._answers.stop_all(self._answers.of_user(user_id))

    # -- inner parts -----------------------------------------------------------------------------

    async def _before_answering(self, user_id: str) -> int | None:
        if self._answers.draining.is_set():
            raise Problem(503, "shutting-down", "This server is going away. Try again.", {"Retry-After": "1"})
        return await self.accounting.require_some(user_id)

    async def _idle_history(self, user_id: str, conversation_id: str) -> list[Row]:
        """The messages, oldest first. Raises a 409 problem while an answer is being written."""
        if conversation_id in self._answers.busy:
            raise in_progress()
        rows = list(await self._repository.newest(user_id, conversation_id, MOST_HISTORY))
        if rows and rows[0][3] == "streaming":
            deadline = now_ms() - DEAD_MS
            if not await self._repository.end_orphan(rows[0][0], "interrupted", deadline):
                raise in_progress()
        return rows[::-1]

    @staticmethod
    def _user_row(conversation_id: str, sequence: int, text: str) -> dict[str, Any]:
        now = now_ms()
        return {
            "id": new_id(),
            "conversation_id": conversation_id,
            "sequence": sequence,
            "role": "user",
            "status": "complete",
            "parts": json.dumps([{"type": "text", "text": text}], ensure_ascii=False),
            "model": None,
            "created_ms": now,
            "updated_ms": now,
        }

    async def _begin(
        self,
        user_id: str,
        conversation: dict[str, Any],
        text: str,
        rows: Sequence[Row],
        sequence: int,
        store: Any,
        user_message: dict[str, Any] | None,
        tokens_left: int | None,
        today: date,
    ) -> EventStream:
        """Start writing and storing at the same time: the first word takes longer than the disk."""
        conversation_id = conversation["id"]
        if conversation_id in self._answers.busy:
            raise in_progress()
        answer = Answer(new_id(), conversation_id, user_id, now_ms(), self._settings.openai_model)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        job = self._job(text, rows, stored, today)
        job.tokens_left = tokens_left
        self._answers.keep(answer, asyncio.create_task(self._writer.run(answer, job)))
        answer_row = {
            **self._user_row(conversation_id, sequence, ""),
            "id": answer.message_id,
            "role": "assistant",
            "status": "streaming",
            "parts": "[]",
            "model": answer.model,
        }
        try:
            async with self._database.write() as connection:
                await store(connection, answer_row)
        except BaseException as error:
            stored.cancel()
            answer.stop("interrupted")
            if isinstance(error, IntegrityError):
                raise in_progress() from None
            raise
        stored.set_result(None)
        answer.stored = True
        return self._stream(answer, START, conversation, user_message)

    def _job(self, text: str, rows: Sequence[Row], stored: asyncio.Future[None], today: date) -> Job:
        native = self.information.tools() == "native"
        fixed = len(system_text(self._settings, today).encode()) + (DEFINITION_BYTES if native else 0)
        history = [*model_messages(rows, native), {"role": "user", "content": text}]
        return Job(text, history, stored, today, measured_rate(rows, native, fixed))

    def _stream(
        self,
        answer: Answer,
        position: Position | None,
        conversation: dict[str, Any],
        user_message: dict[str, Any] | None,
    ) -> EventStream:
        message = {**shown_answer(answer), "parts": []}
        start = {"conversation": conversation, "user_message": user_message, "message": message}
        identifier = "0:0" if position == START else None
        opening = event("start", start, identifier)
        return EventStream(answer, position, opening, shown_answer, self._settings.chat_heartbeat_seconds)

    def _may_go_on(self, answer: Answer, row: Row) -> bool:
        recent = now_ms() - row[11] < _RESUMABLE_MS
        return answer.status == "interrupted" and recent and answer.conversation_id not in self._answers.busy

    async def _take_over(self, answer: Answer, position: Position) -> None:
        """Wait until another replica has let go of an answer, then write the rest of it if there is any."""
        try:
            await self._let_go(answer)
            rows = list(await self._repository.newest(answer.user_id, answer.conversation_id, MOST_HISTORY))
            if answer.status != "interrupted" or not rows or rows[0][0] != answer.message_id:
                answer.end()
                return
            if not _has_seen_only(answer.parts, position) or len(rows) < 2 or self._answers.draining.is_set():
                answer.end()
                return
            left = await self.accounting.require_some(answer.user_id)
            if not await self._repository.claim(answer.message_id):
                answer.status = (
                    "streaming"  # another replica was faster; its words come by way of the database
                )
                await self._let_go(answer)
                return
            answer.status, answer.finish_reason, answer.error = "streaming", None, None
            answer.stored = True
            stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            stored.set_result(None)
            earlier = rows[:0:-1]
            # Whoever watches did not say where; the date was told when the answer was begun.
            job = self._job(text_of(json.loads(earlier[-1][4])), earlier[:-1], stored, days.today(None))
            job.continuing, job.tokens_left = True, left
            await self._writer.run(answer, job)
        except asyncio.CancelledError:
            pass
        except Exception:
            _log.exception("answer not taken over")
        finally:
            answer.end()

    async def _let_go(self, answer: Answer) -> None:
        while answer.status == "streaming":
            row = await self._repository.message(answer.user_id, answer.conversation_id, answer.message_id)
            if row is None:
                answer.status = answer.finish_reason = "interrupted"
            elif row[3] != "streaming":
                now = answer_of_row(row, answer.conversation_id, answer.user_id)
                answer.parts, answer.error = now.parts, now.error
                answer.status, answer.finish_reason = now.status, now.finish_reason
                answer.prompt_tokens, answer.completion_tokens = now.prompt_tokens, now.completion_tokens
                answer.wake()
            elif not await self._repository.end_orphan(answer.message_id, "interrupted", now_ms() - DEAD_MS):
                await asyncio.sleep(0.2)


def _changed_something(row: Row) -> bool:
    return any(
        part["type"] == "tool" and part["ok"] and part["name"] != "list_tasks" for part in json.loads(row[4])
    )


def _has_seen_only(parts: list[dict[str, Any]], position: Position) -> bool:
    """Whether everything a client has seen is in what was stored (a killed process may have lost some)."""
    index, offset = position
    if not parts:
        return position == START
    if index >= len(parts):
        return False
    return parts[index]["type"] != "text" or offset <= len(parts[index]["text"])
