"""The OpenAPI document, made exact: what FastAPI adds and this service never answers is taken out."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.problems import MEDIA_TYPE, TITLES, document

_PROBLEM = {"$ref": "#/components/schemas/ProblemDocument"}
_METHODS = {"get", "post", "put", "patch", "delete"}
_EXAMPLES = {
    400: ("bad-request", "The request cannot be read."),
    401: ("not-signed-in", "Please sign in."),
    403: ("wrong-password", "The password is wrong."),
    404: ("task-not-found", "There is no such task."),
    409: ("answer-in-progress", "An answer is being written in this conversation. Stop it first."),
    412: ("task-changed", "The task was changed in the meantime. Load it again."),
    413: ("body-too-large", "The request's body is over 262144 bytes."),
    422: ("invalid-request", "The request is not valid."),
    429: ("too-many-attempts", "Too many attempts. Try again in 15 minutes."),
    503: ("database-unreachable", "The database does not answer."),
}


def _problem(status: int) -> dict[str, Any]:
    code, detail = _EXAMPLES[status]
    example = document(status, code, detail, "8c5e0f0f3f9b4b0e")
    return {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": example}},
    }


def _tidy(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    # FastAPI promises its own 422 for every parameter; ids that cannot exist are answered by 404 here.
    ours = MEDIA_TYPE in answers.get("422", {}).get("content", {})
    if not ours:
        answers.pop("422", None)
    for status, answer in list(answers.items()):
        if MEDIA_TYPE in answer.get("content", {}):
            answers[status] = _problem(int(status))
    answers.setdefault("503", _problem(503))  # the database does not answer
    # The HTTP server itself refuses what is no HTTP, before any route is looked for.
    refused = {"schema": {"type": "string"}, "example": "Invalid HTTP request received."}
    answers.setdefault("400", _problem(400))["content"]["text/plain"] = refused


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the exact document, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            for path in made["paths"].values():
                for method, operation in path.items():
                    if method in _METHODS:
                        _tidy(operation)
            for name in ("HTTPValidationError", "ValidationError"):
                made["components"]["schemas"].pop(name, None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
