"""`/api/auth/*` and `/api/account`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.accounts.address import client_address
from app.accounts.dependencies import CurrentCaller
from app.accounts.schemas import (
    ChangeAccount,
    ChangePassword,
    DeleteAccount,
    LogIn,
    RefreshToken,
    SignUp,
    Tokens,
    User,
)
from app.accounts.service import AccountService
from app.problems import responses

router = APIRouter(prefix="/api", tags=["accounts"])


def _service(request: Request) -> AccountService:
    service: AccountService = request.app.state.accounts
    return service


def _address(request: Request) -> str:
    address = client_address(request, request.app.state.settings)
    request.scope["client_address"] = address
    return address


@router.post("/auth/signup", status_code=201, responses=responses(400, 409, 413, 422, 429))
async def sign_up(body: SignUp, request: Request) -> Tokens:
    """Make an account and sign in."""
    return await _service(request).sign_up(body.email, body.password, body.name, _address(request))


@router.post("/auth/login", responses=responses(400, 401, 413, 422, 429))
async def log_in(body: LogIn, request: Request) -> Tokens:
    """Sign in."""
    return await _service(request).log_in(body.email, body.password, _address(request))


@router.post("/auth/refresh", responses=responses(400, 401, 413, 422))
async def refresh(body: RefreshToken, request: Request) -> Tokens:
    """Exchange the refresh token for a new pair."""
    return await _service(request).refresh(body.refresh_token)


@router.post("/auth/logout", status_code=204, responses=responses(400, 413, 422))
async def log_out(body: RefreshToken, request: Request) -> None:
    """End a sign-in, whether or not the token is still known."""
    await _service(request).log_out(body.refresh_token)


@router.get("/account", responses=responses(401))
async def account(caller: CurrentCaller, request: Request) -> User:
    """One's own account."""
    return await _service(request).account(caller)


@router.patch("/account", responses=responses(400, 401, 413, 422))
async def change_account(body: ChangeAccount, caller: CurrentCaller, request: Request) -> User:
    """Change the shown name."""
    return await _service(request).rename(caller, body.name)


@router.post("/account/password", responses=responses(400, 401, 403, 413, 422, 429))
async def change_password(body: ChangePassword, caller: CurrentCaller, request: Request) -> Tokens:
    """Change the password; all other sign-ins end."""
    return await _service(request).change_password(caller, body.current_password, body.new_password)


@router.delete("/account", status_code=204, responses=responses(400, 401, 403, 413, 422, 429))
async def delete_account(body: DeleteAccount, caller: CurrentCaller, request: Request) -> Response:
    """Delete the account with everything that belongs to it."""
    await _service(request).confirm(caller, body.password)
    await request.app.state.chat.forget_user(caller.user_id)
    await _service(request).delete(caller)
    return Response(status_code=204)
