"""First form of the chat: one message in, words out as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

router = APIRouter(prefix="/api", tags=["chat"])


class ChatRequest(BaseModel):
    message: str = Field(min_length=1, max_length=16000)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


@router.post("/chat")
async def chat(body: ChatRequest, request: Request) -> StreamingResponse:
    from openai import AsyncOpenAI, OpenAIError

    settings = request.app.state.settings

    async def events() -> AsyncIterator[str]:
        client = AsyncOpenAI(
            api_key=settings.openai_api_key.get_secret_value() or "none", base_url=settings.openai_base_url
        )
        try:
            stream = await client.chat.completions.create(
                model=settings.openai_model,
                messages=[
                    {"role": "system", "content": settings.chat_system_prompt},
                    {"role": "user", "content": body.message},
                ],
                stream=True,
            )
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield _event("delta", {"text": chunk.choices[0].delta.content})
            yield _event("done", {"finish_reason": "stop"})
        except OpenAIError as error:
            yield _event("error", {"code": "provider-failed", "message": type(error).__name__})
        finally:
            await client.close()

    return StreamingResponse(events(), media_type="text/event-stream")
