"""Bad input: a clear paragraph, the right exit code, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from deploytool.errors import (
    BuildFailed,
    DiskFull,
    EnginePermissionDenied,
    EngineTooOld,
    EngineUnreachable,
)
from deploytool.plan.operations import CreateContainer, PullImage


@dataclass(frozen=True)
class Case:
    """One wrong thing: how to bring it about, what is typed, and what must be answered."""

    name: str
    words: str
    code: int
    said: tuple[str, ...]
    bring_about: Callable[[Any], object] = lambda line: None
    kind: str = ""


def local(text: str) -> Callable[[Any], object]:
    """environments/local.yaml with that text."""
    return lambda line: line.write("environments/local.yaml", text)


def services(text: str) -> Callable[[Any], object]:
    return local(f"services:\n  backend:\n    {text}\n")


def template(name: str, text: str) -> Callable[[Any], object]:
    """The project's own templates with one of them replaced."""

    def bring_about(line: Any) -> None:
        folder = line.directory / "templates"
        source = folder.resolve()
        folder.unlink()
        folder.mkdir()
        for path in source.rglob("*"):
            if path.is_file():
                target = folder / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        (folder / name).write_text(text)

    return bring_about


def compose_with(extra: str) -> Callable[[Any], object]:
    def bring_about(line: Any) -> None:
        source = (line.directory / "templates").resolve() / "compose.yaml.j2"
        template("compose.yaml.j2", source.read_text() + extra)(line)

    return bring_about


CASES = (
    # the command line
    Case("unknown command", "deplyo prod", 2, ("no command `deplyo`", "chatbot deploy prod"), kind="usage"),
    Case("nothing like a command", "xyzzy", 2, ("no command `xyzzy`", "chatbot --help"), kind="usage"),
    Case("unknown option", "plan --jsn", 2, ("--jsn",), kind="usage"),
    Case("two environments", "plan local -e prod", 2, ("`local` and `prod`",), kind="usage"),
    Case("option without a value", "logs --tail", 2, ("--tail",), kind="usage"),
    Case("not a number", "logs --tail many", 2, ("--tail", "`many`", "whole number"), kind="usage"),
    Case(
        "not a point in time", "logs --since yesterday-ish", 2, ("yesterday-ish", "--since 10m"), kind="usage"
    ),
    Case("no such folder", "plan --project-dir /no/such", 2, ("/no/such", "does not exist"), kind="usage"),
    Case("exec without a command", "exec backend", 2, ("chatbot exec backend -- sh",), kind="usage"),
    Case("exec without a service", "exec", 2, ("SERVICE",), kind="usage"),
    Case("too many words", "plan local prod", 2, ("prod",), kind="usage"),
    # settings
    Case("missing environment", "plan prd", 2, ("`prd`", "did you mean `prod`"), kind="environment-missing"),
    Case(
        "unknown key",
        "plan",
        2,
        ("unknown setting `memroy`", "environments/local.yaml:3", "did you mean `memory`"),
        services("limits: {memroy: 1G}"),
        "settings",
    ),
    Case(
        "wrong unit",
        "plan",
        2,
        ("12 parsecs", "local.yaml:3"),
        services("limits: {memory: 12 parsecs}"),
        "settings",
    ),
    Case("not a map", "plan", 2, ("local.yaml",), local("- a\n- b\n"), "settings"),
    Case("not YAML", "plan", 2, ("local.yaml:2",), local("services: {\n  backend: [}\n"), "settings"),
    Case("wrong type", "plan", 2, ("replicas", "whole number"), services("replicas: many"), "settings"),
    Case(
        "out of range",
        "plan",
        2,
        ("published", "70000"),
        local("proxy: {entry_points: {backend: {published: 70000}}}\n"),
        "settings",
    ),
    Case(
        "unknown setting explained",
        "config explain backend.limits.memroy",
        2,
        ("memroy", "memory"),
        kind="settings",
    ),
    # secrets
    Case(
        "secret missing",
        "deploy prod --yes",
        2,
        ("JWT_SECRET", "prod.env.docker", "600"),
        kind="secret-missing",
    ),
    Case(
        "secrets file open to others",
        "deploy",
        2,
        ("local.env.docker",),
        lambda line: line.secrets(mode=0o644),
        "secret-file",
    ),
    Case(
        "secrets file that is none",
        "deploy",
        2,
        ("local.env.docker:1", "NAME=value"),
        lambda line: line.write("environments/local.env.docker", "hello\n", 0o600),
        "secret-file",
    ),
    # templates and the bundle
    Case(
        "template syntax",
        "render",
        2,
        ("compose.yaml.j2:1",),
        template("compose.yaml.j2", "{% if %}\n"),
        "template",
    ),
    Case(
        "template variable",
        "render",
        2,
        ("compose.yaml.j2:2", "nonsense"),
        template("compose.yaml.j2", "name: x\n{{ nonsense.x }}\n"),
        "template",
    ),
    Case(
        "unsupported Compose key",
        "plan",
        2,
        ("configs",),
        compose_with("\nconfigs: {a: {file: b}}\n"),
        "compose-key",
    ),
    Case(
        "bundle that is no YAML",
        "plan",
        2,
        ("compose.yaml",),
        template("compose.yaml.j2", "a: [\n"),
        "bundle",
    ),
    # services
    Case("unknown service", "logs bakend", 2, ("`bakend`", "did you mean `backend`"), kind="service-unknown"),
    Case(
        "nothing runs",
        "exec backend -- ls",
        2,
        ("no running replica of backend", "chatbot status local"),
        kind="service-unknown",
    ),
    # the engine
    Case(
        "engine down",
        "deploy",
        6,
        ("no Docker Engine answers", "chatbot setup"),
        lambda line: line.engine.fail(
            "observe", error=EngineUnreachable("no Docker Engine answers", hint="chatbot setup")
        ),
        "engine-unreachable",
    ),
    Case(
        "no permission on the socket",
        "deploy",
        6,
        ("may not use",),
        lambda line: line.engine.fail(
            "observe", error=EnginePermissionDenied("you may not use the engine's socket")
        ),
        "engine-permission",
    ),
    Case(
        "engine too old",
        "deploy",
        7,
        ("1.30",),
        lambda line: line.engine.fail(
            "observe", error=EngineTooOld("the engine speaks API 1.30, 1.41 is needed")
        ),
        "engine-too-old",
    ),
    Case(
        "port taken",
        "deploy",
        4,
        ("8000", "nginx (pid 7)"),
        lambda line: line.engine.ports_held.update({8000: "nginx (pid 7)"}),
        "gate-failed",
    ),
    Case(
        "disk full",
        "deploy",
        4,
        ("no room left",),
        lambda line: line.engine.fail(
            CreateContainer, error=DiskFull("the engine's disk has no room left", hint="docker system df")
        ),
        "disk-full",
    ),
    Case(
        "build failure",
        "deploy",
        4,
        ("npm ci", "ERR! missing: react"),
        lambda line: line.engine.fail(
            PullImage,
            error=BuildFailed("frontend: `RUN npm ci` failed", details=("npm ERR! missing: react",)),
        ),
        "build-failed",
    ),
    Case(
        "image nowhere",
        "deploy",
        4,
        ("demo/nowhere:1",),
        lambda line: line.write(
            "environments/local.yaml", "services: {backend: {image: 'demo/nowhere:1'}}\n"
        ),
        "image-missing",
    ),
    Case(
        "never healthy",
        "deploy",
        4,
        ("backend-1", "chatbot logs local --release 1"),
        lambda line: line.engine.never_healthy.add("backend"),
        "gate-failed",
    ),
    # questions nobody answers
    Case(
        "down without an answer",
        "down",
        2,
        ("nobody is there", "chatbot down local --yes"),
        lambda line: line.chatbot("deploy"),
        "confirmation-needed",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input(line: Any, case: Case) -> None:
    case.bring_about(line)
    before = dict(line.engine.containers)
    ran = line.chatbot(*case.words.split())
    assert ran.code == case.code, ran.said
    for words in case.said:
        assert words in ran.said
    assert ran.out == "" or case.code == 4 or case.words == "down"
    lines = ran.err.splitlines()
    assert lines[0].startswith("✖ ")
    assert any(f"[{case.kind}, exit {case.code}]" in entry for entry in lines[:3])
    assert all(len(entry) <= 100 for entry in lines)
    assert len(lines) <= 14
    running = {name for name, container in line.engine.containers.items() if container.state == "running"}
    assert running <= set(before)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input_as_json(line: Any, case: Case) -> None:
    case.bring_about(line)
    words = case.words.split()
    at = words.index("--") if "--" in words else len(words)
    ran = line.chatbot(*words[:at], "--json", *words[at:])
    assert ran.code == case.code
    assert ran.err == ""
    error = ran.document["error"]
    assert (error["code"], error["exit_code"]) == (case.kind, case.code)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 25
    assert len({case.name for case in CASES}) == len(CASES)
