"""Servers for the backend's tests; each starts once, when the first test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from backend_support.people import Person
from backend_support.provider import ScriptedProvider
from backend_support.servers import BackendProcess, PostgresServer

BOTH = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes an empty database of a kind and gives its address."""

    def make(kind: str) -> str:
        if kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            return server.new_database()
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'chatbot.db'}"

    return make


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: ScriptedProvider) -> ScriptedProvider:
    """The provider that `backend` talks to, with nothing left from other tests."""
    shared_provider.reset()
    return shared_provider


@pytest.fixture(scope="session", params=BOTH)
def backend(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    shared_provider: ScriptedProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BackendProcess]:
    """A running backend on each database, shared by all tests that change no settings."""
    process = BackendProcess(
        tmp_path_factory.mktemp("backend"),
        DATABASE_URL=new_database(request.param),
        OPENAI_BASE_URL=shared_provider.base_url,
        PROVIDER_FIRST_TOKEN_SECONDS="1.5",
        PROVIDER_BETWEEN_TOKENS_SECONDS="1",
        CHAT_HEARTBEAT_SECONDS="0.3",
        ALLOWED_ORIGINS="https://chat.example.org",
    )
    with process:
        yield process


@pytest.fixture
def person(backend: BackendProcess, provider: ScriptedProvider) -> Person:
    return Person(backend.url)


@pytest.fixture
def someone_else(backend: BackendProcess) -> Person:
    return Person(backend.url)


@pytest.fixture
def make_backend(tmp_path: Path, provider: ScriptedProvider) -> Iterator[Callable[..., BackendProcess]]:
    """Starts backends with settings of one's own (SQLite unless told otherwise)."""
    started: list[BackendProcess] = []

    def make(**environment: str) -> BackendProcess:
        process = BackendProcess(
            tmp_path,
            **{
                "DATABASE_URL": f"sqlite:///{tmp_path / 'chatbot.db'}",
                "OPENAI_BASE_URL": provider.base_url,
                **environment,
            },
        )
        started.append(process)
        return process.launch()

    yield make
    for process in started:
        process.__exit__()
