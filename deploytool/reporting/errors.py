"""Errors as the operator sees them: what, where, evidence, and what to do next."""

from __future__ import annotations

from typing import Any

from deploytool.errors import ChatbotError
from deploytool.reporting import documents
from deploytool.reporting.screen import WIDEST, Screen, harmless, visible


def as_data(error: ChatbotError) -> dict[str, Any]:
    """The error for `--json`."""
    return {
        "format": documents.FORMAT,
        "error": {
            "code": error.code,
            "message": error.message,
            "where": error.where,
            "details": list(error.details),
            "hint": error.hint,
            "exit_code": int(error.exit_code),
        },
    }


def lines(error: ChatbotError, screen: Screen) -> list[str]:
    """The layout of every error: headline with code, then place and evidence, then the remedy."""
    found = _headline(error, screen)
    place = error.where
    details = [harmless(line).rstrip() for line in error.details]
    if place and len(details) == 1 and visible(place) + visible(details[0]) + 5 <= screen.width:
        place, details = f"{place}   {details[0]}", []
    if place:
        found += screen.wrap(place, "  ", "    ")
    for detail in details:
        found += [screen.style(part, "dim") for part in screen.wrap(detail, "    ", "      ")]
    if error.hint:
        if len(details) > 1 or (details and not place):
            found.append("")
        found += screen.wrap(error.hint, "  ", "  ")
    return found


def _headline(error: ChatbotError, screen: Screen) -> list[str]:
    tag = f"[{error.code}, exit {int(error.exit_code)}]"
    wrapped = screen.wrap(harmless(error.message), "✖ ", "  ")
    wrapped[0] = screen.style("✖", "red", "bold") + screen.style(wrapped[0][1:], "bold")
    wrapped[1:] = [screen.style(line, "bold") for line in wrapped[1:]]
    room = min(screen.width, WIDEST) - visible(wrapped[-1]) - len(tag)
    if room >= 2:
        wrapped[-1] += " " * room + screen.style(tag, "dim")
    else:
        wrapped.append(" " * max(min(screen.width, WIDEST) - len(tag), 2) + screen.style(tag, "dim"))
    return wrapped
