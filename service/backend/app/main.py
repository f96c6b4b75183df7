"""Puts the application together and takes it apart again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import __version__, health, problems
from app.accounts import endpoints as accounts
from app.accounts import passwords
from app.accounts.service import AccountService
from app.chat import endpoints as chat
from app.chat.service import ChatService
from app.core import logs, metrics, openapi
from app.core.database import Database
from app.core.middleware import RequestMiddleware
from app.migrate import is_sqlite, migrate
from app.settings import Settings
from app.tasks import endpoints as tasks
from app.tasks.service import TaskService

_log = logging.getLogger("app")
_TIDY_SECONDS = 3600


async def _migrate_at_start(settings: Settings) -> None:
    """SQLite: always, the file belongs to this service. PostgreSQL: only into an empty database, for the
    release step (`python -m app.migrate`) is where changes to a living one belong. Settable.
    """
    url = settings.database_url.get_secret_value()
    if settings.database_migrate == "never":
        return
    if settings.database_migrate == "auto" and not is_sqlite(url):
        database = Database(url, 1)
        try:
            if await database.revision() is not None:
                return
        except Exception as error:
            # `/ready` says so; the process lives on and finds the database when it comes back.
            _log.warning("database not reachable at start", extra={"error": type(error).__name__})
            return
        finally:
            await database.close()
    before, after = await migrate(url)
    if before != after:
        _log.info("migrated", extra={"before": before or "empty", "after": after})


def _on_stop_signal(call: Callable[[], None]) -> None:
    """Call `call` when the process is told to stop, then do what the server had planned."""
    for number in (signal.SIGTERM, signal.SIGINT):
        planned = signal.getsignal(number)

        def handle(received: int, frame: Any, planned: Any = planned) -> None:
            call()
            if callable(planned):
                planned(received, frame)

        # Not in the main thread (tests): nobody sends signals there.
        with contextlib.suppress(ValueError):
            signal.signal(number, handle)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    await _migrate_at_start(settings)
    state = app.state
    state.draining = asyncio.Event()
    state.database = Database(settings.database_url.get_secret_value(), settings.database_pool_size)
    state.accounts = AccountService(state.database, settings)
    state.tasks = TaskService(state.database)
    state.chat = ChatService(state.database, state.tasks, settings, state.draining)
    loop = asyncio.get_running_loop()

    def drain() -> None:
        loop.call_soon_threadsafe(state.draining.set)

    _on_stop_signal(drain)
    background = [
        asyncio.create_task(passwords.warm_up()),
        asyncio.create_task(_tidy(state.accounts)),
        asyncio.create_task(state.chat.run()),
    ]
    _log.info("started", extra={"environment": settings.environment, "version": __version__})
    try:
        yield
    finally:
        state.draining.set()
        await state.chat.close()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await state.database.close()
        logs.flush_access()
        _log.info("stopped")


async def _tidy(service: AccountService) -> None:
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        try:
            await service.tidy()
        except Exception:
            _log.exception("tidying failed")


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; it opens nothing before its lifespan begins."""
    logs.configure(settings.log_level)
    local = settings.environment == "local"
    app = FastAPI(
        title="Chatbot backend",
        version=__version__,
        description="Accounts, tasks and streamed chat. Errors are `application/problem+json`.",
        lifespan=_lifespan,
        docs_url="/docs" if local else None,
        redoc_url=None,
        # Metrics and logs are our own, and to ask at every request whether somebody traces costs 10 µs.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    problems.install(app)
    # Routes are tried in this order: the busiest first, FastAPI's own last. Nothing is added to them, so they
    # are taken over as they are; `include_router` would look for the route twice at every request.
    parts = (tasks, chat, accounts, health, metrics)
    app.router.routes[:0] = [route for part in parts for route in part.router.routes]
    openapi.install(app)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-Match",
                "Last-Event-ID",
                "X-Request-ID",
                "X-UTC-Offset",
            ],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-ID"],
            max_age=600,
        )
    app.add_middleware(
        RequestMiddleware,
        max_body=settings.max_body_bytes,
        strict_transport=not local,
        log_requests=settings.log_level in {"debug", "info"},
    )
    return app
