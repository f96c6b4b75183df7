"""Settings that cannot be used stop the start with one clear line; addresses as people paste them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from app.chat.model import abilities
from app.core.addresses import engine_address
from app.settings import Settings, SettingsError, load
from backend_support.servers import BackendProcess

GOOD_SECRET = "kV3pX9wQz7LmN2cR5tY8uB1dF4gH6jKa"

REFUSED = [
    ({"ENVIRONMENT": "prod", "JWT_SECRET": ""}, "JWT_SECRET is required"),
    ({"ENVIRONMENT": "prod", "JWT_SECRET": "short"}, "at least 32"),
    ({"ENVIRONMENT": "staging", "JWT_SECRET": "change-me-change-me-change-me-change-me"}, "placeholder"),
    ({"ENVIRONMENT": "prod", "JWT_SECRET": "a" * 40}, "placeholder"),
    ({"ENVIRONMENT": "Prod!"}, "ENVIRONMENT"),
    ({"DATABASE_URL": "mysql://u:hunter2@host/db"}, "sqlite and postgresql"),
    ({"DATABASE_URL": "not an address hunter2"}, "DATABASE_URL"),
    ({"DATABASE_URL": "postgresql://u:hunter2@host/db?sslmode=maybe"}, "sslmode"),
    ({"DATABASE_URL": "sqlite:///:memory:"}, "needs a file"),
    ({"OPENAI_BASE_URL": "model:8080"}, "http"),
    ({"ALLOWED_ORIGINS": "https://a.example, *"}, "not an origin"),
    ({"ALLOWED_ORIGINS": "https://a.example/path"}, "not an origin"),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
    ({"GRACEFUL_TIMEOUT_SECONDS": "soon"}, "GRACEFUL_TIMEOUT_SECONDS"),
    ({"PORT": "70000"}, "PORT"),
    ({"OPENAI_MODLE": "x"}, "did you mean OPENAI_MODEL?"),
    ({"JWT_SECRTE": "x"}, "did you mean JWT_SECRET?"),
    ({"ALOWED_ORIGINS": "x"}, "did you mean ALLOWED_ORIGINS?"),
    ({"CHAT_SOMETHING_ELSE": "1"}, "unknown setting CHAT_SOMETHING_ELSE"),
    ({"CHAT_MONTHLY_TOKEN_LIMIT": "-1"}, "CHAT_MONTHLY_TOKEN_LIMIT"),
]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any of our settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(("environment", "told"), REFUSED)
def test_unusable_settings_are_refused_in_one_line(
    clean: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    for name, value in environment.items():
        clean.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load(tmp_path / "none")
    message = str(refusal.value)
    assert told in message
    assert "\n" not in message
    assert "hunter2" not in message


def test_the_process_stops_with_one_line_and_exit_code_2(tmp_path: Path) -> None:
    refused = BackendProcess(tmp_path, ENVIRONMENT="prod", JWT_SECRET="hunter2").refuse()
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines() == [
        "settings: JWT_SECRET has 7 characters; at least 32 are needed"
    ]
    assert refused.stdout == ""


@pytest.mark.parametrize("fault", ["no folder", "a folder", "something else"])
def test_a_database_file_that_cannot_be_used_stops_the_start_with_one_line(
    tmp_path: Path, fault: str
) -> None:
    path = tmp_path / ("missing/chatbot.db" if fault == "no folder" else "chatbot.db")
    if fault == "a folder":
        path.mkdir()
    elif fault == "something else":
        path.write_text("these are not the pages of a database\n" * 100)
    refused = BackendProcess(tmp_path, DATABASE_URL=f"sqlite:///{path}").refuse()
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert line.startswith(f"settings: DATABASE_URL: {path} cannot be used: ")
    assert refused.stdout == ""


def test_secrets_come_from_files_and_the_environment_wins(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "JWT_SECRET").write_text(GOOD_SECRET + "\n")
    (tmp_path / "OPENAI_API_KEY").write_text("from-file")
    clean.setenv("ENVIRONMENT", "prod")
    clean.setenv("ALLOWED_ORIGINS", "https://a.example, http://localhost:3000/")
    clean.setenv("OPENAI_BASE_URL", "")
    settings = load(tmp_path)
    assert settings.jwt_secret.get_secret_value() == GOOD_SECRET
    assert settings.openai_api_key.get_secret_value() == "from-file"
    assert settings.allowed_origins == ["https://a.example", "http://localhost:3000"]
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert GOOD_SECRET not in repr(settings)
    clean.setenv("OPENAI_API_KEY", "from-environment")
    assert load(tmp_path).openai_api_key.get_secret_value() == "from-environment"


def test_a_misnamed_secret_file_is_noticed(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "OPENAI_APIKEY").write_text("x")
    with pytest.raises(SettingsError, match="did you mean OPENAI_API_KEY"):
        load(tmp_path)


def test_local_needs_no_secret_and_never_shares_one(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = load(tmp_path / "none"), load(tmp_path / "none")
    assert len(first.jwt_secret.get_secret_value()) >= 32
    assert first.jwt_secret != second.jwt_secret


def test_neons_pooled_address() -> None:
    address = engine_address(
        "postgres://user:p%40ss@ep-cool-1-pooler.eu-central-1.aws.neon.tech/neondb"
        "?sslmode=require&channel_binding=require"
    )
    assert address.url.drivername == "postgresql+asyncpg"
    assert address.url.password == "p@ss"
    assert dict(address.url.query) == {}
    assert address.pooled_elsewhere
    assert address.connect_arguments["statement_cache_size"] == 0
    context = address.connect_arguments["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("mode", "checked", "named"),
    [
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
        ("require", ssl.CERT_NONE, False),
    ],
)
def test_tls_is_checked_as_far_as_asked(mode: str, checked: ssl.VerifyMode, named: bool) -> None:
    context = engine_address(f"postgresql://u@host/db?sslmode={mode}").connect_arguments["ssl"]
    assert (context.verify_mode, context.check_hostname) == (checked, named)


def test_plain_addresses() -> None:
    assert engine_address("postgresql://u:p@host:5433/db?sslmode=disable").connect_arguments["ssl"] is False
    assert engine_address("postgresql+asyncpg://u:p@host/db").url.port is None
    assert engine_address("sqlite:////data/chatbot.db").url.database == "/data/chatbot.db"


@pytest.mark.parametrize(
    ("environment", "kind", "tools", "window"),
    [
        ({"openai_model": "gpt-4o-mini"}, "openai", "native", 128_000),
        (
            {"openai_model": "local-standard", "openai_base_url": "http://model:8080/v1"},
            "local-demo",
            "router",
            4096,
        ),
        (
            {"openai_model": "local-tiny", "openai_base_url": "http://model:8080/v1"},
            "local-demo",
            "patterns",
            4096,
        ),
        ({"openai_model": "llama3", "openai_base_url": "http://ollama:11434/v1"}, "other", "native", 8192),
        (
            {"openai_model": "llama3", "openai_base_url": "http://o/v1", "openai_tools": "off"},
            "other",
            "off",
            8192,
        ),
    ],
)
def test_what_the_model_can_do(environment: dict[str, str], kind: str, tools: str, window: int) -> None:
    found = abilities(Settings(**environment))  # type: ignore[arg-type]
    assert (found.kind, found.tools, found.window) == (kind, tools, window)
    assert 0 < found.max_output < window
    assert (found.prompt_price > 0) == (kind == "openai")
