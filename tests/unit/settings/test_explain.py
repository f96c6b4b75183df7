"""Where a value comes from."""

from __future__ import annotations

import pytest

from deploytool.errors import SettingsError
from deploytool.settings import explain, source_of

from .conftest import Project

VARIABLE = "CHATBOT__SERVICES__WEB__LIMITS__MEMORY"


def layers(
    project: Project, path: str, variables: dict[str, str] | None = None
) -> list[tuple[str, object, bool]]:
    found = explain(path, "test", project.directory, variables or {})
    return [(layer.where, layer.value, layer.wins) for layer in found.layers]


def test_every_layer_from_the_lowest_to_the_highest(project: Project) -> None:
    project.write("test", "services:\n  web:\n    limits:\n      memory: 1024M\n")
    found = explain("web.limits.memory", "test", project.directory, {VARIABLE: "3g"})
    assert found.path == "services.web.limits.memory"
    assert found.value == "3G"
    assert "Memory at most" in found.description
    assert [(layer.where, layer.value, layer.wins) for layer in found.layers] == [
        ("default", "512M", False),
        ("environments/test.yaml:4", "1024M", False),
        (VARIABLE, "3g", True),
    ]


def test_a_default_that_nobody_changed(project: Project) -> None:
    assert layers(project, "web.restart") == [("default", "unless-stopped", True)]


def test_null_gives_the_default_its_turn_again(project: Project) -> None:
    project.write("base", 'services: {web: {image: x, user: "1:1", replicas: 4}}')
    project.write("test", "services:\n  web: {replicas: null}\n")
    found = explain("web.replicas", "test", project.directory, {})
    assert found.value == 1
    assert [(layer.where, layer.wins) for layer in found.layers] == [
        ("default", True),
        ("environments/base.yaml:1", False),
        ("environments/test.yaml:2", False),
    ]


def test_proxy_and_model_are_settings_and_services(project: Project) -> None:
    project.write("test", 'services: {proxy: {image: x, user: "1:1"}}')
    assert explain("proxy.domain", "test", project.directory, {}).path == "proxy.domain"
    assert (
        explain("proxy.limits.memory", "test", project.directory, {}).path == "services.proxy.limits.memory"
    )


def test_derived_values_say_so(project: Project) -> None:
    project.write("test", 'services: {backend: {image: x, user: "1:1"}}')
    assert layers(project, "backend.environment.ENVIRONMENT") == [
        ("default", None, False),
        ("derived", "test", True),
    ]


def test_names_may_hold_dots(project: Project) -> None:
    project.write("test", "services:\n  web:\n    labels:\n      com.example/team.name: blue\n")
    assert layers(project, "web.labels.com.example/team.name")[-1] == (
        "environments/test.yaml:4",
        "blue",
        True,
    )


def test_a_whole_service(project: Project) -> None:
    found = explain("web", "test", project.directory, {})
    assert found.path == "services.web"
    assert found.value["image"] == "example/web:1"
    assert found.layers[-1].where == "environments/base.yaml:2"


@pytest.mark.parametrize(
    ("path", "word", "hint"),
    [
        ("web.limits.memroy", "memroy", "`memory`"),
        ("wbe.limits", "wbe", "`web`"),
        ("services.wbe.limits", "wbe", "`web`"),
        ("netwrok", "netwrok", "`network`"),
        ("web.replicas.x", "x", "schema"),
        ("", "", ""),
        ("..", "", ""),
    ],
)
def test_an_unknown_path(project: Project, path: str, word: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        explain(path, "test", project.directory, {})
    assert f"unknown setting `{word}`" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("services.web.image", "environments/base.yaml:3"),
        ("services.web.healthcheck.test", "environments/base.yaml:6"),
        ("services.web.limits.memory", VARIABLE),
        ("services.web.restart", ""),
        ("services.nobody.image", ""),
        ("nothing", ""),
    ],
)
def test_the_source_of_a_setting(project: Project, path: str, where: str) -> None:
    assert source_of(path, "test", project.directory, {VARIABLE: "3g"}) == where
