"""A plan as text and as plain data. The command line prints this; tests compare it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploytool.plan import operations as steps
from deploytool.plan.model import Plan, ServiceChange
from deploytool.plan.operations import Operation
from deploytool.stack import routes, words

SIGNS = {
    "create": "+",
    "replace": "~",
    "start": "~",
    "scale": "~",
    "update": "~",
    "routes": "~",
    "clear": "-",
    "remove": "-",
    "none": "=",
}


def overview(plan: Plan) -> Iterator[str]:
    """Service by service, setting by setting, and a line that counts."""
    width = max((len(change.service) for change in plan.services), default=0)
    for change in plan.services:
        yield f"  {SIGNS[change.action]} {change.service:<{width}}  {headline(change)}"
        if change.changes:
            names = max(len(entry.setting) for entry in change.changes)
            for entry in change.changes:
                yield f"      {entry.setting:<{names}}  {entry.before} → {entry.after}"
        for sentence in change.drift:
            yield f"  ! {sentence}"
    yield count(plan)


def headline(change: ServiceChange) -> str:
    """One service's change in a few words."""
    before, after = change.replicas_before, change.replicas_after
    plural = "s" if after != 1 else ""
    if change.action == "create":
        return f"create {after} replica{plural}"
    if change.action == "none":
        return f"unchanged ({after} replica{plural})"
    if change.action == "remove":
        return "remove"
    if change.action == "scale":
        return f"scale {before} → {after}"
    if change.action == "start":
        return "start what is stopped"
    if change.action == "update":
        return "put back the limits, no restart"
    if change.action == "replace" and not change.how:
        return f"replace, {after} replica{plural}"
    return change.how or change.action


def count(plan: Plan) -> str:
    """ "2 to change, 1 to repair, 0 to remove." or that nothing has to be done."""
    if plan.empty:
        return "Nothing to do: what runs is what is wanted."
    repair = sum(bool(change.drift) for change in plan.services)
    remove = sum(change.action in ("remove", "clear") for change in plan.services)
    create = sum(change.action == "create" for change in plan.services)
    change = sum(c.action not in ("none", "remove", "clear", "create") and not c.drift for c in plan.services)
    return f"{create} to create, {change} to change, {repair} to repair, {remove} to remove."


def step(operation: Operation) -> str:
    """One operation as a line: what, then why."""
    what = _WHAT[type(operation)](operation)
    return f"{what}  ({operation.cause})" if operation.cause else what


def step_lines(plan: Plan) -> Iterator[str]:
    """All operations, numbered."""
    for number, operation in enumerate(plan.operations, 1):
        yield f"{number:>3}  {step(operation)}"


def as_data(plan: Plan) -> dict[str, Any]:
    """The plan for `--json`."""
    return {
        "project": plan.project,
        "empty": plan.empty,
        "services": [
            {
                "service": change.service,
                "action": change.action,
                "how": change.how,
                "replicas": {"before": change.replicas_before, "after": change.replicas_after},
                "changes": [
                    {"setting": entry.setting, "before": entry.before, "after": entry.after}
                    for entry in change.changes
                ],
                "drift": list(change.drift),
            }
            for change in plan.services
        ],
        "operations": [
            {
                "operation": kind(operation),
                "service": operation.service,
                "text": step(operation),
                "cause": operation.cause,
                "undo": [step(entry) for entry in operation.undo],
            }
            for operation in plan.operations
        ],
    }


def kind(operation: Operation) -> str:
    """The operation's name in JSON: create_container for CreateContainer."""
    name = type(operation).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _routes(operation: Any) -> str:
    if operation.restore:
        return "put back the routes"
    targets = ", ".join(
        f"{service} → {' '.join(names)}" for service, names in routes.mapping(operation.upstreams).items()
    )
    return f"write routes: {targets or 'no containers'}"


def _secrets(operation: Any) -> str:
    verb = "put back" if operation.restore else "write"
    return f"{verb} secrets of {operation.service}: {', '.join(operation.names)}"


_WHAT: dict[type[Operation], Any] = {
    steps.BuildImage: lambda o: f"build {o.image}",
    steps.PullImage: lambda o: f"pull {o.image}",
    steps.CreateNetwork: lambda o: f"create network {o.network.name}",
    steps.CreateVolume: lambda o: f"create volume {o.volume.name}",
    steps.WriteSecrets: _secrets,
    steps.WriteRoutes: _routes,
    steps.RunRelease: lambda o: f"run {' '.join(o.specification.release_command)} in {o.container}",
    steps.CreateContainer: lambda o: f"create {o.container}",
    steps.StartContainer: lambda o: f"start {o.container}",
    steps.AwaitHealthy: lambda o: f"wait until {o.container} is healthy, ≤ {words.nanoseconds(o.timeout)}",
    steps.AwaitCompleted: lambda o: f"wait until {o.container} has ended, ≤ {words.nanoseconds(o.timeout)}",
    steps.Drain: lambda o: f"drain {o.container}, ≤ {words.nanoseconds(o.timeout)}",
    steps.Watch: lambda o: f"watch {o.container} for {words.nanoseconds(o.duration)}",
    steps.Pause: lambda o: f"wait {words.nanoseconds(o.duration)}",
    steps.UpdateLimits: lambda o: f"set the limits of {o.container}",
    steps.StopContainer: lambda o: f"stop {o.container}, ≤ {words.nanoseconds(o.timeout)}",
    steps.RemoveContainer: lambda o: f"remove {o.container}",
    steps.RemoveNetwork: lambda o: f"remove network {o.name}",
    steps.RemoveVolume: lambda o: f"remove volume {o.name} and its data",
}
