"""`/api/chat` and `/api/conversations`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from app.accounts.dependencies import CurrentCaller
from app.chat import commands, days
from app.chat.schemas import (
    ChatRequest,
    Command,
    Commands,
    Conversation,
    ConversationPage,
    ConversationQuery,
    MessagePage,
    Model,
    NewConversation,
    PageQuery,
    RenameConversation,
    Stopped,
    Usage,
)
from app.chat.service import ChatService
from app.chat.stream import EventStream
from app.core.fields import ConversationId, MessageId
from app.core.queries import described, query_of
from app.problems import responses

router = APIRouter(prefix="/api", tags=["chat"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: start, then delta, tool, status, then error (perhaps) and done.",
        "content": {
            "text/event-stream": {
                "schema": {  # of one event
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "event": {"enum": ["start", "delta", "tool", "status", "error", "done", "reconnect"]},
                        "id": {"type": "string"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                },
                "example": {"event": "delta", "id": "0:5", "data": '{"text":"Hello"}'},
            }
        },
    }
}


UtcOffset = Annotated[
    int | None,
    Header(
        ge=-days.MOST_OFFSET,
        le=days.MOST_OFFSET,
        description="Minutes that the user's clock is ahead of UTC: which day is today.",
        examples=[120],
    ),
]


class _Streamed(Response):
    """Lets an EventStream pass through FastAPI, which expects its own kind of response."""

    media_type = "text/event-stream"

    def __init__(self, stream: EventStream, status_code: int = 200):
        super().__init__(status_code=status_code)  # FastAPI reads the default from this signature
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._stream(scope, receive, send)


def _service(request: Request) -> ChatService:
    service: ChatService = request.app.state.chat
    return service


def _json(content: Any, status: int = 200) -> Response:
    return Response(to_json(content), status, media_type="application/json")


@router.post(
    "/chat",
    response_class=_Streamed,
    responses={**_STREAM, **responses(400, 401, 404, 409, 413, 422, 429, 503)},
)
async def chat(
    body: ChatRequest, caller: CurrentCaller, request: Request, x_utc_offset: UtcOffset = None
) -> Response:
    """Send a message; the answer streams back. Slash commands work without a model."""
    return _Streamed(await _service(request).ask(caller.user_id, body, days.today(x_utc_offset)))


@router.get("/chat/model", response_model=Model, responses=responses(401))
async def model(_caller: CurrentCaller, request: Request) -> Response:
    """Which model answers."""
    return _json(await _service(request).information.describe())


@router.get("/chat/commands", responses=responses(401))
async def list_commands(_caller: CurrentCaller) -> Commands:
    """The slash commands."""
    items = [Command(command=name, usage=usage, description=text) for name, usage, text in commands.HELP]
    return Commands(items=items)


@router.get("/account/usage", response_model=Usage, responses=responses(401), tags=["accounts"])
async def usage(caller: CurrentCaller, request: Request) -> Response:
    """Tokens and cost of this month."""
    return _json(await _service(request).accounting.this_month(caller.user_id))


@router.get(
    "/conversations",
    response_model=ConversationPage,
    responses=responses(401, 422),
    openapi_extra=described(ConversationQuery),
)
async def list_conversations(caller: CurrentCaller, request: Request) -> Response:
    """One's own conversations, the most recently used first."""
    query = query_of(request, ConversationQuery)
    return _json(await _service(request).conversations.page(caller.user_id, query))


@router.post(
    "/conversations", status_code=201, response_model=Conversation, responses=responses(400, 401, 413, 422)
)
async def create_conversation(body: NewConversation, caller: CurrentCaller, request: Request) -> Response:
    """A conversation without messages."""
    return _json(await _service(request).conversations.create(caller.user_id, body.title), 201)


@router.get("/conversations/{conversation_id}", response_model=Conversation, responses=responses(401, 404))
async def get_conversation(
    conversation_id: ConversationId, caller: CurrentCaller, request: Request
) -> Response:
    """One conversation."""
    return _json(await _service(request).conversations.get(caller.user_id, conversation_id))


@router.patch(
    "/conversations/{conversation_id}",
    response_model=Conversation,
    responses=responses(400, 401, 404, 413, 422),
)
async def rename_conversation(
    conversation_id: ConversationId, body: RenameConversation, caller: CurrentCaller, request: Request
) -> Response:
    """Change the title."""
    return _json(await _service(request).conversations.rename(caller.user_id, conversation_id, body.title))


@router.delete("/conversations/{conversation_id}", status_code=204, responses=responses(401, 404))
async def delete_conversation(
    conversation_id: ConversationId, caller: CurrentCaller, request: Request
) -> Response:
    """Delete with all messages."""
    await _service(request).conversations.delete(caller.user_id, conversation_id)
    return Response(status_code=204)


@router.get(
    "/conversations/{conversation_id}/messages",
    response_model=MessagePage,
    responses=responses(401, 404, 422),
    openapi_extra=described(PageQuery),
)
async def list_messages(conversation_id: ConversationId, caller: CurrentCaller, request: Request) -> Response:
    """Messages, the newest page first, each page oldest first."""
    query = query_of(request, PageQuery)
    return _json(await _service(request).conversations.messages(caller.user_id, conversation_id, query))


@router.post(
    "/conversations/{conversation_id}/regenerate",
    response_class=_Streamed,
    responses={**_STREAM, **responses(401, 404, 409, 422, 429, 503)},
)
async def regenerate(
    conversation_id: ConversationId,
    caller: CurrentCaller,
    request: Request,
    x_utc_offset: UtcOffset = None,
) -> Response:
    """Answer the last message once more."""
    return _Streamed(
        await _service(request).regenerate(caller.user_id, conversation_id, days.today(x_utc_offset))
    )


@router.post("/conversations/{conversation_id}/stop", response_model=Stopped, responses=responses(401, 404))
async def stop(conversation_id: ConversationId, caller: CurrentCaller, request: Request) -> Response:
    """Stop the answer being written; what is there is kept."""
    return _json({"stopped": await _service(request).stop(caller.user_id, conversation_id)})


@router.get(
    "/conversations/{conversation_id}/messages/{message_id}/stream",
    response_class=_Streamed,
    responses={**_STREAM, **responses(401, 404)},
)
async def resume(
    conversation_id: ConversationId,
    message_id: MessageId,
    caller: CurrentCaller,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event seen.", examples=["0:5"])
    ] = None,
) -> Response:
    """The stream of an answer, from just after the last event seen."""
    service = _service(request)
    return _Streamed(await service.resume(caller.user_id, conversation_id, message_id, last_event_id))
