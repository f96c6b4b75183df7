"""Which layer wins, and how CHATBOT__ variables find their setting."""

from __future__ import annotations

import pytest

from deploytool.errors import SettingsError

from .conftest import Project

GIB = 1024**3


def test_the_environment_lies_on_base_and_variables_on_both(project: Project) -> None:
    test = "services: {web: {limits: {memory: 2G}}}"
    assert project.load().services["web"].limits.memory == GIB // 2
    assert project.load(test).services["web"].limits.memory == 2 * GIB
    variables = {"CHATBOT__SERVICES__WEB__LIMITS__MEMORY": "3G"}
    assert project.load(test, variables).services["web"].limits.memory == 3 * GIB


def test_maps_merge_and_lists_are_replaced(project: Project) -> None:
    project.write(
        "base",
        """
        services:
          web: {image: a/b, user: "1:1", environment: {A: 1, B: 2}, tmpfs: [/a, /b]}
        """,
    )
    web = project.load("services: {web: {environment: {B: 3}, tmpfs: [/c]}}").services["web"]
    assert web.environment == {"A": "1", "B": "3"}
    assert web.tmpfs == ("/c",)


def test_null_brings_the_default_back(project: Project) -> None:
    project.write(
        "base",
        """
        services:
          web: {image: a/b, user: "1:1", replicas: 3, environment: {A: 1}, limits: {memory: 2G, cpus: 3}}
        """,
    )
    web = project.load("services: {web: {replicas: null, environment: {A: null}, limits: null}}").services[
        "web"
    ]
    assert (web.replicas, web.environment, web.limits.memory) == (1, {}, GIB // 2)


def test_null_takes_a_service_away(project: Project) -> None:
    assert project.load("services: {web: null}").services == {}


@pytest.mark.parametrize(
    "name",
    [
        "CHATBOT__SERVICES__MY_CACHE__REPLICAS",
        "chatbot__services__my_cache__replicas",
        "CHATBOT__services__my-cache__Replicas",
    ],
)
def test_names_count_without_case_and_dashes_may_be_underscores(project: Project, name: str) -> None:
    test = 'services: {my-cache: {image: a/b, user: "1:1"}}'
    assert project.load(test, {name: "4"}).services["my-cache"].replicas == 4


def test_a_dash_and_an_underscore_can_be_told_apart(project: Project) -> None:
    test = 'services: {a-b: {image: a/b, user: "1:1"}, a_b: {image: a/b, user: "1:1"}}'
    services = project.load(test, {"CHATBOT__SERVICES__A_B__REPLICAS": "4"}).services
    assert (services["a-b"].replicas, services["a_b"].replicas) == (1, 4)


def test_names_of_variables_of_a_container_keep_their_case(project: Project) -> None:
    variables = {
        "CHATBOT__SERVICES__WEB__ENVIRONMENT__Mixed_Case": "yes",
        "CHATBOT__SERVICES__WEB__ENVIRONMENT__VERSION": "1.10",
        "CHATBOT__SERVICES__WEB__ENVIRONMENT__JSON": '{"a": 1}',
        "CHATBOT__SERVICES__WEB__ENVIRONMENT__EMPTY": "",
    }
    assert project.load(None, variables).services["web"].environment == {
        "Mixed_Case": "yes",
        "VERSION": "1.10",
        "JSON": '{"a": 1}',
        "EMPTY": "",
    }


def test_values_of_variables_are_written_as_in_yaml(project: Project) -> None:
    variables = {
        "CHATBOT__SERVICES__WEB__TMPFS": "[/tmp, /var/tmp]",
        "CHATBOT__SERVICES__WEB__INIT": "false",
        "CHATBOT__SERVICES__WEB__COMMAND": "serve --port 80",
        "CHATBOT__SERVICES__WEB__LIMITS": "{cpus: 2, memory: 1G}",
        "CHATBOT__PROJECT": "12e5",
    }
    settings = project.load(None, variables)
    web = settings.services["web"]
    assert web.tmpfs == ("/tmp", "/var/tmp")
    assert web.init is False
    assert web.command == ("serve", "--port", "80")
    assert (web.limits.cpus, web.limits.memory) == (2_000_000_000, GIB)
    assert settings.project == "12e5"


def test_other_variables_do_not_count(project: Project) -> None:
    assert (
        project.load(None, {"CHATBOT_PROJECT": "x", "PROJECT": "y", "XCHATBOT__PROJECT": "z"}).project
        == "chatbot"
    )


def test_the_process_environment_counts_when_no_variables_are_given(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deploytool.settings import load_settings

    monkeypatch.setenv("CHATBOT__PROJECT", "other")
    assert load_settings("test", project.directory).project == "other"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CHATBOT__", "1", "names no setting"),
        ("CHATBOT__SERVICES____REPLICAS", "1", "names no setting"),
        ("CHATBOT__SERVICES__WEB__REPLICA", "1", "unknown setting `replica`"),
        ("CHATBOT__SERVICES__WEB__REPLICAS", "two", "wants a whole number"),
        ("CHATBOT__SERVICES__WEB__TMPFS", "[a", "the YAML is broken"),
        ("CHATBOT__ENVIRONMENT", "prod", "cannot be set"),
        ("CHATBOT__PROJECT", "\udcff", "is not UTF-8 text"),
    ],
)
def test_a_wrong_variable_is_named(project: Project, name: str, value: str, message: str) -> None:
    error = project.error(None, {name: value})
    assert isinstance(error, SettingsError)
    assert message in error.message
    assert error.where == name
