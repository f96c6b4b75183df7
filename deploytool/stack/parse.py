"""A rendered bundle → Stack. A key outside the declared subset of Compose is refused by name.

Environment variables inside compose.yaml (`${…}`) are not interpolated: a bundle is complete as it stands.
`$$` is Compose's escape for a literal dollar and is read as one.
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from deploytool.errors import BundleInvalid, DependencyCycle
from deploytool.settings import units
from deploytool.stack import order
from deploytool.stack.keys import Reader
from deploytool.stack.model import (
    Build,
    Healthcheck,
    Logging,
    Mount,
    Network,
    Pairs,
    Port,
    Resources,
    Service,
    Stack,
    UpdateConfig,
    Volume,
)

COMPOSE_FILE = "compose.yaml"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")


def parse_stack(files: Mapping[str, bytes]) -> Stack:
    """Read the bundle's compose.yaml and routes.

    Raises ComposeKeyUnsupported (names the key), BundleInvalid (bad YAML or value), DependencyCycle.
    """
    if COMPOSE_FILE not in files:
        raise BundleInvalid("the bundle has no compose.yaml", hint="write a new one: chatbot render")
    try:
        document = yaml.load(files[COMPOSE_FILE], Loader=_Loader)  # noqa: S506 - a safe loader, in C
    except yaml.YAMLError as error:
        raise BundleInvalid(f"not YAML: {error}", where=COMPOSE_FILE) from None
    root = Reader(document, "")
    root.allow("name", "services", "networks", "volumes", "x-chatbot", "version")
    extension = root.section("x-chatbot")
    extension.allow("environment", "proxy_service", "routes_path", "routes_file", "format")
    project = root.text("name")
    if not project:
        raise BundleInvalid("the project has no name", where="compose.yaml  name")
    networks = tuple(_network(project, key, reader) for key, reader in root.sections("networks"))
    volumes = tuple(_volume(project, key, reader) for key, reader in root.sections("volumes"))
    services = tuple(_service(name, reader) for name, reader in root.sections("services"))
    routes_file = extension.text("routes_file")
    stack = Stack(
        project=project,
        environment=extension.text("environment"),
        services=services,
        networks=_with_default(project, networks, services),
        volumes=volumes,
        proxy_service=extension.text("proxy_service"),
        routes_path=extension.text("routes_path"),
        routes=files[routes_file].decode() if routes_file and routes_file in files else "",
    )
    _check(stack)
    return stack


def _check(stack: Stack) -> None:
    names = {service.name for service in stack.services}
    volumes = {volume.key for volume in stack.volumes}
    networks = {network.key for network in stack.networks}
    for service in stack.services:
        where = f"compose.yaml  services.{service.name}"
        for name, _ in service.depends_on:
            if name not in names:
                raise BundleInvalid(f"`{service.name}` depends on `{name}`, which is no service", where=where)
        for mount in service.mounts:
            if mount.kind == "volume" and mount.source not in volumes:
                raise BundleInvalid(f"volume `{mount.source}` is not declared under volumes", where=where)
        for network in service.networks:
            if network not in networks:
                raise BundleInvalid(f"network `{network}` is not declared under networks", where=where)
        if service.secrets_volume and service.secrets_volume not in volumes:
            raise BundleInvalid(
                f"volume `{service.secrets_volume}` is not declared under volumes", where=where
            )
    circle = order.cycle(stack.services)
    if circle:
        raise DependencyCycle(
            f"these services wait for each other: {' → '.join(circle)}",
            where="compose.yaml  services",
            hint="remove one of these entries from depends_on",
        )


def _with_default(
    project: str, networks: tuple[Network, ...], services: tuple[Service, ...]
) -> tuple[Network, ...]:
    """Compose gives services that name no network one called `default`."""
    used = any("default" in service.networks for service in services)
    declared = any(network.key == "default" for network in networks)
    extra = (Network(key="default", name=f"{project}_default"),) if used and not declared else ()
    return (*networks, *extra)


def _network(project: str, key: str, reader: Reader) -> Network:
    reader.allow("name", "driver", "internal", "labels", "driver_opts")
    return Network(
        key=key,
        name=reader.text("name") or f"{project}_{key}",
        driver=reader.text("driver") or "bridge",
        internal=reader.flag("internal"),
        labels=reader.pairs("labels"),
        driver_opts=reader.pairs("driver_opts"),
    )


def _volume(project: str, key: str, reader: Reader) -> Volume:
    reader.allow("name", "driver", "labels", "driver_opts", "external", "x-chatbot")
    extension = reader.section("x-chatbot")
    extension.allow("purpose")
    external = reader.flag("external")
    return Volume(
        key=key,
        name=reader.text("name") or (key if external else f"{project}_{key}"),
        driver=reader.text("driver") or "local",
        labels=reader.pairs("labels"),
        driver_opts=reader.pairs("driver_opts"),
        external=external,
        purpose=extension.text("purpose") or "data",
    )


_SERVICE_KEYS = (
    *(
        "image",
        "command",
        "entrypoint",
        "environment",
        "user",
        "working_dir",
        "hostname",
        "init",
        "read_only",
    ),
    *(
        "privileged",
        "cap_add",
        "cap_drop",
        "security_opt",
        "group_add",
        "tmpfs",
        "shm_size",
        "ulimits",
        "sysctls",
    ),
    *("extra_hosts", "dns", "expose", "healthcheck", "deploy", "depends_on", "networks", "volumes", "ports"),
    *("restart", "stop_signal", "stop_grace_period", "labels", "logging", "x-chatbot"),
)


def _service(name: str, reader: Reader) -> Service:
    reader.allow(*_SERVICE_KEYS)
    image = reader.text("image")
    if not image:
        raise BundleInvalid(f"`{name}` has no image", where=f"compose.yaml  services.{name}.image")
    deploy = reader.section("deploy")
    deploy.allow("replicas", "resources", "update_config")
    resources = deploy.section("resources")
    resources.allow("limits", "reservations")
    extension = reader.section("x-chatbot")
    extension.allow("build", "secrets", "secrets_volume", "proxied_port", "release_command")
    return Service(
        name=name,
        image=image,
        command=reader.words("command"),
        entrypoint=reader.words("entrypoint"),
        environment=reader.pairs("environment"),
        user=reader.text("user"),
        working_dir=reader.text("working_dir"),
        hostname=reader.text("hostname"),
        init=reader.flag("init"),
        read_only=reader.flag("read_only"),
        privileged=reader.flag("privileged"),
        cap_add=reader.texts("cap_add"),
        cap_drop=reader.texts("cap_drop"),
        security_opt=reader.texts("security_opt"),
        group_add=reader.texts("group_add"),
        tmpfs=reader.texts("tmpfs"),
        shm_size=reader.quantity("shm_size", units.parse_bytes),
        ulimits=_ulimits(reader.section("ulimits")),
        sysctls=reader.pairs("sysctls"),
        extra_hosts=reader.texts("extra_hosts"),
        dns=reader.texts("dns"),
        expose=reader.texts("expose"),
        healthcheck=_healthcheck(reader.section("healthcheck")),
        limits=_resources(resources.section("limits")),
        reservations=_resources(resources.section("reservations")),
        networks=reader.names("networks") or ("default",),
        mounts=tuple(sorted((_mount(entry) for entry in reader.entries("volumes")), key=lambda m: m.target)),
        ports=tuple(
            sorted((_port(entry) for entry in reader.entries("ports")), key=lambda p: (p.target, p.published))
        ),
        restart=reader.text("restart") or "no",
        stop_signal=reader.text("stop_signal"),
        stop_grace_period=reader.quantity("stop_grace_period", units.parse_duration, 10_000_000_000),
        labels=reader.pairs("labels"),
        logging=_logging(reader.section("logging")),
        replicas=deploy.number("replicas", 1),
        update=_update(deploy.section("update_config")),
        depends_on=_depends_on(reader),
        build=_build(extension.section("build")),
        secrets=extension.texts("secrets"),
        secrets_volume=extension.text("secrets_volume"),
        proxied_port=extension.number("proxied_port", 0),
        release_command=extension.words("release_command") or (),
    )


def _healthcheck(reader: Reader) -> Healthcheck | None:
    if not reader:
        return None
    reader.allow("test", "interval", "timeout", "retries", "start_period", "disable")
    if reader.flag("disable"):
        return Healthcheck(test=("NONE",))
    raw = reader.value("test")
    test = ("CMD-SHELL", raw) if isinstance(raw, str) else reader.texts("test")
    return Healthcheck(
        test=test,
        interval=reader.quantity("interval", units.parse_duration, 30_000_000_000),
        timeout=reader.quantity("timeout", units.parse_duration, 30_000_000_000),
        retries=reader.number("retries", 3),
        start_period=reader.quantity("start_period", units.parse_duration),
    )


def _resources(reader: Reader) -> Resources:
    reader.allow("cpus", "memory", "pids")
    return Resources(
        cpus=reader.quantity("cpus", units.parse_cpus),
        memory=reader.quantity("memory", units.parse_bytes),
        pids=reader.number("pids", 0),
    )


def _update(reader: Reader) -> UpdateConfig:
    reader.allow("parallelism", "delay", "monitor", "order", "failure_action", "max_failure_ratio")
    return UpdateConfig(
        parallelism=reader.number("parallelism", 1),
        delay=reader.quantity("delay", units.parse_duration),
        monitor=reader.quantity("monitor", units.parse_duration),
        order=reader.choice("order", ("stop-first", "start-first"), "stop-first"),
        failure_action=reader.choice("failure_action", ("pause", "continue", "rollback"), "pause"),
        max_failure_ratio=float(reader.value("max_failure_ratio") or 0.0),
    )


def _mount(reader: Reader) -> Mount:
    reader.allow("type", "source", "target", "read_only")
    return Mount(
        kind=reader.choice("type", ("volume", "bind"), "volume"),
        source=reader.text("source"),
        target=reader.text("target"),
        read_only=reader.flag("read_only"),
    )


def _port(reader: Reader) -> Port:
    reader.allow("target", "published", "host_ip", "protocol", "mode")
    return Port(
        target=reader.number("target", 0),
        published=reader.number("published", 0),
        host_ip=reader.text("host_ip"),
        protocol=reader.choice("protocol", ("tcp", "udp"), "tcp"),
    )


def _logging(reader: Reader) -> Logging | None:
    if not reader:
        return None
    reader.allow("driver", "options")
    return Logging(driver=reader.text("driver") or "json-file", options=reader.pairs("options"))


def _ulimits(reader: Reader) -> tuple[tuple[str, int, int], ...]:
    found = []
    for name, value in reader.items():
        if isinstance(value, int):
            found.append((name, value, value))
        else:
            entry = Reader(value, reader.at(name))
            entry.allow("soft", "hard")
            found.append((name, entry.number("soft", 0), entry.number("hard", 0)))
    return tuple(sorted(found))


def _depends_on(reader: Reader) -> Pairs:
    raw = reader.value("depends_on")
    if isinstance(raw, list):
        return tuple(sorted((str(name), "service_started") for name in raw))
    found = []
    for name, entry in reader.sections("depends_on"):
        entry.allow("condition", "required", "restart")
        found.append((name, entry.choice("condition", _CONDITIONS, "service_started")))
    return tuple(sorted(found))


def _build(reader: Reader) -> Build | None:
    if not reader:
        return None
    reader.allow("context", "dockerfile", "args", "base_images", "target", "not_in_tag")
    return Build(
        context=reader.text("context"),
        dockerfile=reader.text("dockerfile"),
        args=reader.pairs("args"),
        base_images=reader.pairs("base_images"),
        target=reader.text("target"),
        not_in_tag=reader.texts("not_in_tag"),
    )
