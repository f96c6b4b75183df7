"""Who is calling, for routes that need to know."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase

from app.accounts.tokens import Caller, not_signed_in


class _Bearer(SecurityBase):
    """Reads the Bearer header; stands in the OpenAPI document as the scheme `bearer`."""

    def __init__(self) -> None:
        documented = HTTPBearer(bearerFormat="JWT", description="The access token of a sign-in.")
        self.model = documented.model
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise not_signed_in()
        caller = await request.app.state.accounts.authenticate(token.strip())
        request.scope["user_id"] = caller.user_id
        return caller


CurrentCaller = Annotated[Caller, Depends(_Bearer())]
