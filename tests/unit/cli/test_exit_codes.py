"""Every exit code of errors.py, reached through main()."""

from __future__ import annotations

import signal
import sys
from typing import Any

import pytest

from deploytool.cli import main as entry
from deploytool.errors import (
    EngineRefused,
    EngineTooOld,
    EngineUnreachable,
    ExitCode,
    NotSupported,
    StepFailed,
)
from deploytool.plan.operations import AwaitHealthy, StopContainer


def test_done(line: Any) -> None:
    assert line.chatbot("plan").code == 0


def test_internal_error_is_one_line_and_asks_to_be_reported(line: Any) -> None:
    line.engine.fail("observe", error=ZeroDivisionError("division by zero"))
    ran = line.chatbot("plan")
    assert ran.code == 1
    assert "internal error: ZeroDivisionError: division by zero" in ran.said
    assert "report it" in ran.said
    assert "Traceback" not in ran.said


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_traceback_only_when_asked_for(line: Any, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    line.engine.fail("observe", error=ZeroDivisionError("division by zero"))
    if how == "variable":
        monkeypatch.setenv("CHATBOT_DEBUG", "1")
    ran = line.chatbot("plan", *(["--debug"] if how == "option" else []))
    assert ran.code == 1
    assert "Traceback (most recent call last)" in ran.err
    assert "ZeroDivisionError" in ran.err


def test_the_engine_refused_is_an_internal_error_with_its_own_code(line: Any) -> None:
    line.engine.fail("observe", error=EngineRefused("the engine said no"))
    assert line.chatbot("plan", "--json").document["error"] == {
        "code": "engine-refused",
        "message": "the engine said no",
        "where": "",
        "details": [],
        "hint": "",
        "exit_code": 1,
    }


def test_usage(line: Any) -> None:
    assert line.chatbot("plan", "--no-such-option").code == 2


def test_detailed_exit_code_of_a_plan(line: Any) -> None:
    line.secrets()
    assert line.chatbot("plan", "--detailed-exitcode").code == 2
    assert line.chatbot("deploy").code == 0
    assert line.chatbot("plan", "--detailed-exitcode").code == 0


def test_partly_done_is_what_the_doctor_answers_when_a_check_fails(
    line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deploytool.actions import doctor
    from deploytool.actions.doctor import Checked, Examination, Finding, Verdict

    finding = Finding(Verdict.FAIL, "0 B free", "docker system df")
    examination = Examination((Checked("disk", "disk", finding, 0.1),))
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: examination)
    ran = line.chatbot("doctor")
    assert ran.code == ExitCode.PARTLY == 3
    assert "fail disk 0 B free docker system df" in ran.said


def test_a_failed_gate_is_taken_back(line: Any) -> None:
    line.engine.never_healthy.add("backend")
    ran = line.chatbot("deploy")
    assert ran.code == ExitCode.ROLLED_BACK == 4
    assert "gate-failed, exit 4" in ran.said
    assert "chatbot logs local --release 1" in ran.said


def test_when_taking_back_fails_a_person_is_needed(line: Any) -> None:
    line.engine.fail(AwaitHealthy, error=StepFailed("it never answered"))
    line.engine.fail(StopContainer, error=StepFailed("it cannot be stopped"))
    ran = line.chatbot("deploy")
    assert ran.code == ExitCode.ROLLBACK_FAILED == 5
    assert "it never answered; taking it back failed too" in ran.said
    assert "it cannot be stopped" in ran.said


def test_unreachable(line: Any) -> None:
    line.engine.fail("observe", error=EngineUnreachable("no Docker Engine answers", hint="chatbot setup"))
    ran = line.chatbot("status")
    assert ran.code == ExitCode.UNREACHABLE == 6
    assert "no Docker Engine answers" in ran.said
    assert "chatbot setup" in ran.said


@pytest.mark.parametrize("error", [NotSupported("cannot"), EngineTooOld("API 1.30 is too old")])
def test_not_supported(line: Any, error: Exception) -> None:
    line.engine.fail("observe", error=error)
    assert line.chatbot("plan").code == ExitCode.UNSUPPORTED == 7


def test_what_an_engine_cannot_honour_is_said_before_anything_runs(line: Any) -> None:
    line.engine.cannot = ("backend wants a GPU",)
    ran = line.chatbot("deploy")
    assert ran.code == 7
    assert "backend wants a GPU" in ran.said
    assert line.engine.applied == []


def test_locked(line: Any) -> None:
    from deploytool.engines.protocol import LockHolder

    line.engine.lock("demo-local", LockHolder(who="ana@desk", purpose="deploy", since=0.0))
    ran = line.chatbot("deploy")
    assert ran.code == ExitCode.LOCKED == 8
    assert "ana@desk" in ran.said


def test_interrupted(line: Any) -> None:
    line.engine.fail(AwaitHealthy, error=KeyboardInterrupt())
    ran = line.chatbot("deploy")
    assert ran.code == ExitCode.INTERRUPTED == 130
    assert "what was begun was taken back" in ran.said


def test_interrupted_before_anything_began(line: Any) -> None:
    line.engine.fail("observe", error=KeyboardInterrupt())
    ran = line.chatbot("status", "--json")
    assert ran.code == 130
    assert ran.document["error"]["code"] == "interrupted"


def test_sigterm_is_like_ctrl_c(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    observe = line.engine.observe

    def killed(stack: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return observe(stack)

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr(line.engine, "observe", killed)
    assert line.chatbot("status").code == 130


def test_a_caller_that_ignores_hang_ups_is_left_alone(line: Any) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert line.chatbot("plan").code == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_reader_that_goes_away_is_no_error(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

        def isatty(self) -> bool:
            return False

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setattr(sys, "stdout", Gone())
    assert entry.main(["version"]) == 0
    sys.stdout.close()
