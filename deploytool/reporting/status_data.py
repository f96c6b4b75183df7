"""`chatbot status --json`: bytes, nano-CPUs (limits), CPUs (usage), epoch seconds; null: not known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from deploytool.actions.status import ContainerStatus, ServiceStatus, Status


def as_data(status: Status) -> dict[str, Any]:
    """The shape that docs/commands.md describes."""
    release = status.release
    return {
        "project": status.project,
        "healthy": status.healthy,
        "engine": {
            "kind": status.engine.kind,
            "version": status.engine.version,
            "api_version": status.engine.api_version,
            "address": status.engine.address,
        },
        "release": None
        if release is None
        else {
            "number": release.number,
            "at": release.at,
            "by": release.by,
            "message": release.message,
            "seconds": release.seconds,
        },
        "services": [_service(service) for service in status.services],
        "volumes": [asdict(volume) for volume in status.volumes],
        "images": [asdict(image) for image in status.images],
        "drift": [
            {
                "service": change.service,
                "action": change.action,
                "sentences": list(change.drift),
                "changes": [asdict(entry) for entry in change.changes],
            }
            for change in status.drift
        ],
        "pending": status.pending,
        "leftovers": [_container(container) for container in status.leftovers],
        "stand_ins": list(status.stand_ins),
        "urls": dict(status.urls),
    }


def _service(service: ServiceStatus) -> dict[str, Any]:
    return {
        "service": service.service,
        "wanted": service.wanted,
        "running": service.running,
        "healthy": service.healthy,
        "release": service.release,
        "image": service.image,
        "cpu_limit": service.cpu_limit,
        "memory_limit": service.memory_limit,
        "containers": [_container(container) for container in service.containers],
    }


def _container(container: ContainerStatus) -> dict[str, Any]:
    return asdict(container)
