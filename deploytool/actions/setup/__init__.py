"""`chatbot setup`: from a bare machine to one where a Docker Engine answers.

`machine.observe_machine` looks, `steps.plan_setup` decides (pure), `carry_out.carry_out_setup` does.
"""

from __future__ import annotations

from deploytool.actions.setup.carry_out import SetupResult, StepDone, carry_out_setup
from deploytool.actions.setup.machine import observe_machine
from deploytool.actions.setup.steps import ENGINE_PACKAGES, SetupPlan, SetupStep, plan_setup

__all__ = ["SetupPlan", "SetupResult", "SetupStep", "StepDone", "carry_out_setup", "plan_this_machine"]


def plan_this_machine(*, docker_host: str = "") -> SetupPlan:
    """Look at this machine and say what set-up will do. `docker_host`: DOCKER_HOST, "" when it is not set."""
    from deploytool.images.standins import HOST_PACKAGES

    return plan_setup(observe_machine(ENGINE_PACKAGES, HOST_PACKAGES, docker_host=docker_host))
