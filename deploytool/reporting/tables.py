"""Tables that fit: columns with the least weight go first when the screen is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.reporting.screen import Screen, pad, visible


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `weight` decides what stays on a narrow screen, 0 always stays."""

    title: str
    cells: tuple[str, ...]
    weight: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        """Columns of the widest cell."""
        return max(visible(text) for text in (self.title, *self.cells))


def table(columns: Sequence[Column], screen: Screen, indent: str = "  ", gap: int = 2) -> list[str]:
    """The rows with a header; empty without rows. A column of empty cells is left out."""
    kept = [column for column in columns if any(column.cells)]
    while len(kept) > 1 and _width(kept, indent, gap) > screen.width:
        heaviest = max(kept, key=lambda column: column.weight)
        if heaviest.weight == 0:
            break
        kept.remove(heaviest)
    if not kept:
        return []
    rows = [[screen.style(pad(c.title, c.width, right=c.right), "dim") for c in kept]]
    rows += [[pad(c.cells[i], c.width, right=c.right) for c in kept] for i in range(len(kept[0].cells))]
    return [indent + (" " * gap).join(row).rstrip() for row in rows]


def _width(columns: Sequence[Column], indent: str, gap: int) -> int:
    return len(indent) + sum(column.width for column in columns) + gap * (len(columns) - 1)
