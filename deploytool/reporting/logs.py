"""Lines of the services' output, each with its container's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from deploytool.engines.protocol import LogLine
from deploytool.reporting import documents
from deploytool.reporting.screen import harmless, out

_COLOURS = ("cyan", "yellow", "green", "magenta", "blue")


def show(lines: Iterator[LogLine], *, json: bool, quiet_interrupt: bool) -> None:
    """Every line as it comes; with `json` one object per line."""
    try:
        if json:
            for line in lines:
                documents.write(asdict(line), compact=True)
        else:
            _for_people(lines)
    except KeyboardInterrupt:
        if not quiet_interrupt:
            raise


def _for_people(lines: Iterator[LogLine]) -> None:
    screen = out()
    colours: dict[str, str] = {}
    width = 0
    for line in lines:
        name = short_name(line)
        width = max(width, len(name))
        colour = colours.setdefault(line.service, _COLOURS[len(colours) % len(_COLOURS)])
        mark = "│" if line.stream != "stderr" else "┃"
        text = harmless(line.text) if not screen.colour else _with_colours(line.text)
        screen.line(f"{screen.style(f'{name:<{width}} {mark}', colour)} {text}")


def short_name(line: LogLine) -> str:
    """The container without its project: "backend-1"."""
    at = line.container.rfind(f"{line.service}-")
    return line.container[at:] if at >= 0 else line.container


def _with_colours(text: str) -> str:
    """A program's own colours stay on a terminal; everything else that would steer it goes."""
    parts = text.split("\x1b[")
    kept = harmless(parts[0])
    for part in parts[1:]:
        end = part.find("m")
        if end >= 0 and all(c.isdigit() or c == ";" for c in part[:end]):
            kept += f"\x1b[{part[: end + 1]}{harmless(part[end + 1 :])}"
        else:
            kept += harmless("\x1b[" + part)
    return kept + ("\x1b[0m" if len(parts) > 1 else "")
