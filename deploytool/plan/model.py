"""A plan: what changes, why, in which steps."""

from __future__ import annotations

from dataclasses import dataclass

from deploytool.plan.operations import Operation


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting that differs, in the words of the settings; values are for people."""

    setting: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """What happens to one service.

    action: create | replace | start | scale | update (limits in place) | routes (configuration only) |
    clear (stopped leftovers go) | remove | none.
    """

    service: str
    action: str
    replicas_before: int
    replicas_after: int
    changes: tuple[SettingChange, ...] = ()
    drift: tuple[str, ...] = ()
    """Sentences about what somebody or something changed behind our back."""
    how: str = ""
    """How the change is rolled out, for example "rolling, start first, 1 at a time"."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from what runs to what should run."""

    project: str
    services: tuple[ServiceChange, ...] = ()
    operations: tuple[Operation, ...] = ()

    @property
    def empty(self) -> bool:
        """True when nothing has to be done."""
        return not self.operations
