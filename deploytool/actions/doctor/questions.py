"""The list of checks, in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deploytool.actions.doctor import building, capacity, engine, environment, machine, network
from deploytool.actions.doctor.check import Check, Finding, skipped
from deploytool.actions.doctor.surroundings import Surroundings, with_value
from deploytool.actions.prepare import Prepared
from deploytool.engines.protocol import BuildsImages
from deploytool.errors import ChatbotError

NO_ENGINE = "no engine answers"
NO_SETTINGS = "the settings are not valid"


def questions(found: Surroundings) -> tuple[Check, ...]:
    """Every check, bound to what was found around it."""
    return (*_machine(found), *_engine(found), *_network(), *_images(found), *_environment(found))


def _machine(found: Surroundings) -> tuple[Check, ...]:
    description = None if isinstance(found.description, ChatbotError) else found.description
    return (
        Check("python", "Python", machine.python_version),
        Check("command", "command", lambda: machine.command_line("/usr/local/bin or ~/.local/bin")),
        Check(
            "architecture",
            "architecture",
            lambda: machine.architecture(description.architecture if description else "", local=found.local),
        ),
        Check("git", "Git", machine.git),
        Check("compose", "Docker Compose", machine.compose),
    )


def _engine(found: Surroundings) -> tuple[Check, ...]:
    about = found.description
    stack = None if isinstance(found.prepared, ChatbotError) else found.prepared.stack
    return (
        Check("engine", "engine", lambda: engine.reachable(about)),
        Check("api", "engine's API", lambda: with_value(about, NO_ENGINE, engine.api_version)),
        Check("storage", "storage driver", lambda: with_value(about, NO_ENGINE, engine.storage_driver)),
        Check(
            "cgroups",
            "control groups",
            lambda: with_value(about, NO_ENGINE, lambda a: machine.control_groups(a.cgroup_version)),
        ),
        Check(
            "disk",
            "disk",
            lambda: with_value(
                about, NO_ENGINE, lambda a: capacity.disk(a.root_directory, local=found.local)
            ),
        ),
        Check(
            "memory",
            "memory",
            lambda: with_value(about, NO_ENGINE, lambda a: capacity.memory(stack, a.memory)),
        ),
        Check(
            "cpus",
            "processors",
            lambda: with_value(about, NO_ENGINE, lambda a: capacity.processors(stack, a.cpus)),
        ),
        Check(
            "engine-clock",
            "engine's clock",
            lambda: with_value(about, NO_ENGINE, lambda a: engine.clock_of_the_engine(a.address)),
        ),
    )


def _network() -> tuple[Check, ...]:
    return (
        Check("clock", "clock", network.clock_of_the_world),
        Check("packages", "package registries", network.packages),
        Check("proxies", "proxies", network.proxies),
        Check("certificates", "TLS on the way", network.interception),
        Check("registry", "image registry", lambda: network.image_registry(stand_ins_possible=True)),
    )


def _images(found: Surroundings) -> tuple[Check, ...]:
    prepared, platform = found.prepared, found.engine

    def ask(question: Callable[[Prepared, Any], Finding]) -> Finding:
        def with_client(wanted: Prepared) -> Finding:
            if isinstance(found.description, ChatbotError):
                return skipped(NO_ENGINE)
            client = platform.image_client() if isinstance(platform, BuildsImages) else None
            if client is None:
                return skipped(f"the engine {platform.kind} builds no images")
            return question(wanted, client)

        return with_value(prepared, NO_SETTINGS, with_client)

    limit = building.TIME_LIMIT
    return (
        Check("base-images", "base images", lambda: ask(building.base_images)),
        Check("build-dns", "names in a build", lambda: ask(building.names_in_a_build), limit),
        Check("build-tls", "downloads in a build", lambda: ask(building.tls_in_a_build), limit),
    )


def _ports(found: Surroundings, prepared: Prepared) -> Finding:
    from deploytool.engines.docker.ports import holder, process_holding

    client = getattr(found.engine, "client", None)

    def held_by(address: str, port: int, protocol: str) -> str:
        if client is not None and not isinstance(found.description, ChatbotError):
            return holder(client, address, port, protocol)
        return process_holding(address, port, protocol)

    observed = None if isinstance(found.observed, ChatbotError) else found.observed
    return environment.ports(prepared.stack, observed, held_by)


def _environment(found: Surroundings) -> tuple[Check, ...]:
    prepared, observed = found.prepared, found.observed

    def settings() -> Finding:
        if isinstance(prepared, ChatbotError):
            raise prepared
        return environment.settings(prepared)

    return (
        Check("settings", "settings", settings),
        Check("secrets", "secrets", lambda: with_value(prepared, NO_SETTINGS, environment.secrets)),
        Check("secret-files", "secrets files", lambda: environment.secret_permissions(found.project_dir)),
        Check(
            "supported",
            "engine can do",
            lambda: with_value(
                found.description,
                NO_ENGINE,
                lambda _: with_value(
                    prepared,
                    NO_SETTINGS,
                    lambda p: environment.unsupported(found.engine.unsupported(p.stack)),
                ),
            ),
        ),
        Check("ports", "ports", lambda: with_value(prepared, NO_SETTINGS, lambda p: _ports(found, p))),
        Check(
            "leftovers",
            "leftover containers",
            lambda: with_value(
                prepared,
                NO_SETTINGS,
                lambda p: with_value(observed, NO_ENGINE, lambda o: environment.leftovers(p.stack, o)),
            ),
        ),
        Check(
            "lock",
            "lock",
            lambda: with_value(
                prepared,
                NO_SETTINGS,
                lambda p: with_value(
                    observed, NO_ENGINE, lambda _: environment.lock(p.stack, found.lock_holder)
                ),
            ),
        ),
    )
