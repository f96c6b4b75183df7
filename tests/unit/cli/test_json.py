"""`--json`: every command answers in the documented shape, errors too, and no secret is in it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from support.shapes import shapes

from deploytool.cli.verbs import VERBS
from deploytool.engines.fake.container import stamp
from deploytool.engines.protocol import LogLine

SHAPES = shapes()
SECRET = "not-to-be-shown-anywhere-0123456789"


def held(data: Any, name: str) -> Any:
    jsonschema.validate(data, SHAPES[name], cls=jsonschema.Draft202012Validator)
    return data


def data(ran: Any, name: str) -> Any:
    assert ran.err == ""
    document = held(ran.document, "envelope")
    assert SECRET not in ran.out
    assert document["command"] == name.partition(" --")[0]
    return held(document["data"], name)


def test_every_command_has_a_documented_shape() -> None:
    without = {"config"}  # config show and config schema answer with what the settings are
    assert {verb.name for verb in VERBS} - set(SHAPES) == without


def test_a_life(line: Any) -> None:
    line.secrets()
    assert data(line.chatbot("version", "--json"), "version")["version"]
    rendered = data(line.chatbot("render", "--json"), "render")
    assert "compose.yaml" in {file["path"] for file in rendered["files"]}
    before = data(line.chatbot("plan", "--json"), "plan")
    assert (before["empty"], before["release"], before["previous_release"]) == (False, 1, None)
    dry = data(line.chatbot("deploy", "--dry-run", "--json"), "deploy --dry-run")
    assert dry["plan"] == before
    assert data(line.chatbot("build", "--json"), "build")["images"] == []
    deployed = data(line.chatbot("deploy", "--json"), "deploy")
    assert (deployed["changed"], deployed["release"]) == (True, 1)
    again = data(line.chatbot("deploy", "--json"), "deploy")
    assert (again["changed"], again["release"], again["plan"]["empty"]) == (False, 1, True)
    line.engine.pass_time(60)
    status = data(line.chatbot("status", "--json"), "status")
    assert status["healthy"] is True
    assert [(s["service"], s["wanted"], s["healthy"]) for s in status["services"]] == [
        ("backend", 1, 1),
        ("proxy", 1, 1),
    ]
    assert data(line.chatbot("exec", "backend", "--json", "--", "true"), "exec")["service"] == "backend"
    taken = data(line.chatbot("down", "--yes", "--json"), "down")
    assert (taken["changed"], taken["volumes"]) == (True, False)
    assert data(line.chatbot("down", "--yes", "--json"), "down")["changed"] is False


def test_logs_are_one_object_per_line(line: Any) -> None:
    line.chatbot("deploy")
    container = next(c for name, c in line.engine.containers.items() if "backend" in name)
    container.lines.append(
        LogLine("backend", container.name, stamp(line.engine.now), "stdout", "hello\x1b[2J")
    )
    ran = line.chatbot("logs", "--json")
    lines = [held(json.loads(entry), "logs") for entry in ran.out.splitlines()]
    assert [entry["text"] for entry in lines if entry["service"] == "backend"][-1] == "hello\x1b[2J"


def test_settings(line: Any) -> None:
    line.secrets()
    shown = held(line.chatbot("config", "show", "--json").document, "envelope")
    assert shown["command"] == "config show"
    schema = line.chatbot("config", "schema", "--json").document["data"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(line.chatbot("config", "schema").out) == schema
    explained = data(line.chatbot("config", "explain", "backend.limits.memory", "--json"), "config explain")
    assert explained["value"] == "512M"
    assert [layer["where"] for layer in explained["layers"] if layer["wins"]] == ["environments/base.yaml:10"]


def test_doctor(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploytool.actions import doctor
    from deploytool.actions.doctor import Checked, Examination, Finding, Verdict

    checks = tuple(
        Checked(f"check-{verdict}", "a check", Finding(verdict, "found", "do this"), 0.01)
        for verdict in Verdict
    )
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: Examination(checks))
    ran = line.chatbot("doctor", "--json")
    assert ran.code == 3
    assert data(ran, "doctor")["counts"] == {"pass": 1, "warn": 1, "fail": 1, "skip": 1}


def test_setup(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploytool.actions import setup
    from deploytool.actions.setup import SetupPlan, SetupResult, SetupStep, StepDone

    step = SetupStep(what="install docker.io", why="no Docker Engine answers")
    plan = SetupPlan(machine=None, steps=(step,), notes=("a note",))  # type: ignore[arg-type]
    result = SetupResult((StepDone("install docker.io", 2.0, "10 packages"),), ("a note",))
    monkeypatch.setattr(setup, "plan_this_machine", lambda **_: plan)
    monkeypatch.setattr(setup, "carry_out_setup", lambda *_, **__: result)
    answer = data(line.chatbot("setup", "--yes", "--json"), "setup")
    assert answer["steps"] == [
        {
            "what": "install docker.io",
            "why": "no Docker Engine answers",
            "seconds": 2.0,
            "detail": "10 packages",
        }
    ]
    refused = line.chatbot("setup", "--json")
    assert (refused.code, refused.document["error"]["details"]) == (2, ["install docker.io"])


@pytest.mark.parametrize("words", ["plan nowhere", "plan --nonsense", "nonsense", "exec backend", "down"])
def test_errors(line: Any, words: str) -> None:
    line.chatbot("deploy")
    ran = line.chatbot(*words.split(), "--json")
    assert ran.err == ""
    error = held(ran.document, "error")["error"]
    assert ran.code == error["exit_code"] == 2


def test_json_behind_two_dashes_belongs_to_the_command(line: Any) -> None:
    line.chatbot("deploy")
    ran = line.chatbot("exec", "nowhere", "--", "tool", "--json")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("✖ there is no service `nowhere`")


def test_no_secret_in_any_output(line: Any) -> None:
    line.secrets()
    said = [
        line.chatbot(*words.split())
        for words in (
            "plan",
            "plan --steps --json",
            "render",
            "deploy",
            "status",
            "status --json",
            "config show",
            "config explain backend.secrets",
            "logs",
            "down --yes",
        )
    ]
    assert all(ran.code == 0 for ran in said)
    assert not any(SECRET in ran.out + ran.err for ran in said)
    rendered = (path for path in (line.directory / ".chatbot").rglob("*") if path.is_file())
    assert not any(SECRET.encode() in path.read_bytes() for path in rendered)
