"""What goes in and out of the account routes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.core.fields import PlainText

_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")


def _email(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is not an e-mail address")
    return text.lower()


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=200),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}, examples=["ana@example.org"]),
]
NewPassword = Annotated[str, Field(min_length=10, max_length=200, examples=["correct horse battery"])]
AnyPassword = Annotated[str, Field(min_length=1, max_length=200, examples=["correct horse battery"])]
Name = Annotated[PlainText, StringConstraints(strip_whitespace=True, max_length=100), Field(examples=["Ana"])]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignUp(_Request):
    """A new account."""

    email: Email
    password: NewPassword
    name: Name = ""


class LogIn(_Request):
    """An address and its password."""

    email: Annotated[str, Field(min_length=1, max_length=200, examples=["ana@example.org"])]
    password: AnyPassword


class RefreshToken(_Request):
    """The newest refresh token of a sign-in."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200, examples=["q1w2…"])]


class ChangeAccount(_Request):
    """What can be changed about an account."""

    name: Name


class ChangePassword(_Request):
    """The old password and the one to come."""

    current_password: AnyPassword
    new_password: NewPassword


class DeleteAccount(_Request):
    """Deleting needs the password once more."""

    password: AnyPassword


class User(BaseModel):
    """An account, as its owner sees it."""

    id: str = Field(examples=["01j9zq3k4v5w6x7y8z9abc"])
    email: str = Field(examples=["ana@example.org"])
    name: str = Field(examples=["Ana"])
    created_at: str = Field(examples=["2026-03-01T09:30:00.123Z"])


class Tokens(BaseModel):
    """A sign-in: the access token goes into `Authorization: Bearer`, the refresh token gets the next pair."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.e30.x"])
    refresh_token: str = Field(examples=["q1w2e3"])
    token_type: str = Field("bearer", examples=["bearer"])
    expires_in: int = Field(description="Seconds until the access token ends.", examples=[900])
    user: User
