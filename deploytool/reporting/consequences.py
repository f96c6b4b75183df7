"""Which plans interrupt a service or take something away, found by going through their steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from deploytool.plan.model import Plan
from deploytool.plan.observed import Observed
from deploytool.plan.operations import RemoveNetwork, RemoveVolume, StartContainer, StopContainer


@dataclass(frozen=True, slots=True)
class Consequences:
    """Services that are down for a while, and what is gone afterwards."""

    interrupted: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """In words: "service worker", "volume x and its data"."""

    def __bool__(self) -> bool:
        """True when a person should be asked."""
        return bool(self.interrupted or self.removed)

    @property
    def sentences(self) -> tuple[str, ...]:
        """For errors and questions."""
        return (
            *(f"{service} is interrupted" for service in self.interrupted),
            *(f"{thing} is removed" for thing in self.removed),
        )


def consequences(plan: Plan, observed: Observed) -> Consequences:
    """Count the running replicas of every service through the plan: none left is an interruption."""
    staying = {c.service for c in plan.services if c.action != "remove" and c.replicas_after > 0}
    up = Counter(c.service for c in observed.containers if c.running and not c.one_off)
    served = {service for service, count in up.items() if count}
    interrupted: dict[str, None] = {}
    removed: dict[str, None] = {}
    for operation in plan.operations:
        if isinstance(operation, StartContainer):
            up[operation.service] += 1
        elif isinstance(operation, StopContainer) and operation.service in served:
            up[operation.service] -= 1
            if up[operation.service] <= 0:
                staying_service = operation.service in staying
                (interrupted if staying_service else removed)[
                    operation.service if staying_service else f"service {operation.service}"
                ] = None
        elif isinstance(operation, RemoveVolume):
            removed[f"volume {operation.name} and its data"] = None
        elif isinstance(operation, RemoveNetwork):
            removed[f"network {operation.name}"] = None
    return Consequences(tuple(interrupted), tuple(removed))
