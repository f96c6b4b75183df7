"""JSON lines on standard output. No secrets, no message bodies, no query strings are ever put into them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from contextvars import ContextVar
from typing import Any

from app.core.clock import iso, now_ms

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_FLUSH_SECONDS = 0.2
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": iso(now_ms()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = request_id.get()
        if current:
            line["request_id"] = current
        line.update({key: value for key, value in vars(record).items() if key not in _OWN})
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            # Where it happened, but not the error's own text: drivers quote values (and addresses) in it.
            line["error"] = type(error).__name__
            line["trace"] = _places(error)
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('site-packages/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-12:]


def configure(level: str) -> None:
    """Send every logger of the process through the JSON formatter at this level."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a container's log should be there when it is killed
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # These write addresses, headers or SQL values at their lower levels.
    for name in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "openai",
        "sqlalchemy",
        "asyncio",
        "aiosqlite",
        "alembic",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)


_waiting: list[str] = []


def write_access(
    identifier: str, method: str, route: str, status: int, seconds: float, address: str, user: str | None
) -> None:
    """One line per request, written within a fifth of a second together with others (`flush_access`).

    Put together by hand, for every field is ours or checked, and this is a hot path.
    """
    name = f'"{user}"' if user else "null"
    _waiting.append(
        f'{{"time":"{iso(now_ms())}","level":"info","logger":"access","message":"request",'
        f'"request_id":"{identifier}","method":"{method}","route":"{route}","status":{status},'
        f'"seconds":{seconds:.5f},"address":"{address}","user":{name}}}\n'
    )
    if len(_waiting) == 1:
        asyncio.get_running_loop().call_later(_FLUSH_SECONDS, flush_access)


def flush_access() -> None:
    """Write the access lines that wait."""
    sys.stdout.write("".join(_waiting))
    _waiting.clear()
    sys.stdout.flush()
