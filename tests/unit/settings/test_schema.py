"""The JSON Schema that editors use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploytool.settings import json_schema

from .conftest import BASE


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", ["base", "local", "staging", "prod"])
def test_the_shipped_files_are_valid(
    validator: jsonschema.Draft202012Validator, repository: Path, name: str
) -> None:
    text = (repository / "environments" / f"{name}.yaml").read_text()
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        "x-anchor: {a: 1}\nproject: a",
        "services: {a: {volumes: [data, 'data:/x:ro', {source: a, target: /b}]}}",
        "services: {a: {ports: [80, '1:2', {target: 1, published: 2}]}}",
        "services: {a: {depends_on: [b]}}",
        "services: {a: {depends_on: {b: service_healthy, c: {condition: service_started}}}}",
        "services: {a: {depends_on: {b: {condition: service_started}}}}",
        "services: {a: {ulimits: {nofile: 10}, command: serve, user: 1, limits: {cpus: '1.5', memory: 9}}}",
        "services: {a: {environment: {A: 1, B: true, C: x}, restart: no}}",
    ],
)
def test_short_forms_are_valid(validator: jsonschema.Draft202012Validator, text: str) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "netwrok: a",
        "services: {a: {limits: {memroy: 1G}}}",
        "services: {a: {replicas: two}}",
        "services: {a: {update_config: {order: fast}}}",
        "environment: prod",
        "services: {A B: {}}",
    ],
)
def test_wrong_files_are_not(validator: jsonschema.Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(yaml.safe_load(text)))


def properties(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, entry in (node.get("properties") or {}).items():
            if isinstance(entry, dict):
                yield name, entry
        for entry in node.values():
            yield from properties(entry)
    elif isinstance(node, list):
        for entry in node:
            yield from properties(entry)


def test_every_setting_is_described() -> None:
    schema = json_schema()
    json.dumps(schema)
    described = [(name, entry) for name, entry in properties(schema) if name not in {"condition"}]
    assert len(described) > 80
    assert [name for name, entry in described if not entry.get("description")] == []
