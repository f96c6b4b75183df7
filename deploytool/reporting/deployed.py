"""The end of a deploy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.actions.deploy import Deployed
from deploytool.reporting import planned as plan_report
from deploytool.reporting.screen import Screen, out
from deploytool.stack import words


def as_data(result: Deployed) -> dict[str, Any]:
    """What was done; names of generated secrets, never values."""
    return {
        "dry_run": False,
        "changed": result.changed,
        "release": result.release,
        "seconds": round(result.seconds, 3),
        "urls": dict(result.urls),
        "generated_secrets": list(result.generated),
        "stand_ins": list(result.stand_ins),
        "plan": plan_report.as_data(result.planned),
    }


def show(result: Deployed, environment: str) -> None:
    """Summary with release, time and addresses."""
    screen = out()
    screen.lines(lines(result, environment, screen))


def lines(result: Deployed, environment: str, screen: Screen) -> list[str]:
    """The summary."""
    mark = screen.style("✔", "green", "bold")
    if not result.changed:
        head = f"nothing to do: release {result.release} runs as the settings of {environment} say"
    else:
        head = f"release {result.release} is live, {words.duration(result.seconds)}"
    found = [f"{mark} {screen.style(head, 'bold')}"]
    found += addresses(result.urls, screen)
    if result.generated:
        found += screen.wrap(
            f"made up and kept in environments/{environment}.env.docker: {', '.join(result.generated)}",
            "  ",
            "    ",
        )
    found += stand_ins(result.stand_ins, screen)
    if result.changed:
        found.append(f"  next: {screen.style(f'chatbot status {environment}', 'cyan')}")
    return found


def addresses(urls: Mapping[str, str], screen: Screen) -> list[str]:
    """One line per address."""
    width = max((len(name) for name in urls), default=0)
    return [f"  {name:<{width}}  {screen.style(url, 'cyan')}" for name, url in urls.items()]


def stand_ins(names: Sequence[str], screen: Screen) -> list[str]:
    """That base images were made from packages, if so."""
    if not names:
        return []
    sentence = f"base images made from packages, the registry was out of reach: {without_digests(names)}"
    return screen.wrap(sentence, "  ", "    ")


def without_digests(names: Sequence[str]) -> str:
    """References as people call them."""
    return ", ".join(name.partition("@")[0] for name in names)
