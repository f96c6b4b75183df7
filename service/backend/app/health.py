"""`/health`: the process is alive. `/ready`: it can do its work, or says what is missing."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.migrate import HEAD

_PATIENCE_SECONDS = 3.0

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether work can be taken, and the state of each thing it needs."""

    ready: bool
    checks: dict[str, str] = Field(examples=[{"database": "ok", "migrations": "ok", "accepting": "ok"}])


@router.get("/health")
async def health() -> Health:
    """Alive; looks at nothing else."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "Something is missing"}})
async def ready(request: Request, response: Response) -> Readiness:
    """Whether work can be taken: the database answers, its schema is right, no stop is under way."""
    checks = await _checks(request)
    complete = all(state == "ok" for state in checks.values())
    response.status_code = 200 if complete else 503
    return Readiness(ready=complete, checks=checks)


async def _checks(request: Request) -> dict[str, str]:
    state = request.app.state
    checks = {"database": "ok", "migrations": "ok", "accepting": "ok"}
    if state.draining.is_set():
        checks["accepting"] = "shutting down"
    try:
        revision = await asyncio.wait_for(state.database.revision(), _PATIENCE_SECONDS)
    except Exception as error:
        checks["database"] = f"not reachable ({type(error).__name__})"
        checks["migrations"] = "unknown"
        return checks
    if revision is None or revision < HEAD:
        checks["migrations"] = f"at {revision or 'nothing'}, {HEAD} is needed: run `python -m app.migrate`"
    return checks
