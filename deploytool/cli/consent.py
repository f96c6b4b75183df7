"""Which plans need a person's yes: those that interrupt a service or take something away."""

from __future__ import annotations

from collections import Counter

from deploytool.actions.plan import Planned
from deploytool.errors import ConfirmationNeeded
from deploytool.plan.operations import RemoveNetwork, RemoveVolume, StartContainer, StopContainer


def consequences(planned: Planned) -> tuple[str, ...]:
    """Sentences on what a plan interrupts or removes; empty when service goes on all the time."""
    wanted = {
        change.service
        for change in planned.plan.services
        if change.replicas_after > 0 and change.action != "remove"
    }
    up = Counter(c.service for c in planned.observed.containers if c.running and not c.one_off)
    served = {service for service, count in up.items() if count}
    found: dict[str, None] = {}
    for operation in planned.plan.operations:
        if isinstance(operation, StartContainer):
            up[operation.service] += 1
        elif isinstance(operation, StopContainer) and operation.service in served:
            up[operation.service] -= 1
            if up[operation.service] <= 0:
                verb = "is interrupted" if operation.service in wanted else "is taken away"
                found[f"{operation.service} {verb}"] = None
        elif isinstance(operation, RemoveVolume):
            found[f"volume {operation.name} is removed with its data"] = None
        elif isinstance(operation, RemoveNetwork):
            found[f"network {operation.name} is removed"] = None
    return tuple(found)


def refuse_interruptions(planned: Planned, environment: str) -> None:
    """Raise ConfirmationNeeded when the plan interrupts or removes and nobody is there to answer."""
    said = consequences(planned)
    if said:
        raise ConfirmationNeeded(
            "this deploy interrupts or removes something, and nobody is there to say yes",
            details=said,
            hint=f"chatbot deploy {environment} --yes",
        )
