"""What a wheel carries of environments/."""

from __future__ import annotations

import tomllib
from pathlib import Path


def test_a_wheel_carries_the_environments_and_no_secrets(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    ours = {name: target for name, target in carried.items() if name.startswith("environments")}
    assert set(ours) == {
        "environments/base.yaml",
        "environments/local.yaml",
        "environments/staging.yaml",
        "environments/prod.yaml",
        "environments/example.env.docker",
    }
    assert all(target == f"deploytool/_bundled/{name}" for name, target in ours.items())
    assert all((repository / name).is_file() for name in ours)


def test_the_example_of_secrets_holds_none(repository: Path) -> None:
    lines = (repository / "environments" / "example.env.docker").read_text().splitlines()
    given = [line for line in lines if line and not line.startswith("#")]
    assert given == ["JWT_SECRET="]
