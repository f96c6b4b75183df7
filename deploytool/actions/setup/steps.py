"""What set-up will do, decided from what was found. Pure: the same machine gives the same steps."""

from __future__ import annotations

from dataclasses import dataclass

from deploytool.actions.setup.machine import EngineState, LinkState, Machine
from deploytool.errors import SetupFailed

ENGINE_PACKAGES = ("docker.io", "iptables", "ca-certificates")
"""The distribution's own Docker Engine: no foreign package source, no script piped into a shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """One thing to be done. `what` reads after "will"; `why` after "because"."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPackages(SetupStep):
    """Install packages of the distribution."""

    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEngine(SetupStep):
    """Start the Docker Engine, trying the ways in this order: systemd | service | process."""

    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup(SetupStep):
    """Let the user use the engine's socket."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCommand(SetupStep):
    """Make `chatbot` work from any directory."""

    command: str
    link: str


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """The steps in order; `notes` are sentences on what is left as it is."""

    machine: Machine
    steps: tuple[SetupStep, ...]
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True when this machine needs nothing."""
        return not self.steps


def plan_setup(machine: Machine) -> SetupPlan:
    """The steps from this machine to a ready one. Raises SetupFailed where they cannot be known."""
    steps: list[SetupStep] = []
    notes: list[str] = []
    if machine.engine_elsewhere:
        notes.append(f"DOCKER_HOST names {machine.engine_elsewhere}: no engine is set up on this machine")
    elif machine.engine is EngineState.ABSENT:
        steps.extend(_engine_steps(machine))
    _add_host_packages(machine, steps, notes)
    if not machine.engine_elsewhere:
        _add_group(machine, steps, notes)
    _add_link(machine, steps, notes)
    return SetupPlan(machine, tuple(steps), tuple(notes))


def _engine_steps(machine: Machine) -> list[SetupStep]:
    steps: list[SetupStep] = []
    if not machine.engine_installed:
        if not machine.uses_apt:
            raise SetupFailed(
                f"no Docker Engine answers, and set-up knows only the packages of Debian and Ubuntu, "
                f"not those of {machine.system}",
                hint="install and start Docker Engine 20.10 or newer (docs.docker.com/engine/install), "
                "then  chatbot setup",
            )
        steps.append(
            InstallPackages(
                what=f"install {', '.join(machine.missing_engine_packages)} from {machine.system}'s packages",
                why="no Docker Engine answers and none is installed",
                packages=machine.missing_engine_packages,
            )
        )
    ways = {"systemd": ("systemd",), "service": ("service", "process")}.get(
        machine.service_manager, ("process",)
    )
    how = {
        "systemd": "with systemd, now and at every boot",
        "service": "with `service docker start`, or as a plain process where that does not help",
        "process": "as a plain process (log: /var/log/dockerd.log)",
    }[ways[0]]
    steps.append(
        StartEngine(what=f"start the Docker Engine {how}", why="nothing answers on its socket", ways=ways)
    )
    return steps


def _add_host_packages(machine: Machine, steps: list[SetupStep], notes: list[str]) -> None:
    # Only where they will be used: a machine that can pull its base images needs no tools to make them.
    if machine.missing_host_packages and machine.registry_reachable is False:
        steps.append(
            InstallPackages(
                what=f"install {', '.join(machine.missing_host_packages)} from {machine.system}'s packages",
                why="Docker Hub cannot be reached, so base images are made from packages",
                packages=machine.missing_host_packages,
            )
        )
    elif not machine.uses_apt and machine.registry_reachable is False:
        notes.append("Docker Hub cannot be reached: name other base images under build.base_images")


def _add_group(machine: Machine, steps: list[SetupStep], notes: list[str]) -> None:
    if machine.root or machine.engine is EngineState.ANSWERS:
        return
    if machine.in_docker_group:
        notes.append(
            f"{machine.user} is in the group docker from the next login on; until then: "
            "sg docker -c 'chatbot …'"
        )
        return
    steps.append(
        JoinGroup(
            what=f"add {machine.user} to the group docker (its members can become root through the engine)",
            why="the engine's socket belongs to that group",
            user=machine.user,
        )
    )


def _add_link(machine: Machine, steps: list[SetupStep], notes: list[str]) -> None:
    if machine.link_state is LinkState.MISSING:
        steps.append(
            LinkCommand(
                what=f"link {machine.link} to {machine.command}",
                why="`chatbot` is to work from any directory",
                command=machine.command,
                link=machine.link,
            )
        )
    elif machine.link_state is LinkState.OTHER:
        notes.append(
            f"{machine.link} belongs to another installation and stays; this one is {machine.command}"
        )
