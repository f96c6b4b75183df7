"""Query strings into checked models, once per distinct query string.

FastAPI can do this too, but looks at every field's type again on every request; on the list routes that took
as long as the database. Here the same text gives the same model without being looked at twice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

Query = TypeVar("Query", bound=BaseModel)


@lru_cache(4096)
def _parse(model: type[Query], text: bytes) -> Query:
    values: dict[str, str] = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        if name in values:
            message = {"type": "value_error", "loc": ("query", name), "msg": "is given twice", "input": None}
            raise RequestValidationError([message])
        values[name] = value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise RequestValidationError(
            [{**item, "loc": ("query", *item["loc"]), "input": None} for item in found]
        ) from None


def query_of(request: Request, model: type[Query]) -> Query:
    """The request's query string as a `model`. Raises RequestValidationError (a 422 answer)."""
    found: Query = _parse(model, request.scope["query_string"])
    return found


def described(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI parameters of a query model, for a route's `openapi_extra`."""
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    parameters = []
    for name, field in schema["properties"].items():
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required}
        if "description" in field:
            parameter["description"] = field.pop("description")
        field.pop("title", None)
        choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
        # A query string has no null: a parameter is there or not.
        parameter["schema"] = choices[0] if len(choices) == 1 else field
        parameters.append(parameter)
    return {"parameters": parameters}
