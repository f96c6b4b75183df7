"""Puts the application together."""

from __future__ import annotations

from fastapi import FastAPI

from app import __version__, health, problems
from app.chat import endpoints as chat
from app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; it opens nothing before its lifespan begins."""
    app = FastAPI(title="Chatbot backend", version=__version__)
    app.state.settings = settings
    problems.install(app)
    app.include_router(health.router)
    app.include_router(chat.router)
    return app
