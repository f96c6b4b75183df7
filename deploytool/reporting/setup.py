"""What set-up will do, does, and did."""

from __future__ import annotations

from typing import Any

from deploytool.actions.setup import SetupPlan, SetupResult, StepDone
from deploytool.reporting.screen import out
from deploytool.stack import words


def as_data(plan: SetupPlan, result: SetupResult) -> dict[str, Any]:
    """Steps with their time, and notes."""
    return {
        "changed": result.changed,
        "steps": [
            {"what": done.what, "why": step.why, "seconds": round(done.seconds, 3), "detail": done.detail}
            for step, done in zip(plan.steps, result.done, strict=False)
        ],
        "notes": list(result.notes),
        "login_needed": result.login_needed,
    }


def show_plan(plan: SetupPlan) -> None:
    """What will happen, before it happens."""
    screen = out()
    if plan.empty:
        return
    screen.line("set-up will")
    for step in plan.steps:
        screen.lines(screen.wrap(f"{step.what}, because {step.why}", "  - ", "    "))


def show(result: SetupResult) -> None:
    """What happened."""
    screen = out()
    for note in result.notes:
        screen.lines(screen.wrap(note, "  · ", "    "))
    mark = screen.style("✔", "green", "bold")
    said = "this machine is ready" if result.changed else "nothing to set up: this machine is ready"
    screen.line(f"{mark} {said}")


class Progress:
    """Says what goes on while set-up works."""

    def __init__(self, *, silent: bool = False) -> None:
        self.screen = out()
        self.silent = silent

    def report(self, text: str) -> None:
        """A sentence while a step goes on."""
        if not self.silent:
            self.screen.lines([self.screen.style(line, "dim") for line in self.screen.wrap(text, "    ")])

    def finished(self, done: StepDone) -> None:
        """A step has ended."""
        if self.silent:
            return
        detail = f", {done.detail}" if done.detail else ""
        took = f"  {words.duration(done.seconds)}"
        lines = self.screen.wrap(f"{done.what}{detail}{took}", "  ✔ ", "    ")
        lines[0] = f"  {self.screen.style('✔', 'green')}{lines[0][3:]}"
        self.screen.lines(lines)
