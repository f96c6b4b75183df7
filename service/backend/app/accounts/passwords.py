"""argon2id hashes, computed off the event loop and only two at a time (each takes 19 MiB)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_WORKERS = ThreadPoolExecutor(2, thread_name_prefix="argon2")


@cache
def _hasher() -> object:
    from argon2 import PasswordHasher

    # OWASP's password storage guidance: m=19 MiB, t=2, p=1.
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")  # type: ignore[attr-defined, no-any-return]


def _verify(hashed: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        # An unknown account costs as much time as a known one.
        _hasher().verify(hashed or _nobody(), password)  # type: ignore[attr-defined]
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


async def hash_password(password: str) -> str:
    """The hash to store."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_WORKERS, lambda: _hasher().hash(password))  # type: ignore[attr-defined]


async def verify_password(hashed: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; `None` (nobody) takes the same time and is False."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _verify, hashed, password)


async def warm_up() -> None:
    """Compute what the first failed sign-in would otherwise wait for longer than the second."""
    await asyncio.get_running_loop().run_in_executor(_WORKERS, _nobody)
