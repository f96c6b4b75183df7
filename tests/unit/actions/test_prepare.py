"""A kept bundle is used only as long as nothing it was made from has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.projects import REPOSITORY

from deploytool.actions import prepare as preparing
from deploytool.actions.prepare import CACHE, Prepared, prepare
from deploytool.errors import SettingsError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("*.env.docker")
    shutil.copytree(REPOSITORY / "environments", tmp_path / "environments", ignore=ignore)
    shutil.copytree(REPOSITORY / "templates", tmp_path / "templates")
    for service in ("backend", "frontend", "model"):
        (tmp_path / "service" / service).mkdir(parents=True)
        (tmp_path / "service" / service / "source.txt").write_text(service)
    return tmp_path


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one each time a bundle is made anew."""
    made: list[str] = []
    real = preparing._render_anew

    def counted(environment: str, *rest: object) -> object:
        made.append(environment)
        return real(environment, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(preparing, "_render_anew", counted)
    return made


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        file = project / path
        file.write_text(file.read_text() + text if file.exists() else text)
        file.chmod(0o600)

    return change


def same(first: Prepared, second: Prepared) -> bool:
    return (first.facts, first.bundle.files, first.stack) == (second.facts, second.bundle.files, second.stack)


def test_the_second_time_nothing_is_rendered_and_all_is_the_same(project: Path, renderings: list[str]):
    first = prepare("local", project)
    assert same(prepare("local", project), first)
    assert renderings == ["local"]


@pytest.mark.parametrize(
    "change",
    [
        append("environments/base.yaml", "\n# a comment\n"),
        append("environments/local.yaml", "\nnetwork: other\n"),
        append("templates/compose.yaml.j2", "\n# a comment\n"),
        append("templates/backend.Dockerfile.j2", "\nLABEL a=b\n"),
        append("service/backend/source.txt", "changed"),
        append("service/frontend/new.txt", "new"),
        append("environments/local.env.docker", "OPENAI_API_KEY=x\n"),
        lambda project: (project / "service" / "model" / "source.txt").unlink(),
        lambda project: next((project / CACHE).glob("rendered-*")).write_text("{broken"),
        lambda project: next((project / CACHE).glob("rendered-*")).unlink(),
    ],
    ids=lambda change: getattr(change, "__qualname__", ""),
)
def test_any_change_renders_anew_as_without_anything_kept(
    project: Path, renderings: list[str], change: Callable[[Path], None]
):
    prepare("local", project)
    change(project)
    found = prepare("local", project)
    assert len(renderings) == 2
    shutil.rmtree(project / ".chatbot")
    assert same(prepare("local", project), found)


def test_a_variable_counts(project: Path, renderings: list[str], monkeypatch: pytest.MonkeyPatch):
    prepare("local", project)
    monkeypatch.setenv("CHATBOT__SERVICES__BACKEND__LIMITS__MEMORY", "384M")
    backend = prepare("local", project).stack.service("backend")
    assert backend is not None
    assert backend.limits.memory == 384 << 20
    assert len(renderings) == 2


def test_settings_that_became_wrong_are_not_hidden_by_what_was_kept(project: Path):
    prepare("local", project)
    append("environments/local.yaml", "\nnetwrok: other\n")(project)
    with pytest.raises(SettingsError):
        prepare("local", project)


def test_environments_are_kept_apart(project: Path, renderings: list[str]):
    names = {prepare(environment, project).stack.project for environment in ("local", "staging", "local")}
    assert names == {"chatbot-local", "chatbot-staging"}
    assert renderings == ["local", "staging"]


def test_what_is_kept_holds_no_secret_value(project: Path):
    append("environments/local.env.docker", "JWT_SECRET=hidden-hidden-hidden-hidden-hidden\n")(project)
    found = prepare("local", project, generate=True)
    assert found.secrets["backend"]["JWT_SECRET"].startswith("hidden")
    assert not any(b"hidden-" in path.read_bytes() for path in (project / CACHE).rglob("*") if path.is_file())


def test_a_project_that_cannot_be_written_to_works_all_the_same(project: Path):
    (project / ".chatbot").write_text("a file where a folder should be")
    assert same(prepare("local", project), prepare("local", project))
