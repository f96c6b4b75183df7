"""What `chatbot build` built."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from deploytool.actions.build import Built
from deploytool.reporting.deployed import stand_ins
from deploytool.reporting.screen import out
from deploytool.reporting.tables import Column, table
from deploytool.stack import words


def as_data(result: Built) -> dict[str, Any]:
    """Images by service."""
    return {
        "images": [asdict(image) for image in result.images],
        "stand_ins": list(result.stand_ins),
        "seconds": round(result.seconds, 3),
    }


def show(result: Built) -> None:
    """One line per image."""
    screen = out()
    images = result.images
    screen.lines(
        table(
            [
                Column("service", tuple(image.service for image in images)),
                Column("image", tuple(image.reference for image in images)),
                Column("", tuple("built" if image.built else "was there" for image in images)),
                Column(
                    "id", tuple(image.identity.removeprefix("sha256:")[:12] for image in images), weight=1
                ),
            ],
            screen,
        )
    )
    screen.lines(stand_ins(result.stand_ins, screen))
    count = sum(image.built for image in images)
    mark = screen.style("✔", "green", "bold")
    plural = "" if count == 1 else "s"
    said = f"{count} image{plural} built, {words.duration(result.seconds)}" if count else "nothing to build"
    screen.line(f"{mark} {said}")
