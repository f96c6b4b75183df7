"""`chatbot plan`: what a deploy would change and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.actions.powers import require
from deploytool.actions.prepare import Prepared
from deploytool.engines.protocol import Engine, KeepsState
from deploytool.errors import NotSupported
from deploytool.plan.model import Plan
from deploytool.plan.observed import Observed
from deploytool.plan.planner import plan
from deploytool.releases.history import Release, next_number, releases
from deploytool.secrets import versions
from deploytool.stack.model import Stack


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made from."""

    plan: Plan
    observed: Observed
    state: Mapping[str, bytes]
    """The state volume's files."""
    release: int
    """The number the release will have."""
    previous: Release | None
    secrets_key: bytes
    secrets_versions: Mapping[str, str]
    sources: Mapping[str, str]
    """Where a changed setting stands, as "environments/prod.yaml:18", by "service.setting"."""


def plan_environment(
    prepared: Prepared, engine: Engine, *, stack: Stack | None = None, rebuild: frozenset[str] = frozenset()
) -> Planned:
    """Observe and plan. `stack` stands for the prepared one where another is wanted (scale, rollback).

    Raises NotSupported when the engine cannot honour the stack, EngineUnreachable and its kin.
    """
    wanted = stack or prepared.stack
    refused = engine.unsupported(wanted)
    if refused:
        raise NotSupported(
            f"the {engine.kind} engine cannot honour this stack: {refused[0]}", details=refused[1:]
        )
    state = require(engine, KeepsState, "keep releases").read_state(wanted.project)
    observed = engine.observe(wanted)
    key = state.get(versions.KEY_FILE) or versions.new_key()
    secrets = {name: versions.version(key, values) for name, values in prepared.secrets.items()}
    made = plan(wanted, observed, secrets_versions=secrets, rebuild=rebuild)
    history = releases(state)
    return Planned(
        plan=made,
        observed=observed,
        state=state,
        release=next_number(state),
        previous=history[-1] if history else None,
        secrets_key=key,
        secrets_versions=secrets,
        sources=_sources(made, prepared),
    )


def _sources(made: Plan, prepared: Prepared) -> dict[str, str]:
    if not any(change.changes for change in made.services):
        return {}  # nothing to explain, and reading the settings takes time
    from deploytool.settings import source_of

    found = {}
    for change in made.services:
        for entry in change.changes:
            path = f"services.{change.service}.{entry.setting}"
            source = source_of(path, prepared.facts.environment, prepared.project_dir)
            if source:
                found[f"{change.service}.{entry.setting}"] = source
    return found
