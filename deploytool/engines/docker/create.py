"""Service → the body of `POST /containers/create`.

It is what `docker compose` 2.40 sends for the same compose.yaml; tests/docker/test_engine_compose_parity.py
holds both side by side.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deploytool.stack.labels import container_labels
from deploytool.stack.model import Port, Service, Stack

_SECOND = 1_000_000_000


def container_body(
    stack: Stack, service: Service, *, name: str, number: int, release: int, secrets_version: str
) -> dict[str, Any]:
    """The creation request of one replica, attached to its first network."""
    labels = container_labels(stack, service, number=number, release=release, secrets_version=secrets_version)
    return _body(stack, service, labels, aliases=[name, service.name])


def release_body(
    stack: Stack, service: Service, *, name: str, release: int, secrets_version: str
) -> dict[str, Any]:
    """The creation request of the release step's container.

    It publishes nothing, restarts never and does not bear the service's name on the network: else it would
    be sent requests.
    """
    once = replace(service, command=service.release_command, healthcheck=None, ports=(), expose=())
    labels = container_labels(
        stack, service, number=1, release=release, secrets_version=secrets_version, one_off=True
    )
    body = _body(stack, replace(once, restart="no"), labels, aliases=[name])
    body["Healthcheck"] = {"Test": ["NONE"]}
    return body


def further_networks(
    stack: Stack, service: Service, name: str, *, one_off: bool = False
) -> list[dict[str, Any]]:
    """Networks that the container joins after its creation, as name and body of the connect request.

    Before API 1.44 an engine takes one network at creation.
    """
    aliases = [name] if one_off else [name, service.name]
    return [
        {"Network": network, "EndpointConfig": {"Aliases": aliases}}
        for network in network_names(stack, service)[1:]
    ]


def network_names(stack: Stack, service: Service) -> list[str]:
    """Full names of the service's networks, in Compose's order (by key)."""
    names = {network.key: network.name for network in stack.networks}
    return [names.get(key, f"{stack.project}_{key}") for key in sorted(service.networks)]


def volume_names(stack: Stack, service: Service) -> list[str]:
    """Full names of the volumes it mounts."""
    return [_source(stack, mount.source) for mount in service.mounts if mount.kind == "volume"]


def limits_body(service: Service) -> dict[str, Any]:
    """The limits, as creation and `POST /containers/{id}/update` both take them. 0 means: no limit."""
    body: dict[str, Any] = {}
    if service.limits.cpus:
        body["NanoCpus"] = service.limits.cpus
    if service.limits.memory:
        body["Memory"] = service.limits.memory
    if service.reservations.memory:
        body["MemoryReservation"] = service.reservations.memory
    if service.limits.pids:
        body["PidsLimit"] = service.limits.pids
    return body


def _body(stack: Stack, service: Service, labels: dict[str, str], *, aliases: list[str]) -> dict[str, Any]:
    networks = network_names(stack, service)
    body: dict[str, Any] = {
        "Image": service.image,
        "AttachStdout": True,
        "AttachStderr": True,
        "Env": [f"{name}={value}" for name, value in service.environment],
        "ExposedPorts": _exposed(service),
        "Labels": labels,
        # Whole seconds, cut off as Compose does it; our own stops use the exact time.
        "StopTimeout": service.stop_grace_period // _SECOND,
        "HostConfig": _host(stack, service, networks),
    }
    given = {
        "Hostname": service.hostname,
        "User": service.user,
        "WorkingDir": service.working_dir,
        "StopSignal": service.stop_signal,
    }
    body.update({key: value for key, value in given.items() if value})
    if service.command is not None:
        body["Cmd"] = list(service.command)
    if service.entrypoint is not None:
        body["Entrypoint"] = list(service.entrypoint)
    if service.healthcheck:
        check = service.healthcheck
        body["Healthcheck"] = {"Test": list(check.test)}
        if check.test[:1] != ("NONE",):
            body["Healthcheck"] |= {
                "Interval": check.interval,
                "Timeout": check.timeout,
                "Retries": check.retries,
                "StartPeriod": check.start_period,
            }
    if networks:
        body["NetworkingConfig"] = {"EndpointsConfig": {networks[0]: {"Aliases": aliases}}}
    return body


def _host(stack: Stack, service: Service, networks: list[str]) -> dict[str, Any]:
    host: dict[str, Any] = {
        "Binds": [
            f"{_source(stack, mount.source) if mount.kind == 'volume' else mount.source}"
            f":{mount.target}:{'ro' if mount.read_only else 'rw'}"
            for mount in service.mounts
        ],
        "NetworkMode": networks[0] if networks else "none",
        "PortBindings": _bindings(service.ports),
        "RestartPolicy": _restart(service.restart),
        "CapAdd": _capabilities(service.cap_add),
        "CapDrop": _capabilities(service.cap_drop),
        "Dns": list(service.dns) or None,
        "ExtraHosts": list(service.extra_hosts),
        "GroupAdd": list(service.group_add) or None,
        "Privileged": service.privileged,
        "ReadonlyRootfs": service.read_only,
        "SecurityOpt": list(service.security_opt) or None,
        "Ulimits": [{"Name": name, "Soft": soft, "Hard": hard} for name, soft, hard in service.ulimits]
        or None,
        **limits_body(service),
    }
    if service.init:
        host["Init"] = True
    if service.tmpfs:
        host["Tmpfs"] = {
            path: options for path, _, options in (entry.partition(":") for entry in service.tmpfs)
        }
    if service.shm_size:
        host["ShmSize"] = service.shm_size
    if service.sysctls:
        host["Sysctls"] = dict(service.sysctls)
    if service.logging:
        host["LogConfig"] = {"Type": service.logging.driver, "Config": dict(service.logging.options)}
    return host


def _source(stack: Stack, key: str) -> str:
    volume = stack.volume(key)
    return volume.name if volume else key


def _capabilities(names: tuple[str, ...]) -> list[str] | None:
    """The engine's own spelling: `net_bind_service` is CAP_NET_BIND_SERVICE, `all` is ALL."""
    upper = [name.upper() for name in names]
    spelled = [name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in upper]
    return spelled or None


def _exposed(service: Service) -> dict[str, dict[str, str]]:
    ports = [*service.expose, *(f"{port.target}/{port.protocol}" for port in service.ports)]
    return {port: {} for port in ports}


def _bindings(ports: tuple[Port, ...]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(
            {"HostIp": port.host_ip, "HostPort": str(port.published) if port.published else ""}
        )
    return bindings


def _restart(policy: str) -> dict[str, Any]:
    name, _, count = policy.partition(":")
    return {"Name": name, "MaximumRetryCount": int(count) if count.isdigit() else 0}
