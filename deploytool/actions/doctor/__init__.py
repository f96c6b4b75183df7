"""`chatbot doctor`: is everything there that a deploy needs, and what is to be done where it is not?

No engine is needed to ask: what cannot be looked at is skipped, and the check of what is missing fails.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deploytool.actions.doctor.check import Check, Checked, Examination, Finding, Verdict, run_checks
from deploytool.actions.doctor.questions import questions
from deploytool.actions.doctor.surroundings import look_around
from deploytool.engines.protocol import Engine

__all__ = ["Check", "Checked", "Examination", "Finding", "Verdict", "examine"]


def examine(
    environment: str,
    project_dir: Path,
    engine: Engine,
    *,
    finished: Callable[[Checked], None] | None = None,
) -> Examination:
    """All checks for one environment; they run at once. `finished` hears each answer as it comes."""
    return run_checks(questions(look_around(environment, project_dir, engine)), finished=finished)
