"""The trace decoder on what a real engine sent (20.10.24), on messages made here, and on noise."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.images.progress import Event, StepFinished, StepLog, StepStarted
from deploytool.images.steps import Steps
from deploytool.images.trace import Log, Malformed, Vertex, decode, fields


def recorded(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text().splitlines()]


def replay(name: str) -> tuple[Steps, list[Event]]:
    steps = Steps("backend")
    events: list[Event] = []
    for message in recorded(name):
        if message.get("id") == "moby.buildkit.trace":
            events += steps.see(*decode(base64.b64decode(str(message["aux"]))))
    return steps, events


def test_a_recorded_failure() -> None:
    steps, events = replay("failing_build.jsonl")
    assert steps.failing_step().startswith("[other 1/1] RUN printf")
    assert steps.failure().endswith("exit code: 3")
    assert steps.last_lines() == tuple(f"line {number}" for number in range(6, 21))
    output = [line for event in events if isinstance(event, StepLog) for line in event.lines]
    assert output == ["hello", "wörld", *(f"line {number}" for number in range(1, 21))]


def test_every_recorded_step_begins_once_and_ends_once_after_its_beginning() -> None:
    for name in ("failing_build.jsonl", "cached_build.jsonl"):
        _, events = replay(name)
        started = [event.step for event in events if isinstance(event, StepStarted)]
        finished = [event.step for event in events if isinstance(event, StepFinished)]
        assert sorted(started) == sorted(finished) == sorted(set(started))
        position = {
            (type(event), event.step): at for at, event in enumerate(events) if not hasattr(event, "tag")
        }
        assert all(position[StepStarted, step] < position[StepFinished, step] for step in started)


def test_recorded_cached_steps_are_counted_without_housekeeping() -> None:
    steps, events = replay("cached_build.jsonl")
    names = [event.name for event in events if isinstance(event, StepFinished) and "] FROM" not in event.name]
    names = [name for name in names if name.startswith("[") and "internal" not in name]
    assert steps.failing_step() == ""
    assert steps.cached == steps.finished == len(names) == 3


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def encode(*parts: tuple[int, int | bytes]) -> bytes:
    message = b""
    for number, value in parts:
        if isinstance(value, int):
            message += varint(number << 3) + varint(value)
        else:
            message += varint(number << 3 | 2) + varint(len(value)) + value
    return message


def test_a_vertex_with_all_its_fields() -> None:
    vertex = encode(
        (1, b"sha256:1"),
        (2, b"sha256:0"),
        (3, b"[1/2] RUN x"),
        (4, 1),
        (5, encode((1, 1_700_000_000), (2, 500_000_000))),
        (6, encode((1, 1_700_000_002))),
        (7, b"exit code: 1"),
        (99, b"of a later version"),
    )
    log = encode((1, b"sha256:1"), (3, 1), (4, b"out\n"))
    vertexes, logs = decode(encode((1, vertex), (3, log), (4, b"warning"), (2, b"status")))
    assert vertexes == (
        Vertex("sha256:1", "[1/2] RUN x", True, 1_700_000_000.5, 1_700_000_002.0, "exit code: 1"),
    )
    assert logs == (Log("sha256:1", b"out\n"),)


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 2**64 - 1) | st.binary(max_size=300))))
def test_fields_round_trip(parts: list[tuple[int, int | bytes]]) -> None:
    assert list(fields(encode(*parts))) == parts


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read_but_never_breaks(noise: bytes) -> None:
    try:
        vertexes, logs = decode(noise)
    except Malformed:
        return
    assert isinstance(vertexes, tuple)
    assert isinstance(logs, tuple)


@pytest.mark.parametrize("message", [b"\x0a\x05abc", b"\x08", b"\x0b", b"\x08" + b"\xff" * 11])
def test_cut_and_unknown_messages_are_malformed(message: bytes) -> None:
    with pytest.raises(Malformed):
        list(fields(message))


def step(**changes: object) -> Vertex:
    facts: dict[str, object] = {
        "digest": "a", "name": "[1/1] RUN x", "cached": False, "started": 1.0, "completed": 0.0, "error": "",
    }  # fmt: skip
    return Vertex(**{**facts, **changes})  # type: ignore[arg-type]


def test_output_comes_as_whole_lines_and_the_rest_at_the_end() -> None:
    steps = Steps("x")
    events = [
        *steps.see((step(),), (Log("a", b"one\ntw"),)),
        *steps.see((), (Log("a", b"o\nthr\xc3"),)),
        *steps.see((), (Log("a", b"\xa9e"),)),
        *steps.see((step(completed=3.0),), ()),
    ]
    assert [event.lines for event in events if isinstance(event, StepLog)] == [("one",), ("two",), ("thrée",)]
    assert isinstance(events[-1], StepFinished)
    assert events[-1].seconds == 2.0


def test_terminal_tricks_leave_what_one_would_see() -> None:
    steps = Steps("x")
    noise = b"\x1b[32mgreen\x1b[0m\n 10%\r 50%\r100% done\r\n\x1b]0;title\x07text\n\n"
    lines = [event.lines for event in steps.see((step(),), (Log("a", noise),)) if isinstance(event, StepLog)]
    assert lines == [("green", "100% done", "text")]


def test_the_failing_step_is_not_one_that_was_cancelled_beside_it() -> None:
    steps = Steps("x")
    list(steps.see((step(digest="b", name="[b 1/1] RUN y", completed=2.0, error="context canceled"),), ()))
    list(steps.see((step(completed=2.0, error="exit code: 1"),), ()))
    assert steps.failing_step() == "[1/1] RUN x"
