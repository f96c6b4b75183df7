"""Check machine, engine, network and settings: each with pass, warn, fail or skip, and a remedy.

Needs no running engine. Exit code 3 when something failed; warnings do not count.
"""

from __future__ import annotations

from deploytool.cli.options import Debug, Environment, EnvironmentOption, Json, ProjectDir, invocation


def run(
    environment: Environment = None,
    env: EnvironmentOption = None,
    json: Json = False,
    project_dir: ProjectDir = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Ask all questions and show the answers."""
    from deploytool.actions.doctor import examine
    from deploytool.engines import registry
    from deploytool.reporting import doctor as report

    call = invocation("doctor", environment, env, json, project_dir)
    # The settings may be what is wrong, so the engine is not taken from them. It may write: what a build sees
    # of the network is asked by tiny builds, which leave nothing behind.
    engine = registry.create_engine("docker")
    with report.waiting(silent=call.json) as finished:
        examination = examine(call.environment, call.project_dir, engine, finished=finished)
    if call.json:
        call.answer(report.as_data(examination))
    else:
        report.show(examination, call.environment)
    return int(examination.exit_code)
