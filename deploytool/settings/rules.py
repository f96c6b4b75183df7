"""Rules between the settings of services, checked when each value by itself is right."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from deploytool.errors import DependencyCycle
from deploytool.settings.documents import KeyPath
from deploytool.settings.model import MODEL, Settings
from deploytool.settings.problems import Problem, nearest
from deploytool.settings.proxy_rules import broken_proxy_rules
from deploytool.settings.service import MIB, ServiceSettings
from deploytool.settings.units import NANO, format_bytes, format_cpus, format_duration

SECRETS_PATH = "/run/secrets"
LEAST_MEMORY = 6 * MIB
LEAST_CPUS = NANO // 100
"""Docker refuses less (daemon/daemon_unix.go, linuxMinMemory and verifyPlatformContainerResources)."""

# Host folders that would hand over the machine: the Docker socket lies in two of them.
_FORBIDDEN_SOURCES = (
    "/",
    "/var",
    "/var/run",
    "/run",
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/root",
    "/var/lib/docker",
)
_NOT_SECRET = frozenset({"OPENAI_BASE_URL"})
_PASSWORD_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
_OURS = ("com.docker.", "io.chatbot.")


def broken_rules(settings: Settings) -> list[Problem]:
    """Every rule that the enabled services break, in the order of their names."""
    problems: list[Problem] = []
    declared = {
        name
        for service in settings.services.values()
        for name in (*service.secrets, *service.optional_secrets)
    }
    for name, service in sorted(settings.services.items()):
        at = ("services", name)
        if service.enabled == "auto":
            problems.append(Problem((*at, "enabled"), f"only `{MODEL}` can be `auto`: write true or false"))
        problems += _secrets_in_environment(at, service, declared)
        if service.enabled is True:
            for rule in (_image, _user, _resources, _healthcheck, _mounts, _labels):
                problems += rule(at, service)
            problems += _secret_lists(at, service)
            problems += _dependencies(at, name, service, settings)
            problems += _volume_names(at, service, settings)
    problems += _cycle(settings)
    problems += broken_proxy_rules(settings)
    if len(settings.stack_name) > 63:
        problems.append(
            Problem(("project",), f"`{settings.stack_name}` is too long a name: at most 63 characters")
        )
    return problems


def _image(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    if (service.image is None) == (service.build is None):
        both = "not both" if service.image else "it has neither"
        yield Problem(at, f"`{at[-1]}` wants `image` or `build`, {both}")
    if service.build is not None and (not service.build.context or service.build.context.startswith("/")):
        yield Problem((*at, "build", "context"), "the build's context is a folder inside the project")


def _user(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    if service.run_as_root:
        return
    if service.user is None:
        hint = 'name the image\'s user, e.g. user: "1000:1000", or allow root with run_as_root: true'
        yield Problem(at, f"`{at[-1]}` has no `user`: containers do not run as root", hint)
    elif int(service.user.partition(":")[0]) == 0:
        yield Problem((*at, "user"), "`user` is root", "choose another, or allow it with run_as_root: true")


def _resources(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    limits, reserved = service.limits, service.reservations
    if limits.cpus < LEAST_CPUS:
        yield Problem((*at, "limits", "cpus"), f"the limit of CPUs is at least {format_cpus(LEAST_CPUS)}")
    if limits.memory < LEAST_MEMORY:
        meant = f"did you mean `{limits.memory}M`?" if 6 <= limits.memory < 100_000 else ""
        yield Problem(
            (*at, "limits", "memory"),
            f"{limits.memory} bytes of memory are too few: at least {format_bytes(LEAST_MEMORY)}",
            meant,
        )
    if reserved.cpus is not None and reserved.cpus > limits.cpus:
        yield Problem(
            (*at, "reservations", "cpus"),
            f"{format_cpus(reserved.cpus)} CPUs are reserved, and the limit is {format_cpus(limits.cpus)}",
        )
    if reserved.memory is not None and reserved.memory > limits.memory:
        yield Problem(
            (*at, "reservations", "memory"),
            f"{format_bytes(reserved.memory)} of memory are reserved, "
            f"and the limit is {format_bytes(limits.memory)}",
        )
    for name, limit in service.ulimits.items():
        if limit.soft > limit.hard:
            yield Problem(
                (*at, "ulimits", name), f"the soft limit {limit.soft} is above the hard limit {limit.hard}"
            )


def _healthcheck(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    check = service.healthcheck
    if check is None or check.disable:
        return
    at = (*at, "healthcheck")
    if (check.path is None) == (check.command is None):
        both = "not both" if check.path else "it has neither"
        yield Problem(at, f"a health check wants `path` or `command`, {both}")
    if check.path is not None and (check.port or service.port) is None:
        yield Problem((*at, "path"), "the health check's path needs a `port`", "add healthcheck.port")
    if check.interval == 0 or check.timeout == 0:
        yield Problem(at, "`interval` and `timeout` must be more than 0")
    elif check.timeout >= check.interval:
        yield Problem(
            (*at, "timeout"),
            f"the timeout ({format_duration(check.timeout)}) must be shorter than the interval "
            f"({format_duration(check.interval)})",
        )


def _mounts(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    taken: dict[str, int] = {}
    for index, mount in enumerate(service.volumes):
        place = (*at, "volumes", str(index))
        target = posixpath.normpath(mount.target)
        if target in taken:
            yield Problem(place, f"two volumes stand at {target}")
        taken[target] = index
        if target in {"/", "/run", SECRETS_PATH} or target.startswith(f"{SECRETS_PATH}/"):
            yield Problem(place, f"nothing can be mounted at {target}: secrets stand in {SECRETS_PATH}")
        yield from _mount_source(place, mount.source)
    for index, entry in enumerate(service.tmpfs):
        target = posixpath.normpath(entry.partition(":")[0])
        if not entry.startswith("/"):
            yield Problem((*at, "tmpfs", str(index)), f"wants an absolute path such as /tmp, not `{entry}`")
        elif target in taken:
            yield Problem((*at, "tmpfs", str(index)), f"a volume stands at {target} already")
        taken[target] = index


def _mount_source(place: KeyPath, source: str) -> Iterator[Problem]:
    if source.startswith("/"):
        source = posixpath.normpath(source)
        if source in _FORBIDDEN_SOURCES or source.endswith("docker.sock"):
            yield Problem(
                place, f"{source} of the host is kept from containers: it would hand over the machine"
            )
    elif re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", source, re.ASCII) is None:
        yield Problem(
            place,
            f"`{source}` is neither a volume's name nor an absolute path",
            "relative paths do not reach another host",
        )


def _labels(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    for name in service.labels:
        if not name or name.startswith(_OURS):
            yield Problem((*at, "labels", name), f"the label `{name}` is kept for chatbot and Compose")


def _secret_lists(at: KeyPath, service: ServiceSettings) -> Iterator[Problem]:
    for name in sorted({name for name in service.secrets if service.secrets.count(name) > 1}):
        yield Problem((*at, "secrets"), f"`{name}` stands twice")
    if service.secrets and service.user is None and not service.run_as_root:
        yield Problem((*at, "secrets"), "a service with secrets needs a `user`: the files belong to it")


def _secrets_in_environment(at: KeyPath, service: ServiceSettings, declared: set[str]) -> Iterator[Problem]:
    for name, value in service.environment.items():
        place = (*at, "environment", name)
        if name in declared - _NOT_SECRET and value:
            yield Problem(place, f"`{name}` is a secret", _remedy(name))
        elif _PASSWORD_IN_ADDRESS.search(value):
            yield Problem(place, f"`{name}` holds an address with a password", _remedy(name))
    if service.build is not None:
        for name, value in service.build.args.items():
            if (name in declared - _NOT_SECRET and value) or _PASSWORD_IN_ADDRESS.search(value):
                yield Problem(
                    (*at, "build", "args", name), f"`{name}` is a secret and would stay in the image"
                )


def _remedy(name: str) -> str:
    return f"write it into environments/<environment>.env.docker and list {name} under `secrets`"


def _dependencies(at: KeyPath, name: str, service: ServiceSettings, settings: Settings) -> Iterator[Problem]:
    for other, condition in service.depends_on.items():
        place = (*at, "depends_on", other)
        target = settings.services.get(other)
        if target is None:
            meant = nearest(other, settings.services)
            yield Problem(place, f"`{other}` is no service", f"did you mean `{meant}`?" if meant else "")
        elif other == name:
            yield Problem(place, f"`{name}` cannot wait for itself", error=DependencyCycle)
        elif condition == "service_healthy" and (target.healthcheck is None or target.healthcheck.disable):
            hint = f"add services.{other}.healthcheck, or wait for service_started"
            yield Problem(place, f"`{other}` has no health check to wait for", hint)
        elif condition == "service_completed_successfully" and target.restart in {"always", "unless-stopped"}:
            hint = f'set services.{other}.restart: "no"'
            yield Problem(place, f"`{other}` is restarted whenever it ends, so it never completes", hint)


def _cycle(settings: Settings) -> Iterator[Problem]:
    graph = {
        name: sorted(other for other in service.depends_on if other in settings.services and other != name)
        for name, service in sorted(settings.enabled_services.items())
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names = error.args[1]
        yield Problem(
            ("services", names[-1], "depends_on"),
            f"these services wait for each other: {' → '.join(names)}",
            "remove one of these entries from depends_on",
            DependencyCycle,
        )


def _volume_names(at: KeyPath, service: ServiceSettings, settings: Settings) -> Iterator[Problem]:
    reserved = {f"{name}-secrets" for name in settings.services} | {"proxy-certificates"}
    for index, mount in enumerate(service.volumes):
        if mount.source in reserved:
            yield Problem((*at, "volumes", str(index)), f"the volume `{mount.source}` is kept for chatbot")
