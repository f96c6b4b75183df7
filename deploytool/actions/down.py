"""`chatbot down`: take the stack away, and its volumes only when asked and confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploytool.actions.carry_out import CarryOut
from deploytool.actions.deploy import holder
from deploytool.actions.powers import require
from deploytool.actions.prepare import Prepared
from deploytool.actions.progress import Listener
from deploytool.engines.protocol import Engine, KeepsState
from deploytool.errors import ConfirmationNeeded
from deploytool.plan.model import Plan
from deploytool.plan.planner import plan_down


@dataclass(frozen=True, slots=True)
class Downed:
    """What was taken away."""

    plan: Plan
    changed: bool
    volumes: bool


def down(
    prepared: Prepared, engine: Engine, *, volumes: bool, confirm: Callable[[Plan], bool], listener: Listener
) -> Downed:
    """Stop and remove containers and networks; with `volumes`, data and the release history too.

    Raises ConfirmationNeeded, Locked, StepFailed as GateFailed.
    """
    state = require(engine, KeepsState, "keep releases")
    made = plan_down(prepared.stack, engine.observe(prepared.stack), volumes=volumes)
    if made.empty and not (volumes and state.read_state(prepared.stack.project)):
        return Downed(plan=made, changed=False, volumes=volumes)
    if not confirm(made):
        raise ConfirmationNeeded("nothing was taken down: not confirmed", hint="answer yes, or give --yes")
    state.lock(prepared.stack.project, holder("down"))
    try:
        CarryOut(
            engine=engine,
            stack=prepared.stack,
            release=0,
            secrets={},
            build=lambda operations: None,  # noqa: ARG005 - a plan to take down builds nothing
            listener=listener,
        ).run(made)
        if volumes:
            state.remove_state(prepared.stack.project)
    finally:
        state.unlock(prepared.stack.project)
    return Downed(plan=made, changed=True, volumes=volumes)
