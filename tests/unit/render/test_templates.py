"""Templates of one's own, and their errors with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploytool.errors import TemplateFailed
from deploytool.render import render_bundle, render_dockerfiles, templates_directory
from deploytool.render.templates import Templates, packaged_directory
from deploytool.settings import Settings


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a\nb\n{{ nobody }}\n", ":3", "'nobody' is undefined"),
        ("a\n{{ project.nobody }}\n", ":2", "has no attribute 'nobody'"),
        ("a\n{% for x in %}\n", ":2", "the template is broken"),
        ("{% if a %}\n\n", ":2", "the template is broken"),
        ("\n\n{{ 1 // 0 }}\n", ":3", "ZeroDivisionError"),
        ("\n{{ project | nofilter }}\n", ":2", "nofilter"),
        ("\n{% include 'nobody.j2' %}\n", "", "there is no template `nobody.j2`"),
        ("\n{{ project.__class__.__mro__ }}\n", ":2", "unsafe"),
        ("\n{{ 'x' * 2 + 3 }}\n", ":2", "TypeError"),
    ],
)
def test_errors_have_file_and_line(tmp_path: Path, text: str, where: str, message: str) -> None:
    (tmp_path / "x.j2").write_text(text)
    with pytest.raises(TemplateFailed) as caught:
        Templates(tmp_path).render("x.j2", {"project": "chatbot", "a": 1})
    assert caught.value.where == f"templates/x.j2{where}"
    assert message in caught.value.message
    assert caught.value.exit_code == 2


def test_a_template_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateFailed, match="not UTF-8"):
        Templates(tmp_path).render("x.j2", {})


def test_an_error_in_an_included_template_names_that_one(tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_text("{% include 'y.j2' %}")
    (tmp_path / "y.j2").write_text("\n{{ nobody }}")
    with pytest.raises(TemplateFailed) as caught:
        Templates(tmp_path).render("x.j2", {})
    assert caught.value.where == "templates/y.j2:2"


def test_templates_read_no_files(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "secret").write_text("hunter2")
    for name in ("../secret", "/etc/hostname", str(tmp_path / "secret")):
        (tmp_path / "templates" / "x.j2").write_text(f"{{% include {name!r} %}}")
        with pytest.raises(TemplateFailed):
            Templates(tmp_path / "templates").render("x.j2", {})


def test_a_projects_template_lies_over_the_tools_own(tmp_path: Path, local: Settings) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "backend.Dockerfile.j2").write_text(
        "FROM {{ base_images.python }}\nEXPOSE {{ service.port }}\n"
    )
    assert templates_directory(tmp_path) == folder
    files = render_bundle(local, folder, {}).files
    python = local.build.base_images["python"]
    assert files["backend.Dockerfile"] == f"FROM {python}\nEXPOSE 8000\n".encode()
    assert (
        files["frontend.Dockerfile"] == render_dockerfiles(local, packaged_directory())["frontend.Dockerfile"]
    )


def test_a_project_without_templates_has_the_tools_own(tmp_path: Path) -> None:
    assert templates_directory(tmp_path) == packaged_directory()


def test_settings_that_nobody_made_are_undefined_in_a_dockerfile(tmp_path: Path, local: Settings) -> None:
    (tmp_path / "model.Dockerfile.j2").write_text("EXPOSE {{ service.port | default(8080) }}\n")
    assert render_dockerfiles(local, tmp_path)["model.Dockerfile"] == b"EXPOSE 8080\n"


def test_a_missing_dockerfile_template_says_which(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"environment": "test", "services": {"mine": {"build": {"context": "mine"}, "user": "1:1"}}}
    )
    with pytest.raises(TemplateFailed) as caught:
        render_dockerfiles(settings, tmp_path)
    assert caught.value.hint == "write templates/mine.Dockerfile.j2"
