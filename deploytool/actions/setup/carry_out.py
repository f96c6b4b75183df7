"""Does what a set-up plan says, step by step. Doing it twice changes nothing the second time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploytool.actions.setup import apt, daemon
from deploytool.actions.setup.commands import Report, as_root, require, run
from deploytool.actions.setup.steps import (
    InstallPackages,
    JoinGroup,
    LinkCommand,
    SetupPlan,
    SetupStep,
    StartEngine,
)
from deploytool.errors import SetupFailed


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step that was carried out; `seconds` is how long it took; `detail` how it went."""

    what: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What `chatbot setup` did. `login_needed`: the user's group is in force from the next login on."""

    done: tuple[StepDone, ...]
    notes: tuple[str, ...]
    login_needed: bool = False

    @property
    def changed(self) -> bool:
        """False when the machine was ready before."""
        return bool(self.done)


def carry_out_setup(
    plan: SetupPlan,
    *,
    report: Report | None = None,
    finished: Callable[[StepDone], None] | None = None,
) -> SetupResult:
    """Carry out the plan. `report` hears what goes on, `finished` each step's end.

    Raises RootNeeded before the first step where root is needed and cannot be had; SetupFailed.
    """
    machine = plan.machine
    for step in plan.steps:
        if not isinstance(step, LinkCommand):
            as_root([], root=machine.root, sudo=machine.sudo, what=step.what)
    done: list[StepDone] = []
    for step in plan.steps:
        began = time.monotonic()
        detail = _carry_out(step, plan, report or (lambda _words: None))
        done.append(StepDone(step.what, time.monotonic() - began, detail))
        if finished is not None:
            finished(done[-1])
    joined = any(isinstance(step, JoinGroup) for step in plan.steps)
    notes = plan.notes
    if joined:
        notes = (*notes, "a new login is needed for the group docker; until then: sg docker -c 'chatbot …'")
    return SetupResult(tuple(done), notes, login_needed=joined)


def _carry_out(step: SetupStep, plan: SetupPlan, report: Report) -> str:
    root, sudo = plan.machine.root, plan.machine.sudo
    match step:
        case InstallPackages(packages=packages):
            first = next(other for other in plan.steps if isinstance(other, InstallPackages))
            apt.install(packages, root=root, sudo=sudo, report=report, update=step is first)
            return ""
        case StartEngine(ways=ways):
            way = daemon.start_engine(ways, root=root, sudo=sudo, report=report)
            return {"installed": "the package started it", "process": "as a plain process"}.get(
                way, f"with {way}"
            )
        case JoinGroup(user=user):
            arguments = as_root(["usermod", "--append", "--groups", "docker", user], root=root, sudo=sudo)
            require(run(arguments, timeout=60), f"adding {user} to the group docker")
            return "from the next login on"
        case LinkCommand(command=command, link=link):
            return link_command(Path(command), Path(link))
    raise AssertionError(step)


def link_command(command: Path, link: Path) -> str:
    """Make `link` point to `command`; a dangling link is replaced, anything else is not touched."""
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink() and not link.exists():
            link.unlink()
        link.symlink_to(command)
    except OSError as error:
        raise SetupFailed(
            f"{link} could not be made: {error.strerror}",
            hint=f"use {command} itself, or link it where you like",
        ) from error
    return ""
