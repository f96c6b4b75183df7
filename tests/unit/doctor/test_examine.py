"""The whole examination, without an engine and with the fake one. Whatever reaches out is answered here."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import projects

from deploytool.actions.doctor import examine, network
from deploytool.actions.doctor.check import Checked, Finding, Verdict, passed
from deploytool.engines.protocol import EngineDescription
from deploytool.engines.registry import create_engine
from deploytool.errors import EngineUnreachable, ExitCode


class DeadEngine:
    kind = "docker"

    def describe(self) -> EngineDescription:
        raise EngineUnreachable("no Docker Engine answers", hint="chatbot setup")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("clock_of_the_world", "packages", "interception"):
        monkeypatch.setattr(network, name, lambda: passed("played"))
    monkeypatch.setattr(network, "registry_answers", lambda _address: False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> projects.Project:
    """A project whose ports are free, whatever else runs on this machine."""
    made = projects.make(tmp_path)
    for name, value in made.environment().items():
        if name.startswith("CHATBOT__PROXY__"):
            monkeypatch.setenv(name, value)
    return made


def findings(checks: tuple[Checked, ...]) -> dict[str, Finding]:
    return {check.name: check.finding for check in checks}


def test_no_engine_is_one_failure_and_many_skips(project: projects.Project) -> None:
    examination = examine("local", project.directory, DeadEngine())  # type: ignore[arg-type]
    found = findings(examination.checks)
    assert examination.exit_code is ExitCode.PARTLY
    assert [name for name, finding in found.items() if finding.verdict is Verdict.FAIL] == ["engine"]
    assert found["engine"].remedy == "chatbot setup"
    assert found["settings"].verdict is Verdict.PASS, found["settings"]
    skipped = {name for name, finding in found.items() if finding.verdict is Verdict.SKIP}
    assert {"api", "storage", "disk", "memory", "build-dns", "leftovers", "lock"} <= skipped
    assert len(found) >= 15


def test_wrong_settings_are_one_failure(project: projects.Project) -> None:
    project.write("local", "services:\n  backend:\n    limits: {memroy: 1G}\n")
    found = findings(examine("local", project.directory, create_engine("fake")).checks)
    assert [name for name, finding in found.items() if finding.verdict is Verdict.FAIL] == ["settings"]
    assert "environments/local.yaml:3" in found["settings"].value
    assert found["ports"].verdict is Verdict.SKIP


def test_every_warning_and_failure_says_what_to_do(project: projects.Project) -> None:
    project.write("local", "services:\n  backend:\n    limits: {cpus: 4096}\n")
    examination = examine("local", project.directory, create_engine("fake"))
    for check in examination.checks:
        if check.finding.verdict in (Verdict.WARN, Verdict.FAIL):
            assert check.finding.remedy, check
