"""What can be done with accounts and sign-ins."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from app.accounts import passwords
from app.accounts.repository import AccountRepository, EmailTaken, UserRow
from app.accounts.schemas import Tokens, User
from app.accounts.tokens import AccessTokens, Caller, new_refresh_token, not_signed_in, refresh_hash
from app.core.clock import iso, now_ms
from app.core.database import Database
from app.core.identifiers import new_id
from app.problems import Problem
from app.settings import Settings

_LOGIN_WINDOW_MS = 15 * 60_000
_SIGNUP_WINDOW_MS = 60 * 60_000
# How long another replica may honour an access token after its sign-in ended (this one: not at all).
_TRUST_SECONDS = 3.0


def shown(row: UserRow) -> User:
    """An account's row as its owner sees it."""
    return User(id=row[0], email=row[1], name=row[2], created_at=iso(row[3]))


def _account_key(email: str) -> str:
    return "account:" + hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()[:40]


class AccountService:
    """Sign up, sign in and out, passwords, deletion, and the check that every other request begins with."""

    def __init__(self, database: Database, settings: Settings):
        self._repository = AccountRepository(database)
        self._database = database
        self._settings = settings
        self._access = AccessTokens(
            settings.jwt_secret.get_secret_value(), settings.access_token_minutes * 60
        )
        self._trusted: dict[str, float] = {}

    # -- every request ---------------------------------------------------------------------------

    async def authenticate(self, token: str) -> Caller:
        """Who holds this access token. Raises a 401 problem, also when the sign-in behind it has ended."""
        caller = self._access.check(token)
        trusted_until = self._trusted.get(caller.session_id, 0.0)
        if trusted_until < time.monotonic():
            owner = await self._repository.session_owner(caller.session_id)
            if owner != caller.user_id:
                self._trusted.pop(caller.session_id, None)
                raise not_signed_in("signed-out", "This sign-in has ended. Please sign in again.")
            if len(self._trusted) > 20_000:
                self._trusted.clear()
            self._trusted[caller.session_id] = time.monotonic() + _TRUST_SECONDS
        return caller

    # -- signing up and in -----------------------------------------------------------------------

    async def sign_up(self, email: str, password: str, name: str, address: str) -> Tokens:
        """Make an account and sign it in."""
        await self._throttle(
            f"signup:{address}"[:80], self._settings.signup_limit_per_hour, _SIGNUP_WINDOW_MS
        )
        hashed = await passwords.hash_password(password)
        user_id, now = new_id(), now_ms()
        row = {"id": user_id, "email": email, "name": name, "password_hash": hashed, "created_ms": now}
        try:
            async with self._database.write() as connection:
                await self._repository.add_user(connection, row)
                return await self._begin(connection, (user_id, email, name, now))
        except EmailTaken:
            raise Problem(409, "email-taken", "There is an account with this address already.") from None

    async def log_in(self, email: str, password: str, address: str) -> Tokens:
        """Sign in. An unknown address and a wrong password get the same answer after the same time."""
        email = email.strip().lower()
        account, place = _account_key(email), f"address:{address}"[:80]
        # Counted before the check, so that guesses sent at the same time count too.
        await self._throttle(place, self._settings.login_failures_per_address, _LOGIN_WINDOW_MS)
        await self._throttle(account, self._settings.login_failures_per_account, _LOGIN_WINDOW_MS)
        row = await self._repository.by_email(email) if "\0" not in email and _encodable(email) else None
        if not await passwords.verify_password(row[4] if row else None, password) or row is None:
            raise not_signed_in("invalid-credentials", "The address or the password is wrong.")
        async with self._database.write() as connection:
            await self._repository.forgive(connection, account)
            await self._repository.take_back(connection, place)
            return await self._begin(connection, row)

    async def refresh(self, token: str) -> Tokens:
        """Exchange a refresh token. Using one twice ends the sign-in: one of the two is not its owner."""
        reused: str | None = None
        async with self._database.write() as connection:
            session_id, fresh = await self._repository.spend_refresh_token(connection, refresh_hash(token))
            if session_id is not None and not fresh:
                await self._repository.revoke_session(connection, session_id)
                reused = session_id
            elif session_id is not None:
                row = await self._repository.session_user(connection, session_id)
                if row is not None:
                    return await self._tokens(connection, session_id, row)
        if reused is not None:
            self._trusted.pop(reused, None)
            raise not_signed_in("refresh-token-reused", "This token was used before. Please sign in again.")
        raise not_signed_in("invalid-refresh-token", "The sign-in has ended. Please sign in again.")

    async def log_out(self, token: str) -> None:
        """End the sign-in that this refresh token (new or used) belongs to."""
        async with self._database.write() as connection:
            session_id = await self._repository.session_of_token(connection, refresh_hash(token))
            if session_id is not None:
                await self._repository.revoke_session(connection, session_id)
        if session_id is not None:
            self._trusted.pop(session_id, None)

    # -- one's own account -----------------------------------------------------------------------

    async def account(self, caller: Caller) -> User:
        """The caller's account."""
        return shown(await self._own(caller))

    async def rename(self, caller: Caller, name: str) -> User:
        """Change the shown name."""
        await self._repository.change_user(caller.user_id, name=name)
        return await self.account(caller)

    async def change_password(self, caller: Caller, current: str, new: str) -> Tokens:
        """Change the password; every sign-in ends, and the caller gets a new one."""
        row = await self._confirmed(caller, current)
        hashed = await passwords.hash_password(new)
        await self._repository.change_user(caller.user_id, password_hash=hashed)
        async with self._database.write() as connection:
            await self._repository.revoke_all(connection, caller.user_id)
            tokens = await self._begin(connection, row)
        self._trusted.clear()
        return tokens

    async def confirm(self, caller: Caller, password: str) -> None:
        """Raises a 403 problem unless this is the caller's password."""
        await self._confirmed(caller, password)

    async def delete(self, caller: Caller) -> None:
        """Delete the account and all that belongs to it."""
        await self._repository.delete_user(caller.user_id)
        self._trusted.clear()

    async def tidy(self) -> None:
        """Delete what has expired."""
        await self._repository.tidy()

    # -- inner parts -----------------------------------------------------------------------------

    async def _own(self, caller: Caller) -> UserRow:
        row = await self._repository.by_id(caller.user_id)
        if row is None:
            raise not_signed_in("signed-out", "This account no longer exists.")
        return row

    async def _confirmed(self, caller: Caller, password: str) -> UserRow:
        row = await self._own(caller)
        await self._throttle(
            _account_key(row[1]), self._settings.login_failures_per_account, _LOGIN_WINDOW_MS
        )
        if not await passwords.verify_password(row[4], password):
            raise Problem(403, "wrong-password", "The password is wrong.")
        async with self._database.write() as connection:
            await self._repository.forgive(connection, _account_key(row[1]))
        return row

    async def _begin(self, connection: Any, row: UserRow) -> Tokens:
        session_id = new_id()
        expires = now_ms() + self._settings.refresh_token_days * 86_400_000
        await self._repository.add_session(connection, session_id, row[0], expires)
        return await self._tokens(connection, session_id, row)

    async def _tokens(self, connection: Any, session_id: str, row: UserRow) -> Tokens:
        refresh = new_refresh_token()
        await self._repository.add_refresh_token(connection, refresh_hash(refresh), session_id)
        return Tokens(
            access_token=self._access.make(row[0], session_id),
            refresh_token=refresh,
            token_type="bearer",  # noqa: S106
            expires_in=self._access.lifetime_seconds,
            user=shown(row),
        )

    async def _throttle(self, name: str, limit: int, window_ms: int) -> None:
        async with self._database.write() as connection:
            count, began = await self._repository.hit(connection, name, window_ms)
        if count > limit:
            wait = max(1, (began + window_ms - now_ms()) // 1000)
            detail = f"Too many attempts. Try again in {-(-wait // 60)} minutes."
            raise Problem(429, "too-many-attempts", detail, {"Retry-After": str(wait)})


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
