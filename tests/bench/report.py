"""What a benchmark gives back, and how it is shown: our figure, the other's in the same run, the bound."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `bound` is on `ours / other` where there is another, on `ours` alone where there is none.

    `at_least` turns the bound round (a rate, not a duration).
    """

    name: str
    ours: float
    unit: str
    bound: float | None = None
    other: float | None = None
    other_name: str = ""
    at_least: bool = False
    note: str = ""

    @property
    def measured(self) -> float:
        return self.ours / self.other if self.other else self.ours

    @property
    def holds(self) -> bool | None:
        if self.bound is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


Benchmark = Callable[[], list[Row]]


def median_seconds(action: Callable[[], object], *, runs: int = 5, warm_up: int = 1) -> float:
    """The median of several runs: this is a shared machine, and its mean says little."""
    for _ in range(warm_up):
        action()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def table(rows: list[Row]) -> str:
    """For people: one line per figure."""
    lines = [f"{'':48} {'ours':>12} {'other':>12} {'ratio':>8} {'bound':>8}"]
    for row in rows:
        other = f"{row.other:.2f} {row.unit}" if row.other else ""
        ratio = f"{row.measured:.2f}" if row.other else ""
        sign = "≥" if row.at_least else "≤"
        bound = "" if row.bound is None else f"{sign} {row.bound:g}"
        verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
        extra = " · ".join(part for part in (row.other_name, row.note) if part)
        ours = f"{row.ours:.2f} {row.unit}"
        line = f"{row.name:48} {ours:>12} {other:>12} {ratio:>8} {bound:>8} {verdict:7} {extra}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def document(rows: list[Row]) -> str:
    """For machines."""
    return json.dumps(
        {"version": 1, "rows": [{**asdict(row), "ratio": row.measured, "holds": row.holds} for row in rows]},
        indent=2,
    )
