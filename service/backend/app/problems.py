"""Errors as `application/problem+json` (RFC 9457): one shape for every answer that is not a success."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One thing that is wrong with the request, and where it stands."""

    where: str = Field(examples=["body.title"])
    message: str = Field(examples=["String should have at least 1 character"])


class ProblemDocument(BaseModel):
    """What an error answer holds. `code` is stable and meant for programs, `detail` for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "code": "task-not-found",
                "detail": "There is no such task.",
                "request_id": "8c5e0f0f3f9b4b0e",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None = None
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Raised anywhere in the service; becomes a problem+json answer with this status and code."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def document(
    status: int,
    code: str,
    detail: str,
    request_id: str | None = None,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """The JSON object of one problem, without the fields that have nothing to say."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if request_id:
        body["request_id"] = request_id
    if errors:
        body["errors"] = errors
    return body


def _answer(
    request: Request,
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    request_id = request.scope.get("request_id")
    return JSONResponse(
        document(status, code, detail, request_id, errors),
        status_code=status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def _methods(request: Request) -> list[str]:
    """All methods that the request's path has; the router itself names those of one route alone."""
    found: set[str] = set()
    for template, operations in request.app.openapi()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, request.url.path):
            found |= {method.upper() for method in operations}
    return sorted(found)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem+json answer."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> JSONResponse:
        return _answer(request, error.status, error.code, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        title = TITLES.get(error.status_code, "Error")
        code = getattr(error, "code", None) or title.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(request))
        return _answer(request, error.status_code, code, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # The offending input itself is left out: it may be a password.
        errors = [
            {"where": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in error.errors()[:20]
        ]
        return _answer(request, 422, "invalid-request", "The request is not valid.", errors=errors)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries for error answers with these statuses."""
    return {
        status: {
            "model": ProblemDocument,
            "description": TITLES[status],
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}},
            },
        }
        for status in statuses
    }
