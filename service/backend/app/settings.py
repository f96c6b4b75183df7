"""What the operator set: environment variables first, then files under `/run/secrets`, then defaults."""

from __future__ import annotations

import difflib
import os
import re
import secrets
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRETS_DIRECTORY = Path(os.environ.get("SECRETS_DIRECTORY", "/run/secrets"))
OPENAI_ADDRESS = "https://api.openai.com/v1"
SHORTEST_SECRET = 32  # characters; HS256 wants at least as many bits as its hash (RFC 7518, 3.2)
_TELLTALE = re.compile(r"change.?me|example|default|^secret|password|placeholder|insecure", re.IGNORECASE)

# A variable that begins like one of ours and is none of ours is a typing error, not somebody else's.
_FAMILIES = (
    "OPENAI_",
    "JWT_",
    "DATABASE_",
    "ALLOWED_",
    "CHAT_",
    "LOGIN_",
    "SIGNUP_",
    "PROVIDER_",
    "GRACEFUL_",
)
# Variables of other programs that fall into our families.
_FOREIGN = {"OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_LOG"}


class SettingsError(Exception):
    """The settings are unusable; the message is one line for the operator."""


class Settings(BaseSettings):
    """Every setting of the backend. Names in the environment are these names in upper case."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", case_sensitive=False)

    environment: str = Field("local", pattern=r"^[a-z][a-z0-9-]{0,31}$", description="local relaxes secrets")
    host: str = "0.0.0.0"  # noqa: S104  (inside a container, behind the proxy)
    port: int = Field(8000, ge=1, le=65535)
    database_url: SecretStr = SecretStr("sqlite:////data/chatbot.db")
    database_pool_size: int = Field(10, ge=1, le=100)
    database_migrate: Literal["auto", "always", "never"] = "auto"
    jwt_secret: SecretStr = SecretStr("")
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = OPENAI_ADDRESS
    openai_model: str = Field("gpt-4o-mini", min_length=1, max_length=200)
    openai_tools: Literal["auto", "native", "router", "patterns", "off"] = "auto"
    allowed_origins: Annotated[list[str], NoDecode] = []
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    graceful_timeout_seconds: float = Field(25, ge=1, le=3600)
    trusted_proxy_hops: int = Field(1, ge=0, le=5)
    access_token_minutes: int = Field(15, ge=1, le=1440)
    refresh_token_days: int = Field(30, ge=1, le=365)
    login_failures_per_account: int = Field(10, ge=1)
    login_failures_per_address: int = Field(100, ge=1)
    signup_limit_per_hour: int = Field(1000, ge=1)
    max_body_bytes: int = Field(256 * 1024, ge=1024)
    chat_system_prompt: str = Field(
        "You are a helpful assistant in a chat application with a task list. Answer briefly and plainly.",
        max_length=4000,
    )
    chat_context_tokens: int | None = Field(None, ge=256, description="window of the model; else by model")
    chat_max_output_tokens: int | None = Field(None, ge=16)
    chat_monthly_token_limit: int = Field(2_000_000, ge=0, description="per user; 0 = no limit")
    chat_prompt_price: float | None = Field(None, ge=0, description="US dollars per million tokens")
    chat_completion_price: float | None = Field(None, ge=0, description="US dollars per million tokens")
    chat_heartbeat_seconds: float = Field(15, gt=0, le=300)
    chat_resume_seconds: float = Field(0.6, ge=0, le=60, description="how long an unwatched answer goes on")
    provider_attempts: int = Field(3, ge=1, le=10)
    provider_connect_seconds: float = Field(5, gt=0)
    provider_first_token_seconds: float = Field(120, gt=0)
    provider_between_tokens_seconds: float = Field(30, gt=0)
    provider_total_seconds: float = Field(600, gt=0)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin such as https://chat.example.org")
        return origins

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("openai_base_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http(s) address such as http://model:8080/v1")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: SecretStr) -> SecretStr:
        from app.core.addresses import engine_address

        engine_address(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _check_secret(self) -> Settings:
        secret = self.jwt_secret.get_secret_value()
        if self.environment == "local":
            if not secret:
                # Sign-ins then last until the next start; nothing to leak, nothing to guess.
                self.jwt_secret = SecretStr(secrets.token_urlsafe(48))
            return self
        if not secret:
            raise ValueError(f"JWT_SECRET is required when ENVIRONMENT is {self.environment}")
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(
                f"JWT_SECRET has {len(secret)} characters; at least {SHORTEST_SECRET} are needed"
            )
        if _TELLTALE.search(secret) or len(set(secret)) < 8:
            raise ValueError("JWT_SECRET looks like a placeholder; make one with `openssl rand -base64 48`")
        return self

    @cached_property
    def provider_host(self) -> str:
        """Host name of the model provider."""
        return urlsplit(self.openai_base_url).hostname or ""


def check_database(settings: Settings) -> None:
    """Raises SettingsError when the database is a file that this process cannot use."""
    from app.core.addresses import check_file, engine_address

    try:
        check_file(engine_address(settings.database_url.get_secret_value()))
    except ValueError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from None


def _refuse_unknown(environ: Mapping[str, str], secrets_directory: Path) -> None:
    known = {name.upper() for name in Settings.model_fields}
    present = set(environ)
    if secrets_directory.is_dir():
        present |= {entry.name for entry in secrets_directory.iterdir() if not entry.name.startswith(".")}
    for name in sorted(present - known - _FOREIGN):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.88)
        if near or name.startswith(_FAMILIES):
            hint = near or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            raise SettingsError(f"unknown setting {name}" + (f"; did you mean {hint[0]}?" if hint else ""))


def load(secrets_directory: Path = SECRETS_DIRECTORY) -> Settings:
    """Read the settings. Raises SettingsError with one clear line when they cannot be used."""
    _refuse_unknown(os.environ, secrets_directory)
    directory = secrets_directory if secrets_directory.is_dir() else None
    try:
        return Settings(_secrets_dir=directory)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"][:1]).upper()
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {message}" if name else message) from None
    except OSError as error:
        raise SettingsError(f"cannot read {error.filename}: {error.strerror}") from None
