"""Generated requests against the running API: no 5xx, and no answer that is not documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from backend_support.people import Person
from backend_support.provider import ScriptedProvider
from backend_support.servers import BackendProcess

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
_LEAST_CASES = 1000  # on each database


def test_generated_requests_find_nothing(
    backend: BackendProcess, provider: ScriptedProvider, tmp_path: Path
) -> None:
    person = Person(backend.url)
    # Real ids, so that more than the 404 behind each path is looked at.
    task, reply = person.task("fuzzed"), person.say("words=2")
    hooks = tmp_path / "hooks.py"
    hooks.write_text(
        f"""
import schemathesis
IDS = {{
    "task_id": "{task["id"]}",
    "conversation_id": "{reply.conversation_id}",
    "message_id": "{reply.message_id}",
}}

@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if not path_parameters:
        return path_parameters
    known = {{name: IDS[name] for name in path_parameters if name in IDS}}
    return {{**path_parameters, **known}} if len(repr(path_parameters)) % 3 else path_parameters
"""
    )
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{backend.url}/openapi.json",
            *("--header", f"Authorization: Bearer {person.access_token}"),
            *("--phases", "examples,coverage,fuzzing"),
            *("--checks", _CHECKS),
            *("--max-examples", "25"),
            *("--seed", "20261123"),
            "--no-color",
        ],
        env={"PATH": "/usr/bin:/bin", "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found = re.search(r"([\d,]+) generated", done.stdout)
    assert found, done.stdout[-2000:]
    assert int(found[1].replace(",", "")) >= _LEAST_CASES
    # It was signed in to the end: the account is still there, and so is the sign-in.
    assert person.call("GET", "/api/account")["id"] == person.id
    assert "unhandled error" not in backend.log()
