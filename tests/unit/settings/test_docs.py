"""docs/settings.md speaks of every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploytool.settings import Settings
from deploytool.settings.paths import known_keys

PLACES: list[tuple[str, ...]] = [
    (),
    ("build",),
    ("proxy",),
    ("proxy", "entry_points", "any"),
    ("model",),
    ("volumes", "any"),
    ("services", "any"),
    ("services", "any", "build"),
    ("services", "any", "healthcheck"),
    ("services", "any", "limits"),
    ("services", "any", "update_config"),
    ("services", "any", "volumes", "0"),
    ("services", "any", "ports", "0"),
    ("services", "any", "logging"),
    ("services", "any", "ulimits", "any"),
]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_every_setting_is_in_the_documentation(repository: Path, place: tuple[str, ...]) -> None:
    text = re.sub(r"```.*?```", "", (repository / "docs" / "settings.md").read_text(), flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", text))))
    keys = known_keys(place)
    assert keys
    assert [key for key in keys if key not in words] == []


def test_the_example_of_a_service_is_valid(repository: Path) -> None:
    import yaml

    text = (repository / "docs" / "settings.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    redis = yaml.safe_load(example[1])["services"]["redis"]
    made = Settings.model_validate({"environment": "test", "services": {"redis": redis}})
    assert made.services["redis"].limits.memory == 128 * 1024**2
