"""Writes one answer: a command, a recognised wish, or the model's words with the tools it calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.chat import commands, intents
from app.chat.accounting import Accounting
from app.chat.answer import Answer
from app.chat.context import ChatMessage, TokenCounter, fit, size_in_bytes
from app.chat.days import in_words
from app.chat.faults import ProviderFault, too_slow
from app.chat.history import assistant_messages
from app.chat.model import ModelInformation
from app.chat.provider import Finished, Provider, ToolCall, Words
from app.chat.repository import ChatRepository
from app.chat.tools import DEFINITION_BYTES, DEFINITIONS, Tools
from app.core import metrics
from app.settings import Settings
from app.tasks.service import TaskService

_log = logging.getLogger("app.chat")
_MOST_ROUNDS = 5  # completions per answer: four rounds of tools and the words after them
_ROUTER_SECONDS = 15.0
_CONTINUE = " Your last message was cut off. Go on exactly where it stops, without repeating anything."


@dataclass
class Job:
    """What an answer is made from."""

    text: str
    history: list[ChatMessage]
    stored: asyncio.Future[None]
    today: date  # where the user is
    tokens_per_byte: float | None = None
    continuing: bool = False
    tokens_left: int | None = None  # of this month, as known before the first completion


def system_text(settings: Settings, today: date) -> str:
    """What every conversation begins with. Without the date no model knows what "tomorrow" is."""
    return f"{settings.chat_system_prompt} Today is {in_words(today)}.".strip()


class _Tally:
    """Tokens of one answer, over all its completions."""

    def __init__(self) -> None:
        self.requests = 0
        self.prompt = 0
        self.completion = 0
        self.pieces = 0
        self.unreported: list[ChatMessage] | None = None


class Writer:
    """Runs jobs; everything it needs is shared between them."""

    def __init__(
        self,
        settings: Settings,
        provider: Provider,
        information: ModelInformation,
        accounting: Accounting,
        repository: ChatRepository,
        tasks: TaskService,
    ):
        self._settings = settings
        self._provider = provider
        self._information = information
        self._accounting = accounting
        self._repository = repository
        self._tasks = tasks
        self.counter = TokenCounter(
            provider,
            settings.openai_base_url,
            settings.openai_model,
            ask_server=information.abilities.kind != "openai",
        )

    async def run(self, answer: Answer, job: Job) -> None:
        """Write the answer to its end, whatever happens, and store it."""
        tally = _Tally()
        try:
            async with asyncio.timeout(self._settings.provider_total_seconds):
                await self._write(answer, job, tally)
            answer.status = "complete"
            answer.finish_reason = answer.finish_reason or "stop"
        except asyncio.CancelledError:
            answer.status = answer.finish_reason = answer.stop_reason or "interrupted"
        except TimeoutError:
            self._fail(answer, too_slow())
        except ProviderFault as fault:
            self._fail(answer, fault)
        except Exception:
            _log.exception("answer failed")
            self._fail(
                answer, ProviderFault("internal", "Something went wrong on our side. Please try again.")
            )
        answer.storing = True
        try:
            await asyncio.shield(self._store(answer, job, tally))
        except asyncio.CancelledError:
            return  # it was never stored to begin with
        except Exception:
            _log.exception("answer not stored")
            unsaved = ProviderFault("internal", "The answer could not be saved. Please reload the page.")
            answer.status, answer.error = "failed", unsaved.shown()
        metrics.answers.labels(answer.status).inc()
        answer.end()

    @staticmethod
    def _fail(answer: Answer, fault: ProviderFault) -> None:
        answer.status, answer.finish_reason, answer.error = "failed", "error", fault.shown()

    async def _store(self, answer: Answer, job: Job, tally: _Tally) -> None:
        await job.stored
        await self._measure_unreported(answer, tally)
        if tally.requests:
            answer.prompt_tokens, answer.completion_tokens = tally.prompt, tally.completion
            answer.cost_usd = self._accounting.cost_usd(tally.prompt, tally.completion)
        error = answer.error
        async with self._repository.database.write() as connection:
            # The conversation before its messages, as everywhere: two orders could wait for each other.
            await self._repository.touch(connection, answer.conversation_id)
            await self._repository.change_message(
                connection,
                answer.message_id,
                status=answer.status,
                finish_reason=answer.finish_reason,
                parts=json.dumps(answer.parts, ensure_ascii=False),
                error=json.dumps({"code": error["code"], "message": error["message"]}) if error else None,
                prompt_tokens=answer.prompt_tokens,
                completion_tokens=answer.completion_tokens,
            )
            if tally.requests:
                await self._accounting.add(
                    connection, answer.user_id, tally.requests, tally.prompt, tally.completion
                )

    async def _measure_unreported(self, answer: Answer, tally: _Tally) -> None:
        """Count what a completion used when it ended before the provider said so."""
        if tally.unreported is None:
            return
        sizes = None
        with contextlib.suppress(Exception):
            words = {"role": "assistant", "content": answer.text()}
            sizes = await self.counter.by_server([*tally.unreported, words])
        if sizes is not None:
            tally.prompt += sum(sizes[:-1])
            tally.completion += sizes[-1]
        else:
            # One piece of a stream is one token with every provider we know; a prompt in English has
            # about four bytes to a token (OpenAI's rule of thumb).
            tally.prompt += sum(size_in_bytes(message) for message in tally.unreported) // 4
            tally.completion += tally.pieces

    async def _write(self, answer: Answer, job: Job, tally: _Tally) -> None:
        tools = Tools(self._tasks, answer.user_id)
        if not job.continuing and await self._without_words(answer, job, tools):
            return
        await self._with_words(answer, job, tools, tally)
        if not answer.parts:
            raise ProviderFault("provider-failed", "The model gave an empty answer. Please try again.")

    async def _without_words(self, answer: Answer, job: Job, tools: Tools) -> bool:
        """Commands and recognised wishes. True when that was all there was to do."""
        command = commands.parse(job.text)
        if command is not None:
            await asyncio.shield(job.stored)
            done = await commands.run(*command, tools, job.today)
            if isinstance(done, str):
                answer.write(done)
            else:
                answer.add_tool(done)
            return True
        intent = await self._intent(job, answer)
        if intent is None:
            return False
        name, arguments = intent
        await asyncio.shield(job.stored)
        answer.add_tool(await tools.run(name, arguments))
        return True

    async def _intent(self, job: Job, answer: Answer) -> intents.Intent | None:
        mode = self._information.tools()
        if mode not in {"router", "patterns"}:
            return None
        text = job.text
        found = intents.by_pattern(text, job.today)
        if found is not None or mode == "patterns" or not intents.looks_like_a_task(text):
            return found
        try:
            request = intents.router_request(self._settings.openai_model, text)
            chosen = await self._provider.choose(request, _ROUTER_SECONDS)
            found = intents.from_router(chosen, text, job.today)
        except ProviderFault as fault:
            # The words that follow meet the same fault, if it lasts, and report it.
            _log.warning("router failed", extra={"code": fault.code})
            return None
        if found is not None and found[0] == "complete_task":
            # Only a task that exists: a router that errs must not answer a question with "no such task".
            part = await Tools(self._tasks, answer.user_id).open_tasks()
            title = found[1]["task"].casefold()
            if not any(title in task["title"].casefold() for task in part):
                return None
        return found

    async def _with_words(self, answer: Answer, job: Job, tools: Tools, tally: _Tally) -> None:
        abilities = self._information.abilities
        native = self._information.tools() == "native"
        system = system_text(self._settings, job.today) + (_CONTINUE if job.continuing else "")
        fixed: list[ChatMessage] = [{"role": "system", "content": system}]
        history = list(job.history)
        if job.continuing:
            history += assistant_messages(answer.message_id, answer.parts, native)
        budget = abilities.window - abilities.max_output
        overhead = DEFINITION_BYTES if native else 0
        skip = _Skip(answer.parts) if job.continuing else None
        for attempt in range(4):
            messages = await fit(fixed, history, budget, self.counter, job.tokens_per_byte, overhead)
            try:
                await self._rounds(answer, job, tools, tally, messages, native, skip)
                return
            except ProviderFault as fault:
                if fault.code != "context-too-long" or attempt == 3 or tally.pieces:
                    raise
                budget //= 2  # measured by another tokenizer than the model's, it seems

    async def _rounds(
        self,
        answer: Answer,
        job: Job,
        tools: Tools,
        tally: _Tally,
        messages: list[ChatMessage],
        native: bool,
        skip: _Skip | None,
    ) -> None:
        for number in range(_MOST_ROUNDS):
            left = await self._accounting.remaining(answer.user_id) if number else job.tokens_left
            request = self._request(messages, left, native and number + 1 < _MOST_ROUNDS)
            calls, reason = await self._one_completion(answer, request, tally, skip)
            if reason == "length":
                answer.finish_reason = "length"
            if not calls:
                return
            await asyncio.shield(job.stored)
            for index, call in enumerate(calls):
                messages += await self._use(answer, tools, call, f"call_{number}_{index}")

    def _request(self, messages: list[ChatMessage], left: int | None, with_tools: bool) -> dict[str, Any]:
        abilities = self._information.abilities
        if left == 0:
            raise ProviderFault("monthly-limit-reached", "This month's tokens are used up.")
        most = abilities.max_output if left is None else min(abilities.max_output, left)
        # OpenAI's newer models refuse the older name, other servers may not know the newer one.
        limit = "max_completion_tokens" if abilities.kind == "openai" else "max_tokens"
        request: dict[str, Any] = {
            "model": self._settings.openai_model,
            "messages": messages,
            limit: most,
            "stream_options": {"include_usage": True},
        }
        if with_tools:
            request["tools"] = DEFINITIONS
        return request

    async def _one_completion(
        self, answer: Answer, request: dict[str, Any], tally: _Tally, skip: _Skip | None
    ) -> tuple[list[ToolCall], str]:
        def on_retry(attempt: int, fault: ProviderFault) -> None:
            answer.notify({"state": "retrying", "attempt": attempt, "message": fault.message})

        calls: list[ToolCall] = []
        reason = "stop"
        tally.pieces = 0
        async with contextlib.aclosing(self._provider.stream(request, on_retry)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Words):
                    if tally.pieces == 0:
                        tally.requests += 1
                        tally.unreported = request["messages"]
                    tally.pieces += 1
                    answer.write(skip.pass_on(piece.text) if skip else piece.text)
                elif isinstance(piece, ToolCall):
                    calls.append(piece)
                elif isinstance(piece, Finished):
                    reason = piece.reason
                    if not tally.pieces:
                        tally.requests += 1
                        tally.unreported = request["messages"]
                    if piece.prompt_tokens is not None and piece.completion_tokens is not None:
                        tally.prompt += piece.prompt_tokens
                        tally.completion += piece.completion_tokens
                        tally.unreported = None
        if skip:
            answer.write(skip.rest())
        return calls, reason

    @staticmethod
    async def _use(answer: Answer, tools: Tools, call: ToolCall, identifier: str) -> list[ChatMessage]:
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            arguments = {}
        part = await tools.run(call.name, arguments)
        answer.add_tool(part)
        messages = assistant_messages(identifier, [part], native_tools=True)
        messages[0]["tool_calls"][0]["id"] = messages[1]["tool_call_id"] = call.identifier or identifier
        return messages


class _Skip:
    """Leaves out the beginning of a continued answer when the model starts it all over again."""

    def __init__(self, parts: list[dict[str, Any]]):
        self._before = parts[-1]["text"] if parts and parts[-1]["type"] == "text" else ""
        self._held = ""
        self._decided = not self._before

    def pass_on(self, text: str) -> str:
        """What of `text` is new."""
        if self._decided:
            return text
        self._held += text
        if self._before.startswith(self._held) and len(self._held) < len(self._before):
            return ""
        self._decided = True
        if self._held.startswith(self._before):
            return self._held[len(self._before) :]
        return self._held

    def rest(self) -> str:
        """What is held back when the answer ends before it was clear: a repetition, which is dropped."""
        self._decided = True
        return ""
