"""What set-up decides, from what it finds: a table of machines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploytool.actions.setup.machine import EngineState, LinkState, Machine
from deploytool.actions.setup.steps import (
    InstallPackages,
    JoinGroup,
    LinkCommand,
    SetupPlan,
    StartEngine,
    plan_setup,
)
from deploytool.errors import SetupFailed

READY = Machine(
    system="Debian GNU/Linux 12 (bookworm)",
    uses_apt=True,
    user="ana",
    root=False,
    sudo="silent",
    engine=EngineState.ANSWERS,
    engine_installed=True,
    service_manager="systemd",
    command="/srv/chatbot/.venv/bin/chatbot",
    link="/home/ana/.local/bin/chatbot",
    link_state=LinkState.RIGHT,
)
BARE = replace(
    READY,
    engine=EngineState.ABSENT,
    engine_installed=False,
    missing_engine_packages=("docker.io", "iptables"),
    missing_host_packages=("mmdebstrap",),
    registry_reachable=True,
    in_docker_group=False,
    link_state=LinkState.MISSING,
)


def kinds(plan: SetupPlan) -> list[type]:
    return [type(step) for step in plan.steps]


def test_a_ready_machine_needs_nothing() -> None:
    plan = plan_setup(READY)
    assert plan.empty
    assert plan.notes == ()


def test_a_bare_machine_gets_engine_group_and_link() -> None:
    plan = plan_setup(BARE)
    assert kinds(plan) == [InstallPackages, StartEngine, JoinGroup, LinkCommand]
    assert [step.what for step in plan.steps] == [
        "install docker.io, iptables from Debian GNU/Linux 12 (bookworm)'s packages",
        "start the Docker Engine with systemd, now and at every boot",
        "add ana to the group docker (its members can become root through the engine)",
        "link /home/ana/.local/bin/chatbot to /srv/chatbot/.venv/bin/chatbot",
    ]
    assert all(step.why for step in plan.steps)


def test_tools_for_stand_ins_come_only_where_the_registry_cannot_be_reached() -> None:
    packages = [step.packages for step in plan_setup(BARE).steps if isinstance(step, InstallPackages)]
    assert packages == [("docker.io", "iptables")]
    offline = plan_setup(replace(BARE, registry_reachable=False))
    packages = [step.packages for step in offline.steps if isinstance(step, InstallPackages)]
    assert packages == [("docker.io", "iptables"), ("mmdebstrap",)]


def test_root_joins_no_group() -> None:
    assert JoinGroup not in kinds(plan_setup(replace(BARE, root=True)))


@pytest.mark.parametrize(
    ("manager", "ways"),
    [("systemd", ("systemd",)), ("service", ("service", "process")), ("", ("process",))],
)
def test_the_engine_is_started_by_what_the_machine_has(manager: str, ways: tuple[str, ...]) -> None:
    plan = plan_setup(replace(READY, engine=EngineState.ABSENT, service_manager=manager, root=True))
    assert kinds(plan) == [StartEngine]
    assert isinstance(plan.steps[0], StartEngine)
    assert plan.steps[0].ways == ways


def test_another_distribution_is_told_what_to_install() -> None:
    with pytest.raises(SetupFailed, match="not those of Fedora Linux 43") as caught:
        plan_setup(replace(BARE, uses_apt=False, system="Fedora Linux 43"))
    assert "chatbot setup" in caught.value.hint
    assert caught.value.exit_code == 1


def test_an_engine_that_is_installed_there_is_started_all_the_same() -> None:
    plan = plan_setup(
        replace(READY, uses_apt=False, system="Fedora Linux 43", engine=EngineState.ABSENT, root=True)
    )
    assert kinds(plan) == [StartEngine]


def test_a_remote_engine_leaves_this_machine_alone() -> None:
    plan = plan_setup(replace(READY, engine_elsewhere="ssh://ana@example.org"))
    assert plan.empty
    assert plan.notes == ("DOCKER_HOST names ssh://ana@example.org: no engine is set up on this machine",)


def test_a_denied_socket_means_the_group_or_a_new_login() -> None:
    denied = replace(READY, engine=EngineState.DENIED)
    assert kinds(plan_setup(replace(denied, in_docker_group=False))) == [JoinGroup]
    again = plan_setup(denied)
    assert again.empty
    assert "next login" in again.notes[0]


def test_a_link_of_somebody_else_stays() -> None:
    plan = plan_setup(replace(READY, link_state=LinkState.OTHER))
    assert plan.empty
    assert "belongs to another installation" in plan.notes[0]
