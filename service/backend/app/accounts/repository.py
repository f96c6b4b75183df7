"""Accounts, sign-ins and throttles in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import now_ms
from app.core.database import Database, Statement
from app.core.tables import refresh_tokens, sessions, throttles, users

_USER = (users.c.id, users.c.email, users.c.name, users.c.created_ms, users.c.password_hash)
_BY_EMAIL = Statement(select(*_USER).where(users.c.email == bindparam("email")))
_BY_ID = Statement(select(*_USER).where(users.c.id == bindparam("user_id")))
_LIVE_SESSION = Statement(
    select(sessions.c.user_id).where(
        sessions.c.id == bindparam("session_id"),
        sessions.c.revoked_ms.is_(None),
        sessions.c.expires_ms > bindparam("now_ms", type_=sessions.c.expires_ms.type),
    )
)
_HIT = text(
    """INSERT INTO throttles (name, count, window_ms) VALUES (:name, 1, :now)
    ON CONFLICT (name) DO UPDATE SET
      count = CASE WHEN throttles.window_ms < :since THEN 1 ELSE throttles.count + 1 END,
      window_ms = CASE WHEN throttles.window_ms < :since THEN :now ELSE throttles.window_ms END
    RETURNING count, window_ms"""
)

UserRow = Sequence[Any]  # id, email, name, created_ms, password_hash


class EmailTaken(Exception):
    """Another account has this address."""


class AccountRepository:
    """Statements about accounts; those that take a connection belong to the caller's transaction."""

    def __init__(self, database: Database):
        self.database = database

    async def by_email(self, email: str) -> UserRow | None:
        """The account with this (lower-case) address."""
        return await self.database.read_one(_BY_EMAIL, email=email)

    async def by_id(self, user_id: str) -> UserRow | None:
        """The account with this id."""
        return await self.database.read_one(_BY_ID, user_id=user_id)

    async def session_owner(self, session_id: str) -> str | None:
        """Whose sign-in this is, None when it has ended."""
        row = await self.database.read_one(_LIVE_SESSION, session_id=session_id, now_ms=now_ms())
        return str(row[0]) if row else None

    async def add_user(self, connection: AsyncConnection, row: dict[str, Any]) -> None:
        """Insert an account. Raises EmailTaken."""
        try:
            await connection.execute(insert(users).values(row))
        except IntegrityError:
            raise EmailTaken from None

    async def change_user(self, user_id: str, **values: Any) -> None:
        """Change columns of an account."""
        async with self.database.write() as connection:
            await connection.execute(update(users).where(users.c.id == user_id).values(**values))

    async def delete_user(self, user_id: str) -> None:
        """Delete an account; the database deletes everything that belongs to it."""
        async with self.database.write() as connection:
            await connection.execute(delete(users).where(users.c.id == user_id))

    async def add_session(
        self, connection: AsyncConnection, session_id: str, user_id: str, expires_ms: int
    ) -> None:
        """Begin a sign-in."""
        row = {"id": session_id, "user_id": user_id, "created_ms": now_ms(), "expires_ms": expires_ms}
        await connection.execute(insert(sessions).values(row))

    async def add_refresh_token(self, connection: AsyncConnection, token_hash: str, session_id: str) -> None:
        """Add the next refresh token of a sign-in."""
        row = {"token_hash": token_hash, "session_id": session_id, "created_ms": now_ms()}
        await connection.execute(insert(refresh_tokens).values(row))

    async def spend_refresh_token(
        self, connection: AsyncConnection, token_hash: str
    ) -> tuple[str | None, bool]:
        """Mark a refresh token as used. Returns its sign-in (None: unknown) and whether it was unused."""
        spent = await connection.execute(
            update(refresh_tokens)
            .where(refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_ms.is_(None))
            .values(used_ms=now_ms())
            .returning(refresh_tokens.c.session_id)
        )
        row = spent.first()
        if row is not None:
            return str(row[0]), True
        known = await connection.execute(
            select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash)
        )
        row = known.first()
        return (str(row[0]) if row else None), False

    async def session_user(self, connection: AsyncConnection, session_id: str) -> UserRow | None:
        """The account of a sign-in that still lives."""
        found = await connection.execute(
            select(*_USER)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(
                sessions.c.id == session_id,
                sessions.c.revoked_ms.is_(None),
                sessions.c.expires_ms > now_ms(),
            )
        )
        return found.first()

    async def revoke_session(self, connection: AsyncConnection, session_id: str) -> None:
        """End one sign-in."""
        await connection.execute(
            update(sessions).where(sessions.c.id == session_id).values(revoked_ms=now_ms())
        )

    async def revoke_all(self, connection: AsyncConnection, user_id: str) -> None:
        """End every sign-in of an account."""
        await connection.execute(
            update(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_ms.is_(None))
            .values(revoked_ms=now_ms())
        )

    async def session_of_token(self, connection: AsyncConnection, token_hash: str) -> str | None:
        """The sign-in a refresh token belongs to."""
        found = await connection.execute(
            select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash)
        )
        row = found.first()
        return str(row[0]) if row else None

    async def hit(self, connection: AsyncConnection, name: str, window_ms: int) -> tuple[int, int]:
        """Count one attempt. Returns the attempts in this window and when the window began."""
        now = now_ms()
        values = {"name": name, "now": now, "since": now - window_ms}
        row = (await connection.execute(_HIT, values)).one()
        return int(row[0]), int(row[1])

    async def forgive(self, connection: AsyncConnection, name: str) -> None:
        """Forget the attempts counted under this name."""
        await connection.execute(delete(throttles).where(throttles.c.name == name))

    async def take_back(self, connection: AsyncConnection, name: str) -> None:
        """Uncount one attempt that turned out to be right."""
        await connection.execute(
            update(throttles).where(throttles.c.name == name).values(count=throttles.c.count - 1)
        )

    async def tidy(self) -> None:
        """Delete ended sign-ins and old counters."""
        day_ago = now_ms() - 86_400_000
        async with self.database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_ms < day_ago))
            await connection.execute(delete(sessions).where(sessions.c.revoked_ms < day_ago))
            await connection.execute(delete(throttles).where(throttles.c.window_ms < day_ago))
