"""`chatbot setup`: from a bare machine to one where a Docker Engine answers.

`machine.observe_machine` looks, `steps.plan_setup` decides (pure), `carry_out.carry_out_setup` does.
"""

from __future__ import annotations

from dataclasses import replace

from deploytool.actions.setup.carry_out import SetupResult, StepDone, carry_out_setup
from deploytool.actions.setup.machine import LinkState, observe_machine
from deploytool.actions.setup.steps import ENGINE_PACKAGES, SetupPlan, SetupStep, plan_setup

__all__ = ["SetupPlan", "SetupResult", "SetupStep", "StepDone", "carry_out_setup", "plan_this_machine"]


def plan_this_machine(*, docker_host: str = "", link: bool = True) -> SetupPlan:
    """Look at this machine and say what set-up will do.

    `docker_host` is the engine's address, "" for the local socket; `link`: `chatbot` is to work anywhere.
    Raises SetupFailed where the way to an engine is not known.
    """
    from deploytool.images.standins import HOST_PACKAGES

    machine = observe_machine(ENGINE_PACKAGES, HOST_PACKAGES, docker_host=docker_host)
    return plan_setup(machine if link else replace(machine, link_state=LinkState.NOT_NEEDED))
