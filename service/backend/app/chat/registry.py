"""The answers that this process is writing: who watches them, that they live, and how they end in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Iterable

from app.chat.answer import Answer
from app.chat.provider import Provider
from app.chat.repository import ChatRepository
from app.settings import Settings

_log = logging.getLogger("app.chat")
_SIGN_SECONDS = (
    8.0  # how often answers in the making are marked as alive; service.DEAD_MS is three times that
)
_STOP_SECONDS = 5.0
_CLOSING_SECONDS = 2.0  # kept back from the grace time for storing what is there


class Answers:
    """All answers in the making, by message id; at most one in each conversation."""

    def __init__(
        self, repository: ChatRepository, provider: Provider, settings: Settings, draining: asyncio.Event
    ):
        self._repository = repository
        self._provider = provider
        self._settings = settings
        self.draining = draining
        self._answers: dict[str, Answer] = {}
        self.busy: set[str] = set()  # conversations

    def get(self, message_id: str) -> Answer | None:
        """The answer, if it is being written here."""
        return self._answers.get(message_id)

    def in_conversation(self, conversation_id: str) -> list[Answer]:
        """Those (at most one) in this conversation."""
        return [answer for answer in self._answers.values() if answer.conversation_id == conversation_id]

    def of_user(self, user_id: str) -> list[Answer]:
        """Those of this user."""
        return [answer for answer in self._answers.values() if answer.user_id == user_id]

    def keep(self, answer: Answer, task: asyncio.Task[None]) -> None:
        """Look after an answer until its task is done."""
        answer.task = task
        task.add_done_callback(lambda _: self._release(answer))
        self._answers[answer.message_id] = answer
        self.busy.add(answer.conversation_id)
        answer.on_unwatched = self._unwatched

    def _release(self, answer: Answer) -> None:
        self._answers.pop(answer.message_id, None)
        self.busy.discard(answer.conversation_id)

    def _unwatched(self, answer: Answer) -> None:
        asyncio.get_running_loop().call_later(
            self._settings.chat_resume_seconds, self._stop_unwatched, answer
        )

    @staticmethod
    def _stop_unwatched(answer: Answer) -> None:
        if not answer.watchers:
            answer.stop("interrupted")

    @staticmethod
    async def stop_all(answers: Iterable[Answer]) -> None:
        """Stop these and wait until they are stored, so that nothing deletes rows from under them."""
        stopped = list(answers)
        for answer in stopped:
            answer.stop("stopped")
        tasks = {answer.task for answer in stopped if answer.task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)

    async def run(self) -> None:
        """Heartbeats, signs of life, and the orderly end when the process is told to stop."""
        # After the start, and not in the event loop: the import takes longer than all the rest of starting.
        await asyncio.to_thread(self._provider.client)
        # What is loaded by now stays: without this, each full collection walks all modules (some 40 ms).
        gc.collect()
        gc.freeze()
        next_signs = time.monotonic() + _SIGN_SECONDS
        cut_at: float | None = None
        step = min(1.0, self._settings.chat_heartbeat_seconds / 2)
        while True:
            await asyncio.sleep(step)
            now = time.monotonic()
            for answer in list(self._answers.values()):
                for watcher in answer.watchers:
                    if now - watcher.silent_since >= self._settings.chat_heartbeat_seconds:
                        watcher.wake()
            if now >= next_signs and self._answers:
                next_signs = now + _SIGN_SECONDS
                await self._give_signs()
            if self.draining.is_set():
                if cut_at is None:
                    _log.info("draining", extra={"answers": len(self._answers)})
                    grace = self._settings.graceful_timeout_seconds
                    cut_at = now + max(grace / 2, grace - _CLOSING_SECONDS)
                    step = min(step, 0.2)
                elif now >= cut_at:
                    self._cut_all()

    async def _give_signs(self) -> None:
        writing = [
            name
            for name, answer in self._answers.items()
            if answer.stored and not answer.storing and answer.status == "streaming"
        ]
        if not writing:
            return
        try:
            ended = await self._repository.signs_of_life(writing)
        except Exception:
            _log.exception("no signs of life given")
            return
        for message_id in ended:
            answer = self._answers.get(message_id)
            if answer is not None and answer.status == "streaming":
                answer.stop("stopped")

    def _cut_all(self) -> None:
        for answer in list(self._answers.values()):
            if not answer.cut_off:
                answer.cut()
                answer.stop("interrupted")

    async def close(self) -> None:
        """Store what is being written, then let go of the provider."""
        self._cut_all()
        tasks = [answer.task for answer in self._answers.values() if answer.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
        await self._provider.close()
