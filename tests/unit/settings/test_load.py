"""The environments that come with the tool, and what follows from which secrets there are."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from deploytool.errors import EnvironmentMissing
from deploytool.settings import Settings, environments, load_settings
from deploytool.settings.service import ServiceSettings

from .conftest import Project

GIB = 1024**3
CPU = 1_000_000_000


def shipped(environment: str, repository: Path, *secrets: str, **variables: str) -> Settings:
    return load_settings(environment, repository, variables, frozenset(secrets))


def amounts(service: ServiceSettings) -> tuple[float | None, float | None, float | None, float | None]:
    reserved, limits = service.reservations, service.limits
    assert reserved.cpus is not None
    assert reserved.memory is not None
    return reserved.cpus / CPU, limits.cpus / CPU, reserved.memory / GIB, limits.memory / GIB


def test_production_has_the_architectures_limits(repository: Path) -> None:
    settings = shipped("prod", repository)
    assert amounts(settings.services["frontend"]) == (0.5, 1, 0.5, 1)
    assert amounts(settings.services["backend"]) == (1, 2, 1, 2)
    assert (settings.services["frontend"].replicas, settings.services["backend"].replicas) == (2, 2)
    assert "DATABASE_URL" in settings.services["backend"].secrets
    assert settings.services["backend"].environment["ALLOWED_ORIGINS"] == "https://chat.example.com"
    assert settings.proxy.https


def test_the_architectures_defaults(repository: Path) -> None:
    settings = shipped("local", repository)
    assert settings.network == "app-network"
    assert sorted(settings.services) == ["backend", "database", "frontend", "model", "proxy"]
    assert sorted(settings.enabled_services) == ["backend", "frontend", "model", "proxy"]
    frontend, backend = settings.services["frontend"], settings.services["backend"]
    assert (frontend.port, backend.port) == (3000, 8000)
    for service, path in ((frontend, "/api/health"), (backend, "/health")):
        assert service.healthcheck is not None
        assert service.healthcheck.path == path
        assert service.healthcheck.interval == 30 * CPU
        assert service.healthcheck.timeout == 10 * CPU
        assert service.healthcheck.retries == 3
        assert service.restart == "unless-stopped"
    assert backend.volumes[0].source == "backend-data"
    assert frontend.build is not None
    assert frontend.build.args == {"NEXT_PUBLIC_API_URL": ""}
    assert backend.release_command == ("python", "-m", "app.migrate")
    assert settings.build.base_images["python"].startswith("python:3.11-slim@sha256:")
    assert settings.build.base_images["node"].startswith("node:20-alpine@sha256:")


@pytest.mark.parametrize("environment", ["local", "staging", "prod"])
def test_security_is_on_for_every_service(repository: Path, environment: str) -> None:
    settings = shipped(environment, repository, CHATBOT__SERVICES__DATABASE__ENABLED="true")
    assert len(settings.enabled_services) == 5
    for service in settings.enabled_services.values():
        assert service.user is not None
        assert not service.user.startswith("0")
        assert not service.run_as_root
        assert not service.writable_root
        assert not service.cap_add
        assert not service.allow_new_privileges
        assert service.init
        assert not service.ports
        assert service.logging.options == {"max-size": "10m", "max-file": "3"}


def test_local_is_reached_from_this_machine_alone(repository: Path) -> None:
    settings = shipped("local", repository)
    assert settings.proxy.host_ip == "127.0.0.1"
    assert settings.public_urls == {"frontend": "http://localhost:3000", "backend": "http://localhost:8000"}


def test_without_a_key_the_local_model_answers(repository: Path) -> None:
    settings = shipped("local", repository)
    backend = settings.services["backend"]
    assert settings.services["model"].enabled is True
    assert backend.environment["OPENAI_BASE_URL"] == "http://model:8080/v1"
    assert backend.environment["OPENAI_MODEL"] == "local-standard"
    assert backend.depends_on == {"model": "service_healthy"}
    assert settings.services["model"].limits.memory == 2 * GIB


def test_the_tiny_model(repository: Path) -> None:
    settings = shipped("local", repository, CHATBOT__MODEL__SIZE="tiny")
    assert settings.services["model"].limits.memory == GIB // 2
    assert settings.services["backend"].environment["OPENAI_MODEL"] == "local-tiny"
    build = settings.services["model"].build
    assert build is not None
    assert build.args["MODEL_SIZE"] == "tiny"


def test_with_a_key_openai_answers(repository: Path) -> None:
    settings = shipped("local", repository, "OPENAI_API_KEY")
    backend = settings.services["backend"]
    assert settings.services["model"].enabled is False
    assert "OPENAI_BASE_URL" not in backend.environment
    assert backend.depends_on == {}
    assert backend.secrets == ("JWT_SECRET", "OPENAI_API_KEY")


def test_another_address_answers(repository: Path) -> None:
    address = "http://ollama.example:11434/v1"
    settings = shipped("local", repository, CHATBOT__SERVICES__BACKEND__ENVIRONMENT__OPENAI_BASE_URL=address)
    assert settings.services["model"].enabled is False
    assert settings.services["backend"].environment["OPENAI_BASE_URL"] == address
    assert "OPENAI_MODEL" not in settings.services["backend"].environment


def test_a_model_that_is_asked_for_runs_beside_a_key(repository: Path) -> None:
    settings = shipped("local", repository, "OPENAI_API_KEY", CHATBOT__SERVICES__MODEL__ENABLED="true")
    assert settings.services["model"].enabled is True
    assert settings.services["backend"].environment["OPENAI_BASE_URL"] == "http://model:8080/v1"


def test_the_database_that_comes_along(repository: Path) -> None:
    settings = shipped(
        "local", repository, "DATABASE_URL", "POSTGRES_PASSWORD", CHATBOT__SERVICES__DATABASE__ENABLED="true"
    )
    database, backend = settings.services["database"], settings.services["backend"]
    assert database.image == "postgres:16-alpine"
    assert database.update_config.order == "stop-first"
    assert database.secrets == ("POSTGRES_PASSWORD",)
    assert database.environment["POSTGRES_PASSWORD_FILE"] == "/run/secrets/POSTGRES_PASSWORD"
    assert backend.depends_on["database"] == "service_healthy"
    assert settings.secret_names == ("DATABASE_URL", "JWT_SECRET", "POSTGRES_PASSWORD")


def test_a_service_of_ones_own_in_yaml_alone(project: Project) -> None:
    settings = project.load(
        """
        services:
          redis:
            image: redis:7-alpine
            user: "999:1000"
            volumes: [redis-data]
            healthcheck: {command: [redis-cli, ping]}
        """
    )
    redis = settings.enabled_services["redis"]
    assert (redis.volumes[0].source, redis.volumes[0].target) == ("redis-data", "/data")
    assert redis.healthcheck is not None
    assert redis.healthcheck.command == ("CMD", "redis-cli", "ping")
    assert redis.limits.memory == GIB // 2


def test_settings_are_frozen(project: Project) -> None:
    from pydantic import ValidationError

    settings = project.load()
    with pytest.raises(ValidationError):
        settings.project = "other"  # type: ignore[misc]


def test_what_is_shown_loads_to_the_same(project: Project, repository: Path) -> None:
    import yaml

    settings = shipped("prod", repository, "OPENAI_API_KEY", "DATABASE_URL")
    shown = settings.show()
    del shown["environment"]
    project.write("base", "")
    (project.directory / "environments" / "prod.yaml").write_text(yaml.safe_dump(shown))
    again = load_settings("prod", project.directory, {}, frozenset({"OPENAI_API_KEY", "DATABASE_URL"}))
    assert again == settings


@pytest.mark.parametrize(
    "name", ["prdo", "base", "../environments/prod", "PROD", "", "prod.yaml", "a_b", "a-"]
)
def test_a_missing_environment_names_those_there_are(repository: Path, name: str) -> None:
    with pytest.raises(EnvironmentMissing) as caught:
        load_settings(name, repository, {})
    assert "local, prod, staging" in caught.value.message
    assert caught.value.exit_code == 2


def test_the_nearest_environment_is_named(repository: Path) -> None:
    with pytest.raises(EnvironmentMissing) as caught:
        load_settings("prdo", repository, {})
    assert "did you mean `prod`?" in caught.value.hint


def test_environments_are_those_with_a_file(project: Project, repository: Path) -> None:
    project.write("Not-A-Name", "")
    assert environments(project.directory) == ["test"]
    assert environments(repository) == ["local", "prod", "staging"]


def test_a_folder_without_environments_has_the_tools_own(tmp_path: Path) -> None:
    assert environments(tmp_path) == ["local", "prod", "staging"]
    assert load_settings("local", tmp_path, {}).project == "chatbot"


def test_a_project_without_base_has_the_tools_own(project: Project) -> None:
    (project.directory / "environments" / "base.yaml").unlink()
    assert "frontend" in project.load().services


def test_loading_is_fast(repository: Path) -> None:
    """Without the import of pydantic; the best of five, since the machine does other things too."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        shipped("prod", repository)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.04
