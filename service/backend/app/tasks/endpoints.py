"""`/api/tasks`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic_core import to_json

from app.accounts.dependencies import SECURED, CurrentCaller, caller_of
from app.core.fields import TaskId
from app.core.queries import described, query_of
from app.problems import responses
from app.tasks.repository import TaskRow
from app.tasks.schemas import Move, NewTask, Task, TaskChanges, TaskPage, TaskQuery, page_json, shown
from app.tasks.service import TaskService

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

IfMatch = Annotated[
    str | None,
    Header(description="The ETag the change is meant for; another one is answered by 412.", examples=['"1"']),
]


class _Direct(APIRoute):
    """A route whose function takes the request and gives the response: nothing is to be solved in between."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def _service(request: Request) -> TaskService:
    service: TaskService = request.app.state.tasks
    return service


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # The rows were checked when they were written; validating them again would cost more than reading them.
    return Response(to_json(content), status, headers, "application/json")


def _task(row: TaskRow, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return _json(shown(row), status, {"ETag": f'"{row[8]}"', **(headers or {})})


async def list_tasks(request: Request) -> Response:
    """One's own tasks, filtered, sorted, page by page."""
    caller = await caller_of(request)
    rows, cursor = await _service(request).page(caller.user_id, query_of(request, TaskQuery))
    return Response(page_json(rows, cursor), media_type="application/json")


router.add_api_route(
    "",
    list_tasks,
    response_model=TaskPage,
    responses=responses(401, 422),
    openapi_extra={**described(TaskQuery), **SECURED},
    route_class_override=_Direct,
)


@router.post("", status_code=201, response_model=Task, responses=responses(400, 401, 409, 413, 422))
async def add_task(body: NewTask, caller: CurrentCaller, request: Request) -> Response:
    """Add a task at the end of the list."""
    row = await _service(request).add(caller.user_id, body)
    return _task(row, 201, {"Location": f"/api/tasks/{row[0]}"})


@router.get("/{task_id}", response_model=Task, responses=responses(401, 404))
async def get_task(task_id: TaskId, caller: CurrentCaller, request: Request) -> Response:
    """One task, with its version as ETag."""
    return _task(await _service(request).get(caller.user_id, task_id))


@router.patch("/{task_id}", response_model=Task, responses=responses(400, 401, 404, 412, 413, 422))
async def change_task(
    task_id: TaskId, body: TaskChanges, caller: CurrentCaller, request: Request, if_match: IfMatch = None
) -> Response:
    """Change some of a task's fields."""
    return _task(await _service(request).change(caller.user_id, task_id, body, if_match))


@router.post("/{task_id}/complete", response_model=Task, responses=responses(401, 404, 412))
async def complete_task(
    task_id: TaskId, caller: CurrentCaller, request: Request, if_match: IfMatch = None
) -> Response:
    """Mark a task as done."""
    return _task(await _service(request).complete(caller.user_id, task_id, if_match))


@router.post("/{task_id}/reopen", response_model=Task, responses=responses(401, 404, 412))
async def reopen_task(
    task_id: TaskId, caller: CurrentCaller, request: Request, if_match: IfMatch = None
) -> Response:
    """Mark a task as not done."""
    return _task(await _service(request).reopen(caller.user_id, task_id, if_match))


@router.post("/{task_id}/move", response_model=Task, responses=responses(400, 401, 404, 413, 422))
async def move_task(task_id: TaskId, body: Move, caller: CurrentCaller, request: Request) -> Response:
    """Put a task behind another one, or first."""
    return _task(await _service(request).move(caller.user_id, task_id, body.after))


@router.delete("/{task_id}", status_code=204, responses=responses(401, 404, 412))
async def delete_task(
    task_id: TaskId, caller: CurrentCaller, request: Request, if_match: IfMatch = None
) -> Response:
    """Delete a task."""
    await _service(request).delete(caller.user_id, task_id, if_match)
    return Response(status_code=204)
