"""Access tokens (JWT, short) and refresh tokens (random, kept as hashes)."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

import jwt

from app.problems import Problem

ALGORITHM = "HS256"
AUDIENCE = "chatbot"
_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and by which sign-in."""

    user_id: str
    session_id: str


def not_signed_in(code: str = "not-signed-in", detail: str = "Please sign in.") -> Problem:
    """The 401 for a missing, wrong or ended sign-in."""
    return Problem(401, code, detail, {"WWW-Authenticate": "Bearer"})


class AccessTokens:
    """Makes and checks access tokens. Checked ones are remembered until they expire."""

    def __init__(self, secret: str, lifetime_seconds: int):
        self._secret = secret
        self.lifetime_seconds = lifetime_seconds
        self._checked: dict[str, tuple[Caller, float]] = {}

    def make(self, user_id: str, session_id: str) -> str:
        """A signed token for this sign-in."""
        now = int(time.time())
        claims = {
            "sub": user_id,
            "sid": session_id,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self.lifetime_seconds,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def check(self, token: str) -> Caller:
        """Whom the token stands for. Raises a 401 problem unless signature, audience and expiry are right."""
        found = self._checked.get(token)
        if found is not None:
            if found[1] > time.time():
                return found[0]
            del self._checked[token]
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud", "sub", "sid"]},
            )
        except jwt.ExpiredSignatureError:
            raise not_signed_in("token-expired", "The access token has expired.") from None
        except (jwt.InvalidTokenError, ValueError):
            raise not_signed_in() from None
        if not isinstance(claims["sid"], str):
            raise not_signed_in()
        caller = Caller(claims["sub"], claims["sid"])
        if len(self._checked) >= _CACHED:
            self._checked.clear()
        self._checked[token] = (caller, float(claims["exp"]))
        return caller


def new_refresh_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def refresh_hash(token: str) -> str:
    """What the database keeps of a refresh token. It is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
