"""Who the engine is, and what of a stack it cannot honour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.engines.docker.client import Client
from deploytool.engines.protocol import EngineDescription
from deploytool.stack.model import Stack


def describe(client: Client) -> EngineDescription:
    """The engine's own description, for headers and doctor."""
    info = client.get("/info")
    major, minor = client.api_version
    return EngineDescription(
        kind="docker",
        version=info.get("ServerVersion", ""),
        api_version=f"{major}.{minor}",
        address=client.address.url,
        operating_system=info.get("OperatingSystem", ""),
        architecture=info.get("Architecture", ""),
        cpus=info.get("NCPU", 0),
        memory=info.get("MemTotal", 0),
        storage_driver=info.get("Driver", ""),
        cgroup_version=info.get("CgroupVersion", ""),
        root_directory=info.get("DockerRootDir", ""),
    )


def unsupported(client: Client, stack: Stack) -> tuple[str, ...]:
    """Sentences on what this engine cannot honour; empty when it can run the stack."""
    return tuple(_sentences(client.get("/info"), stack))


def _sentences(info: Mapping[str, Any], stack: Stack) -> Iterator[str]:
    plugins = info.get("Plugins") or {}
    if info.get("OSType", "linux") != "linux":
        yield f"this engine runs {info.get('OSType')} containers; the stack needs Linux"
    for service in stack.services:
        wanted = service.limits
        if wanted.memory and not info.get("MemoryLimit", True):
            yield f"{service.name}: the kernel offers no memory limit (cgroup memory controller)"
        if wanted.cpus and not info.get("CpuCfsQuota", True):
            yield f"{service.name}: the kernel offers no CPU limit (CFS bandwidth control)"
        if wanted.cpus > (info.get("NCPU") or wanted.cpus) * 1_000_000_000:
            yield (
                f"{service.name}: the limit of {wanted.cpus / 1e9:g} CPUs is more than the"
                f" {info['NCPU']} that the engine's machine has"
            )
        if wanted.pids and not info.get("PidsLimit", True):
            yield f"{service.name}: the kernel offers no limit of processes (cgroup pids controller)"
        if service.init and not info.get("InitBinary"):
            yield f"{service.name}: this engine has no init program (docker-init)"
        known = plugins.get("Log")
        if service.logging and known and service.logging.driver not in (*known, "none"):
            yield f"{service.name}: this engine has no log driver `{service.logging.driver}`"
    for network in stack.networks:
        known = plugins.get("Network")
        if known and network.driver not in known:
            yield f"network {network.key}: this engine has no driver `{network.driver}`"
    for volume in stack.volumes:
        known = plugins.get("Volume")
        if known and not volume.external and volume.driver not in known:
            yield f"volume {volume.key}: this engine has no driver `{volume.driver}`"
