"""Settings as YAML for people, and where one of them comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from deploytool.reporting.screen import out, pad, visible

if TYPE_CHECKING:
    from deploytool.settings import Explanation


def show(data: Mapping[str, Any]) -> None:
    """The settings in force, as YAML that could be written into a file."""
    import yaml

    screen = out()
    text = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=screen.width)
    screen.lines(text.splitlines())


def explanation_data(found: Explanation) -> dict[str, Any]:
    """The explanation for `--json`; layers from the lowest to the highest."""
    return asdict(found)


def show_explanation(found: Explanation) -> None:
    """The value, then every layer; the winner is marked by an arrow."""
    screen = out()
    screen.line(f"{screen.style(found.path, 'bold')} = {written(found.value)}")
    if found.description:
        screen.lines(screen.wrap(found.description, "  "))
    screen.line()
    width = max((visible(layer.where) for layer in found.layers), default=0)
    for layer in found.layers:
        line = f"  {'→' if layer.wins else ' '} {pad(layer.where, width)}  {written(layer.value)}"
        screen.line(screen.style(line, "bold") if layer.wins else line)


def written(value: Any) -> str:
    """A value on one line, as YAML writes it."""
    import yaml

    if value is None:
        return "not set"
    text: str = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")
