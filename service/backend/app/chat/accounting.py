"""Tokens and money per user and month."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.chat.model import Abilities
from app.core import metrics
from app.core.clock import month_of, next_month, now_ms
from app.core.database import Database, Statement
from app.core.tables import usage
from app.problems import Problem

_USED = Statement(
    select(
        usage.c.requests, usage.c.prompt_tokens, usage.c.completion_tokens, usage.c.cost_microdollars
    ).where(usage.c.user_id == bindparam("user_id"), usage.c.month == bindparam("month"))
)
_ADD = text(
    """INSERT INTO usage (user_id, month, requests, prompt_tokens, completion_tokens, cost_microdollars)
    SELECT id, CAST(:month AS VARCHAR(7)), CAST(:requests AS BIGINT), CAST(:prompt AS BIGINT),
      CAST(:completion AS BIGINT), CAST(:cost AS BIGINT)
    FROM users WHERE id = :user_id
    ON CONFLICT (user_id, month) DO UPDATE SET
      requests = usage.requests + excluded.requests,
      prompt_tokens = usage.prompt_tokens + excluded.prompt_tokens,
      completion_tokens = usage.completion_tokens + excluded.completion_tokens,
      cost_microdollars = usage.cost_microdollars + excluded.cost_microdollars"""
)


class Accounting:
    """Who has used how much, and whether there is any left."""

    def __init__(self, database: Database, abilities: Abilities, monthly_limit: int):
        self._database = database
        self._abilities = abilities
        self._limit = monthly_limit

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for this many tokens."""
        prices = self._abilities
        total = prompt_tokens * prices.prompt_price + completion_tokens * prices.completion_price
        return round(total / 1_000_000, 8)

    async def this_month(self, user_id: str) -> dict[str, Any]:
        """The shape of `GET /api/account/usage`."""
        month = month_of(now_ms())
        row = await self._database.read_one(_USED, user_id=user_id, month=month) or (0, 0, 0, 0)
        used = row[1] + row[2]
        return {
            "month": month,
            "requests": row[0],
            "prompt_tokens": row[1],
            "completion_tokens": row[2],
            "cost_usd": row[3] / 1_000_000,
            "limit_tokens": self._limit,
            "remaining_tokens": max(0, self._limit - used) if self._limit else None,
            "resets_at": next_month(month),
        }

    async def remaining(self, user_id: str) -> int | None:
        """Tokens left in this month, None without a limit."""
        if not self._limit:
            return None
        left: int | None = (await self.this_month(user_id))["remaining_tokens"]
        return left

    async def require_some(self, user_id: str) -> int | None:
        """Tokens left in this month, None without a limit. Raises a 429 problem when there are none."""
        left = await self.remaining(user_id)
        if left == 0:
            resets = next_month(month_of(now_ms()))[:10]
            raise Problem(
                429, "monthly-limit-reached", f"This month's {self._limit} tokens are used up until {resets}."
            )
        return left

    async def add(
        self, connection: AsyncConnection, user_id: str, requests: int, prompt: int, completion: int
    ) -> None:
        """Add to this month's sums, in the caller's transaction."""
        values = {
            "user_id": user_id,
            "month": month_of(now_ms()),
            "requests": requests,
            "prompt": prompt,
            "completion": completion,
            "cost": round(self.cost_usd(prompt, completion) * 1_000_000),
        }
        await connection.execute(_ADD, values)
        metrics.tokens.labels("prompt").inc(prompt)
        metrics.tokens.labels("completion").inc(completion)
