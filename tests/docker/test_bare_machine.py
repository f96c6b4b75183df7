"""From a bare machine to a healthy local deployment with one command, and nothing the second time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest
from support import bare

# The tiny model: what is tested here is the way, and the large one is a gigabyte of download.
VARIABLES = {"CHATBOT__MODEL__SIZE": "tiny"} | {
    name: os.environ[name] for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") if name in os.environ
}
ASK = "python3 -c \"import urllib.request as r; print(r.urlopen('{}', timeout=10).status)\""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bare.BareMachine]:
    made = bare.make(tmp_path_factory.mktemp("bare"))
    yield made
    made.remove()


@pytest.mark.docker
@pytest.mark.timeout(1500)
def test_make_up_twice_on_a_bare_machine(machine: bare.BareMachine) -> None:
    code, _ = machine.run("command -v dockerd || command -v pip || python3 -c 'import ensurepip'")
    assert code != 0, "the machine is not bare"

    code, first = machine.run("make up", **VARIABLES)
    assert code == 0, first
    assert "http://localhost:3000" in first
    assert "http://localhost:8000" in first
    for address in ("http://localhost:3000/api/health", "http://localhost:8000/health"):
        code, answer = machine.run(ASK.format(address))
        assert (code, answer.strip()) == (0, "200"), answer

    containers = machine.run("docker ps --quiet --no-trunc | sort")
    began = time.monotonic()
    code, second = machine.run("make up", **VARIABLES)
    assert code == 0, second
    assert "nothing to do" in second
    assert machine.run("docker ps --quiet --no-trunc | sort") == containers
    assert time.monotonic() - began < 30, second

    # A health command that a busy machine does not get to within two seconds counts as "not known yet".
    deadline = time.monotonic() + 90
    healthy = False
    while not healthy and time.monotonic() < deadline:
        code, answer = machine.run("chatbot status --json", **VARIABLES)
        assert code == 0, answer
        services = json.loads(answer)["data"]["services"]
        healthy = all(service["healthy"] == service["wanted"] for service in services)
    assert healthy, answer
