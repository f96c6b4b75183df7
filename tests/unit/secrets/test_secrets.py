"""Secrets at rest: reading, refusing, making up, versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.errors import SecretFileUnreadable, SecretMissing
from deploytool.secrets import files, versions


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    return tmp_path


def write(project: Path, text: str, mode: int = 0o600) -> Path:
    path = files.path_of("prod", project)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_usual_forms_are_read(project: Path):
    write(project, "# comment\n\nA=1\nexport B='two words'\nC=\"q=#\"\nD=x # note\nE=\nF = spaced \n")
    assert files.read("prod", project) == {"A": "1", "B": "two words", "C": "q=#", "D": "x", "F": "spaced"}


def test_no_file_means_no_secrets(project: Path):
    assert files.read("prod", project) == {}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_open_to_others_is_refused(project: Path, mode: int):
    write(project, "A=hidden\n", mode)
    with pytest.raises(SecretFileUnreadable) as caught:
        files.read("prod", project)
    assert caught.value.hint == "chmod 600 environments/prod.env.docker"
    assert "hidden" not in str(caught.value)


def test_a_bad_line_is_named_by_number_and_not_shown(project: Path):
    write(project, "A=1\nhunter2\n")
    with pytest.raises(SecretFileUnreadable) as caught:
        files.read("prod", project)
    assert caught.value.where == "environments/prod.env.docker:2"
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_directory_or_binary_in_its_place_is_refused(project: Path):
    files.path_of("prod", project).mkdir()
    with pytest.raises(SecretFileUnreadable):
        files.read("prod", project)
    files.path_of("prod", project).rmdir()
    write(project, "")
    files.path_of("prod", project).write_bytes(b"\xff\xfe")
    with pytest.raises(SecretFileUnreadable, match="UTF-8"):
        files.read("prod", project)


def test_missing_local_secrets_are_made_up_once_with_mode_600(project: Path):
    assert files.generate("local", project, ["JWT_SECRET", "OPENAI_API_KEY"]) == ("JWT_SECRET",)
    first = files.read("local", project)
    assert len(first["JWT_SECRET"]) >= 48
    assert files.path_of("local", project).stat().st_mode & 0o777 == 0o600
    assert files.generate("local", project, []) == ()
    assert files.read("local", project) == first


def test_making_up_keeps_what_stands_in_the_file(project: Path):
    path = files.path_of("local", project)
    path.write_text("OPENAI_API_KEY=k")
    path.chmod(0o600)
    files.generate("local", project, ["JWT_SECRET"])
    assert files.read("local", project)["OPENAI_API_KEY"] == "k"


def test_a_missing_secret_is_named_with_the_line_to_add():
    with pytest.raises(SecretMissing) as caught:
        files.select({}, ["JWT_SECRET", "X"], optional=["X"], service="backend", environment="prod")
    assert "JWT_SECRET" in caught.value.message
    assert "X" not in caught.value.message.split("secret ")[1]
    assert files.select({"X": "1"}, ["X"], optional=[], service="backend", environment="prod") == {"X": "1"}


VALUES = st.dictionaries(st.text(min_size=1), st.text(), min_size=1)


@given(VALUES, VALUES)
def test_versions_tell_values_apart_and_depend_on_the_key(first: dict[str, str], second: dict[str, str]):
    key = b"k" * 32
    assert (versions.version(key, first) == versions.version(key, second)) == (first == second)
    assert versions.version(b"other" * 8, first) != versions.version(key, first)
    assert versions.version(key, {}) == ""
