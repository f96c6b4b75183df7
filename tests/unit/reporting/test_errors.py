"""The layout of errors, at 80 and at 140 columns."""

from __future__ import annotations

import io

import pytest

from deploytool.errors import GateFailed, SettingsError
from deploytool.reporting import errors
from deploytool.reporting.screen import Screen, visible

UNKNOWN = SettingsError(
    "unknown setting `memroy`",
    where="environments/prod.yaml:18",
    details=("services.backend.limits.memroy",),
    hint="did you mean `memory`?",
)
GATE = GateFailed(
    "release 15 was not deployed, release 14 serves on: "
    "backend-3 answered 500 on /health for 20 s (want 200)",
    details=(
        "Traceback (most recent call last):",
        "pydantic_core.ValidationError: OPENAI_MODEL: field required",
    ),
    hint="mend it, then: chatbot deploy prod; the failed container is kept: chatbot logs prod --release 15",
)


def screen(width: int, *, colour: bool = False, unicode: bool = True) -> Screen:
    return Screen(io.StringIO(), colour=colour, width=width, unicode=unicode, is_terminal=colour)


def test_a_settings_error_is_three_lines() -> None:
    assert errors.lines(UNKNOWN, screen(80)) == [
        "✖ unknown setting `memroy`                                    [settings, exit 2]",
        "  environments/prod.yaml:18   services.backend.limits.memroy",
        "  did you mean `memory`?",
    ]


def test_a_failed_gate_at_80_columns() -> None:
    assert errors.lines(GATE, screen(80)) == [
        "✖ release 15 was not deployed, release 14 serves on: backend-3 answered 500 on",
        "  /health for 20 s (want 200)                              [gate-failed, exit 4]",
        "    Traceback (most recent call last):",
        "    pydantic_core.ValidationError: OPENAI_MODEL: field required",
        "",
        "  mend it, then: chatbot deploy prod; the failed container is kept: chatbot logs",
        "  prod --release 15",
    ]


@pytest.mark.parametrize("error", [UNKNOWN, GATE])
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_it_fits(error: SettingsError | GateFailed, width: int) -> None:
    plain = errors.lines(error, screen(width))
    assert all(visible(line) <= width for line in plain)
    coloured = errors.lines(error, screen(width, colour=True))
    assert [visible(line) for line in coloured] == [visible(line) for line in plain]


def test_the_code_stands_at_the_right_edge_but_not_too_far_away() -> None:
    assert visible(errors.lines(UNKNOWN, screen(140))[0]) == 120
    assert visible(errors.lines(UNKNOWN, screen(80))[0]) == 80


def test_a_container_that_prints_escapes_does_no_harm() -> None:
    error = GateFailed("it\x1b[2J failed", details=("\x1b]0;owned\x07bad\r\n",))
    shown = "".join(errors.lines(error, screen(80)))
    assert "\x1b" not in shown
    assert "owned" not in shown
    assert "it failed" in shown


def test_as_data() -> None:
    assert errors.as_data(UNKNOWN) == {
        "format": 1,
        "error": {
            "code": "settings",
            "message": "unknown setting `memroy`",
            "where": "environments/prod.yaml:18",
            "details": ["services.backend.limits.memroy"],
            "hint": "did you mean `memory`?",
            "exit_code": 2,
        },
    }
