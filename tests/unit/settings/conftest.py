"""Small projects made of a few lines of YAML."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploytool.errors import SettingsError
from deploytool.settings import Settings, load_settings

BASE = """
services:
  web:
    image: example/web:1
    user: "1000:1000"
    port: 8000
    healthcheck: {path: /health}
"""


class Project:
    """A folder with `environments/`; `load` reads its environment `test`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "environments").mkdir()
        self.write("base", BASE)
        self.write("test", "")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.directory / "environments" / f"{name}.yaml"
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())

    def load(
        self,
        test: str | bytes | None = None,
        variables: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Settings:
        if test is not None:
            self.write("test", test)
        return load_settings("test", self.directory, variables or {}, frozenset(secrets))

    def error(
        self, test: str | bytes | None = None, variables: Mapping[str, str] | None = None
    ) -> SettingsError:
        with pytest.raises(SettingsError) as caught:
            self.load(test, variables)
        return caught.value


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[3]
