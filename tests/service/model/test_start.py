"""How the model server starts, and when and how it refuses to."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import machine
import pytest
import server
import shrink

FLAGS = "fpu sse4_2 avx avx2 fma f16c bmi1 bmi2"


def cpuinfo(tmp_path: Path, flags: str) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nmodel name\t: some\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n"
    )
    return path


@pytest.mark.parametrize(
    ("flags", "architecture", "missing"),
    [
        (FLAGS, "x86_64", []),
        (FLAGS.replace("avx2 ", ""), "x86_64", ["AVX2"]),
        ("fpu sse4_2 avx", "x86_64", ["AVX2", "FMA", "F16C", "BMI2"]),
        ("", "aarch64", []),
    ],
)
def test_a_processor_that_cannot_run_the_model_is_recognised(tmp_path, flags, architecture, missing):
    assert machine.missing_processor_features(cpuinfo(tmp_path, flags), architecture) == missing


def test_a_processor_that_cannot_be_asked_is_given_a_try(tmp_path):
    assert machine.missing_processor_features(tmp_path / "nothing", "x86_64") == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 4),
        ({"cpu.max": "max 100000\n"}, 4),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "900000 100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
    ],
)
def test_threads_follow_the_containers_processor_limit(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    assert machine.usable_processors(tmp_path) == expected


def test_limits_have_defaults_and_read_their_variables():
    assert server.limits_from({}).slots == 2
    limits = server.limits_from({"MODEL_SLOTS": "3", "MODEL_CONTEXT_TOKENS": " 2048 ", "MODEL_WAITING": "0"})
    assert (limits.slots, limits.context_tokens, limits.waiting) == (3, 2048, 0)


@pytest.mark.parametrize(
    ("name", "value", "range_text"),
    [
        ("MODEL_SLOTS", "many", "1 to 16"),
        ("MODEL_SLOTS", "0", "1 to 16"),
        ("MODEL_CONTEXT_TOKENS", "4k", "512 to 32768"),
        ("MODEL_PORT", "70000", "1 to 65535"),
        ("MODEL_THREADS", "-1", "1 to 128"),
        ("MODEL_ANSWER_TOKENS", "1_000", "16 to 8192"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(name, value, range_text):
    with pytest.raises(
        server.StartError, match=f"^{name} must be a whole number from {range_text}, not '{value}'$"
    ):
        server.limits_from({name: value})


def test_the_key_comes_from_the_variable_else_the_secret_file(tmp_path):
    assert server.api_key_from({}, tmp_path) == ""
    (tmp_path / "MODEL_API_KEY").write_text("from-file\n")
    assert server.api_key_from({}, tmp_path) == "from-file"
    assert server.api_key_from({"MODEL_API_KEY": "from-variable"}, tmp_path) == "from-variable"


def test_the_default_prompt_survives_quotes_and_line_ends():
    prompt = 'Say "hello" — \\ and\nbe brief'

    template = server.chat_template(prompt)

    assert "@DEFAULT_SYSTEM_PROMPT@" not in template
    assert json.dumps(prompt, ensure_ascii=False) in template


def start(models: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, server.__file__],
        env={**os.environ, "MODEL_DIRECTORY": str(models), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def weights(models: Path, description: str = '{"alias": "local-tiny", "name": "tiny"}') -> None:
    (models / "model.json").write_text(description)
    (models / "model.gguf").write_bytes(b"GGUF")


@pytest.mark.parametrize(
    ("prepare", "environment", "line"),
    [
        (
            weights,
            {"MODEL_SLOTS": "x"},
            "model: cannot start: MODEL_SLOTS must be a whole number from 1 to 16, not 'x'",
        ),
        (
            lambda models: None,
            {},
            "model: cannot start: {models}/model.json cannot be read; build the image again",
        ),
        (
            lambda models: (models / "model.json").write_text("{}"),
            {},
            "model: cannot start: {models}/model.gguf is missing; build the image again",
        ),
    ],
)
def test_a_start_that_makes_no_sense_ends_with_one_line(tmp_path, prepare, environment, line):
    prepare(tmp_path)

    ended = start(tmp_path, **environment)

    assert ended.returncode == server.EXIT_CONFIGURATION
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(line.format(models=tmp_path))


STUCK = """
import ctypes
from types import SimpleNamespace

class CommonParams(SimpleNamespace):
    def __init__(self):
        for name in ("model", "cpuparams", "cpuparams_batch", "sampling"):
            setattr(self, name, SimpleNamespace())

def Server(parameters):
    print("loading", flush=True)
    mutex = ctypes.create_string_buffer(256)
    ctypes.PyDLL(None).pthread_mutex_lock(mutex)
    ctypes.PyDLL(None).pthread_mutex_lock(mutex)  # for ever, and holding the interpreter's lock
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_stopped_while_the_weights_load(tmp_path, number):
    weights(tmp_path)
    (tmp_path / "xllamacpp.py").write_text(STUCK)

    with subprocess.Popen(
        [sys.executable, server.__file__],
        env={**os.environ, "MODEL_DIRECTORY": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "loading\n"
            process.send_signal(number)
            assert process.wait(timeout=10) == -number
        finally:
            process.kill()


def test_a_weak_processor_ends_with_one_line_instead_of_a_crash(monkeypatch, capsys):
    monkeypatch.setattr(server, "missing_processor_features", lambda: ["AVX2", "BMI2"])
    # The handlers are for a process of its own, not for the one that runs the tests.
    monkeypatch.setattr(server.signal, "signal", lambda *_: None)

    code = server.main()

    assert code == server.EXIT_CONFIGURATION
    said = capsys.readouterr().err
    assert said.startswith(
        "model: cannot start: this processor lacks AVX2, BMI2, which the local model needs;"
    )
    assert "OPENAI_BASE_URL" in said
    assert len(said.splitlines()) == 1


def test_a_library_without_its_sections_is_smaller_and_still_loads(tmp_path):
    found = importlib.util.find_spec("pydantic_core._pydantic_core")
    assert found is not None
    assert found.origin is not None
    library = tmp_path / Path(found.origin).name
    # What debug symbols look like to the loader: bytes after the last segment.
    library.write_bytes(Path(found.origin).read_bytes() + bytes(5000))
    before = library.stat().st_size

    saved = shrink.shrink(library)

    assert 5000 <= saved == before - library.stat().st_size
    loaded = subprocess.run(
        [sys.executable, "-c", f"import _pydantic_core as core; print(core.__file__ == {str(library)!r})"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "True\n"
    assert shrink.shrink(library) == 0


def test_what_is_no_library_is_left_alone(tmp_path):
    script = tmp_path / "linker-script.so"
    script.write_text("GROUP ( libother.so )")

    assert shrink.shrink(script) == 0
    assert script.read_text() == "GROUP ( libother.so )"
