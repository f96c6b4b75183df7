"""Who is asked what: nobody for local, a person elsewhere, and refusal where nobody answers."""

from __future__ import annotations

from typing import Any

from deploytool.plan.operations import RemoveVolume

INTERRUPTING = """\
proxy: {entry_points: {backend: {published: 8000}}}
services: {backend: {replicas: 2}, proxy: {limits: {pids: 77}, environment: {A: b}}}
"""
ROLLING = """\
proxy: {entry_points: {backend: {published: 8000}}}
services: {backend: {replicas: 2, environment: {A: b}}}
"""


def test_local_asks_nothing(line: Any) -> None:
    assert line.chatbot("deploy").code == 0


def test_a_first_deploy_elsewhere_interrupts_nobody(line: Any) -> None:
    line.secrets("prod")
    assert line.chatbot("deploy", "prod").code == 0


def test_a_rolling_change_goes_on_without_an_answer(line: Any) -> None:
    line.secrets("prod")
    line.chatbot("deploy", "prod")
    line.write("environments/prod.yaml", ROLLING)
    plan = line.chatbot("plan", "prod")
    assert "no downtime" in plan.said
    assert line.chatbot("deploy", "prod").code == 0


def test_an_interruption_needs_a_yes(line: Any) -> None:
    line.secrets("prod")
    line.chatbot("deploy", "prod")
    line.write("environments/prod.yaml", INTERRUPTING)
    assert "service is interrupted" in line.chatbot("plan", "prod").said
    assert line.chatbot("plan", "prod", "--json").document["data"]["interrupts"] == ["proxy"]
    applied = len(line.engine.applied)
    refused = line.chatbot("deploy", "prod")
    assert refused.code == 2
    assert "proxy is interrupted" in refused.said
    assert "chatbot deploy prod --yes" in refused.said
    assert len(line.engine.applied) == applied
    assert line.chatbot("deploy", "prod", "--yes").code == 0


def test_json_is_no_terminal(line: Any) -> None:
    line.secrets("prod")
    line.chatbot("deploy", "prod")
    line.write("environments/prod.yaml", INTERRUPTING)
    refused = line.chatbot("deploy", "prod", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (2, "confirmation-needed")


def test_a_removed_service_needs_a_yes(line: Any) -> None:
    extra = "  worker: {image: 'demo/worker:1', user: '1:1', limits: {cpus: 1, memory: 64M}}\n"
    line.secrets("prod")
    line.write("environments/prod.yaml", f"services:\n  backend: {{replicas: 2}}\n{extra}")
    assert line.chatbot("deploy", "prod", "--yes").code == 0
    line.write("environments/prod.yaml", "services:\n  backend: {replicas: 2}\n")
    refused = line.chatbot("deploy", "prod")
    assert refused.code == 2
    assert "service worker is removed" in refused.said


def test_down_keeps_the_data_and_down_volumes_does_not(line: Any) -> None:
    line.chatbot("deploy")
    kept = line.chatbot("down", "--yes")
    assert (kept.code, "demo-local_backend-data" in line.engine.volumes) == (0, True)
    assert "its data stays" in kept.said
    line.chatbot("deploy")
    gone = line.chatbot("down", "--volumes", "--yes")
    assert (gone.code, "demo-local_backend-data" in line.engine.volumes) == (0, False)
    assert "volumes with their data: demo-local_backend-data" in gone.said
    assert any(isinstance(operation, RemoveVolume) for operation in line.engine.applied)
    assert line.chatbot("status").said.startswith("local · not deployed")


def test_a_second_down_says_that_there_is_nothing_to_do(line: Any) -> None:
    assert "nothing to do" in line.chatbot("down").said


def test_looking_is_guarded_by_the_client(line: Any) -> None:
    line.chatbot("deploy")
    line.options.clear()
    for words in ("plan", "logs", "deploy --dry-run"):
        assert line.chatbot(*words.split()).code == 0
    assert [options["read_only"] for options in line.options] == [True] * 3


def test_a_dry_run_applies_nothing(line: Any) -> None:
    ran = line.chatbot("deploy", "--dry-run")
    assert ran.code == 0
    assert "create demo-local-backend-1" in ran.out
    assert line.engine.applied == []
    assert not (line.directory / "environments" / "local.env.docker").exists()


def test_a_plan_names_the_secrets_that_a_deploy_will_ask_for(line: Any) -> None:
    assert "needs the secrets JWT_SECRET" in line.chatbot("plan", "prod").said
    assert line.chatbot("plan", "prod", "--json").document["data"]["missing_secrets"] == ["JWT_SECRET"]
    line.secrets("prod")
    assert "needs the secrets" not in line.chatbot("plan", "prod").said
    assert "needs the secrets" not in line.chatbot("plan", "local").said
