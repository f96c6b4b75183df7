"""The status screen: what is well, what is not, at 80 and at 140 columns."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from deploytool.actions.status import ContainerStatus, ImageStatus, ServiceStatus, Status, VolumeStatus
from deploytool.engines.protocol import EngineDescription, Usage
from deploytool.plan.model import ServiceChange
from deploytool.releases.history import Release
from deploytool.reporting.screen import Screen, visible
from deploytool.reporting.status import lines

NOW = 1_800_000_000.0
MIB = 1 << 20


def container(name: str = "demo-prod-backend-1", **changes: Any) -> ContainerStatus:
    usage = Usage(
        cpus=0.31,
        memory=310 * MIB,
        memory_limit=2048 * MIB,
        network_received=4 * MIB,
        network_sent=9 * MIB,
        disk_read=0,
        disk_written=MIB,
        processes=12,
    )
    made = ContainerStatus(
        name=name,
        number=1,
        state="running",
        health="healthy",
        exit_code=0,
        oom_killed=False,
        restarts=0,
        started_at=NOW - 11_520,
        finished_at=0.0,
        release=15,
        usage=usage,
    )
    return replace(made, **changes)


def service(*containers: ContainerStatus, name: str = "backend", wanted: int = 1) -> ServiceStatus:
    up = [c for c in containers if c.state == "running"]
    return ServiceStatus(
        service=name,
        wanted=wanted,
        running=len(up),
        healthy=sum(c.health in ("healthy", "none") for c in up),
        release=15,
        image=f"demo/{name}:1",
        cpu_limit=2_000_000_000,
        memory_limit=2048 * MIB,
        containers=containers,
    )


def status(*services: ServiceStatus, **changes: Any) -> Status:
    made = Status(
        project="demo-prod",
        environment="prod",
        engine=EngineDescription(kind="docker", version="20.10.24", api_version="1.41", address="unix:///x"),
        release=Release(15, NOW - 11_520, "ana", "shorter prompts", 19.6, {}, {}),
        services=services,
        volumes=(VolumeStatus("demo-prod_backend-data", "data", 48 * MIB),),
        images=(ImageStatus("backend", "demo/backend:1", 170 * MIB, True),),
        drift=(),
        pending=False,
        leftovers=(),
        stand_ins=(),
        urls={"frontend": "https://chat.example.com"},
    )
    return replace(made, **changes)


def shown(found: Status, width: int = 80, *, colour: bool = False) -> list[str]:
    return lines(
        found, Screen(io.StringIO(), colour=colour, width=width, unicode=True, is_terminal=colour), NOW
    )


def test_all_is_well() -> None:
    assert shown(status(service(container()))) == [
        "prod · release 15 · 3 h 12 min · healthy · no drift · docker 20.10.24",
        "",
        "  service  up   health     CPU        memory            restarts      uptime",
        "  backend  1/1  ● healthy  16 % of 2  310 MiB of 2 GiB         0  3 h 12 min",
        "",
        "  volume                  holds    size",
        "  demo-prod_backend-data  data   48 MiB",
        "",
        "  image           of          size",
        "  demo/backend:1  backend  170 MiB",
        "",
        "  frontend  https://chat.example.com",
    ]


def test_a_wide_screen_says_more() -> None:
    header, row = shown(status(service(container())), 140)[2:4]
    assert header.split()[-6:] == ["release", "net", "in/out", "disk", "r/w", "processes"]
    assert "4 MiB / 9 MiB" in row
    assert "0 B / 1 MiB" in row
    assert row.endswith("12")


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("colour", [False, True])
def test_it_fits(width: int, colour: bool) -> None:
    services = [
        service(container(f"demo-prod-{name}-1"), name=name)
        for name in ("backend", "frontend", "proxy", "model")
    ]
    found = shown(status(*services, stand_ins=("python", "node", "traefik")), width, colour=colour)
    assert all(visible(line) <= width for line in found)


def test_replicas_add_up() -> None:
    pair = service(container(), container("demo-prod-backend-2"), wanted=2)
    assert "backend  2/2  ● healthy  16 % of 4  620 MiB of 4 GiB" in shown(status(pair))[3]


@pytest.mark.parametrize(
    ("changes", "wanted", "health", "overall"),
    [
        ({"health": "starting"}, 1, "○ starting", "starting"),
        ({"health": "unhealthy"}, 1, "✖ unhealthy", "not healthy"),
        ({"state": "exited", "exit_code": 1}, 1, "✖ down", "not healthy"),
        ({"health": "none"}, 1, "● running", "healthy"),
        ({}, 2, "⚠ 1 missing", "not healthy"),
    ],
)
def test_health_in_words(changes: dict[str, Any], wanted: int, health: str, overall: str) -> None:
    found = shown(status(service(container(**changes), wanted=wanted)))
    assert health in found[3]
    assert f" · {overall} · " in found[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"oom_killed": True}, "went over the memory limit and was killed (out of memory)"),
        ({"restarts": 3}, "demo-prod-backend-1 was restarted 3 times"),
        ({"restarts": 1}, "demo-prod-backend-1 was restarted once"),
        (
            {"state": "exited", "exit_code": 137, "finished_at": NOW - 240},
            "ended with code 137, killed 4 min ago",
        ),
        ({"state": "paused"}, "demo-prod-backend-1 is paused"),
        ({"state": "restarting", "exit_code": 2}, "keeps ending (code 2) and is started again"),
        ({"usage": Usage(memory=2000 * MIB, memory_limit=2048 * MIB)}, "uses 98 % of its memory limit"),
    ],
)
def test_trouble_is_said_in_words(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(" ".join(shown(status(service(container(**changes))))).split())


def test_drift_pending_leftovers_and_stand_ins() -> None:
    left = container("demo-prod-backend-3", state="exited", exit_code=1, finished_at=NOW - 60, number=3)
    drift = ServiceChange("backend", "start", 1, 1, drift=("backend 2 was stopped by hand 4 min ago",))
    found = shown(
        status(
            service(container(), left),
            drift=(drift,),
            pending=True,
            leftovers=(left,),
            stand_ins=("python:3.11-slim@sha256:" + "0" * 64,),
        )
    )
    assert "drifted: backend" in found[0]
    text = " ".join(" ".join(found).split())
    assert "! backend drifted: backend 2 was stopped by hand 4 min ago" in text
    assert "· left over: demo-prod-backend-3 (ended with code 1, 1 min ago)" in text
    assert text.count("demo-prod-backend-3") == 1
    assert "· base images made from packages: python:3.11-slim" in text
    assert "chatbot plan prod" in text


def test_figures_that_are_not_known_are_left_out() -> None:
    found = shown(
        status(
            service(container(usage=Usage())),
            volumes=(VolumeStatus("v", "data", None),),
            images=(ImageStatus("backend", "demo/backend:1", None, False),),
        )
    )
    assert "CPU" not in found[2]
    assert "memory" not in found[2]
    assert any(line.split() == ["v", "data", "?"] for line in found)
    assert any(line.endswith("not there yet") for line in found)


def test_nothing_was_deployed() -> None:
    found = shown(status(service(), release=None, volumes=(), images=()))
    assert found[0] == "prod · not deployed · docker 20.10.24"
    assert "chatbot deploy prod" in found[2]


def test_the_meaning_survives_without_colour() -> None:
    import re

    bad = status(service(container(health="unhealthy", restarts=2)))
    coloured = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown(bad, colour=True)]
    assert coloured == shown(bad)
