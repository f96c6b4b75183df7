"""What the templates see: plain values in Compose's terms, in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploytool.render.health import health_test
from deploytool.settings import ServiceSettings, Settings
from deploytool.settings.model import CHAT_SERVICE, HTTP_PORT, HTTPS_PORT, INTERNAL_PORT, PAGE_SERVICE, PROXY
from deploytool.settings.units import format_bytes, format_cpus, format_duration

COMPOSE_FILE = "compose.yaml"
MANIFEST_FILE = "manifest.json"
ROUTES_FILE = "proxy/routes.yaml"
CERTIFICATES_NOTE = "proxy/certificates/README"
"""Gives the proxy's image a folder for its volume; an empty one cannot stand in a build context."""
ROUTES_PATH = "/etc/traefik/dynamic/routes.yaml"
SECRETS_PATH = "/run/secrets"
CERTIFICATES_VOLUME = "proxy-certificates"
CERTIFICATES_PATH = "/certificates"

Plain = dict[str, Any]


def stack_context(
    settings: Settings, image_tags: Mapping[str, str], base_images: Mapping[str, Mapping[str, str]]
) -> Plain:
    """The variables of compose.yaml.j2 and routes.yaml.j2."""
    proxy = _proxy(settings) if PROXY in settings.enabled_services else None
    services = [
        _service(settings, name, service, image_tags, base_images.get(name, {}), proxy)
        for name, service in sorted(settings.enabled_services.items())
    ]
    return {
        "project": settings.project,
        "environment": settings.environment,
        "stack_name": settings.stack_name,
        "network": settings.network,
        "services": services,
        "volumes": _volumes(settings, services),
        "proxy": proxy,
    }


def _service(
    settings: Settings,
    name: str,
    service: ServiceSettings,
    image_tags: Mapping[str, str],
    base_images: Mapping[str, str],
    proxy: Plain | None,
) -> Plain:
    is_proxy = proxy is not None and name == PROXY
    return {
        "name": name,
        "is_proxy": is_proxy,
        "image": service.image or image_tags.get(name, f"{settings.project}/{name}:latest"),
        "command": service.command,
        "entrypoint": service.entrypoint,
        "options": _options(service),
        "environment": dict(sorted(service.environment.items())),
        "healthcheck": _healthcheck(service),
        "replicas": service.replicas,
        "limits": _resources(service.limits) | {"pids": service.limits.pids},
        "reservations": _resources(service.reservations),
        "update_config": service.update_config.model_dump(mode="json"),
        "depends_on": dict(sorted(service.depends_on.items())),
        "volumes": _mounts(name, service, proxy if is_proxy else None),
        "ports": _ports(settings, service, proxy if is_proxy else None),
        "labels": dict(sorted(service.labels.items())),
        "logging": {
            "driver": service.logging.driver,
            "options": dict(sorted(service.logging.options.items())),
        },
        "extension": _extension(name, service, base_images),
    }


def _options(service: ServiceSettings) -> Plain:
    """Keys whose value is the Compose key's value as it stands; empty ones are left out."""
    options: Plain = {
        "user": service.user or ("0:0" if service.run_as_root else ""),
        "working_dir": service.working_dir,
        "hostname": service.hostname,
        "init": service.init,
        "read_only": not service.writable_root,
        "cap_drop": ["ALL"],
        "cap_add": list(service.cap_add),
        "security_opt": [] if service.allow_new_privileges else ["no-new-privileges:true"],
        "group_add": list(service.group_add),
        "tmpfs": list(service.tmpfs),
        "shm_size": format_bytes(service.shm_size) if service.shm_size else "",
        "ulimits": {
            name: {"soft": limit.soft, "hard": limit.hard} for name, limit in sorted(service.ulimits.items())
        },
        "sysctls": dict(sorted(service.sysctls.items())),
        "extra_hosts": list(service.extra_hosts),
        "dns": list(service.dns),
        "restart": service.restart,
        "stop_signal": service.stop_signal,
        "stop_grace_period": format_duration(service.stop_grace_period),
    }
    return {key: value for key, value in options.items() if value not in ("", [], {}, False)}


def _healthcheck(service: ServiceSettings) -> Plain | None:
    check = service.healthcheck
    if check is None:
        return None
    if check.disable:
        return {"disable": True}
    return {
        "test": list(health_test(check, service.port)),
        "interval": format_duration(check.interval),
        "timeout": format_duration(check.timeout),
        "retries": check.retries,
        "start_period": format_duration(check.start_period),
    }


def _resources(resources: Any) -> Plain:
    found: Plain = {}
    if resources.cpus is not None:
        found["cpus"] = format_cpus(resources.cpus)
    if resources.memory is not None:
        found["memory"] = format_bytes(resources.memory)
    return found


def _mounts(name: str, service: ServiceSettings, proxy: Plain | None) -> list[Plain]:
    mounts = [
        {
            "type": "bind" if mount.source.startswith("/") else "volume",
            "source": mount.source,
            "target": mount.target,
            "read_only": mount.read_only,
        }
        for mount in service.volumes
    ]
    if service.secrets:
        mounts.append(_volume_mount(secrets_volume(name), SECRETS_PATH, read_only=True))
    if proxy is not None and proxy["https"]:
        mounts.append(_volume_mount(CERTIFICATES_VOLUME, CERTIFICATES_PATH, read_only=False))
    return sorted(mounts, key=lambda mount: str(mount["target"]))


def _volume_mount(source: str, target: str, *, read_only: bool) -> Plain:
    return {"type": "volume", "source": source, "target": target, "read_only": read_only}


def secrets_volume(service: str) -> str:
    """Key of the volume that carries a service's secrets."""
    return f"{service}-secrets"


def _ports(settings: Settings, service: ServiceSettings, proxy: Plain | None) -> list[Plain]:
    ports = [_port(port.target, port.published, port.host_ip, port.protocol) for port in service.ports]
    if proxy is not None:
        pairs = [(entry["port"], entry["published"]) for entry in proxy["entry_points"]]
        if proxy["https"]:
            pairs += [
                (HTTP_PORT, settings.proxy.http_published),
                (HTTPS_PORT, settings.proxy.https_published),
            ]
        ports += [
            _port(target, published, settings.proxy.host_ip, "tcp")
            for target, published in pairs
            if published is not None
        ]
    return sorted(ports, key=lambda port: (port["target"], port["published"], port["protocol"]))


def _port(target: int, published: int, host_ip: str, protocol: str) -> Plain:
    # Compose has no empty address: every address is said by saying none.
    address = {"host_ip": host_ip} if host_ip else {}
    return {"target": target, "published": str(published), **address, "protocol": protocol}


def _extension(name: str, service: ServiceSettings, base_images: Mapping[str, str]) -> Plain:
    extension: Plain = {}
    if service.build is not None:
        build = {
            "context": service.build.context,
            "dockerfile": f"{name}.Dockerfile",
            "args": dict(sorted(service.build.args.items())),
            "base_images": dict(base_images),
            "target": service.build.target,
            "not_in_tag": list(service.build.not_in_tag),
        }
        extension["build"] = {key: value for key, value in build.items() if value}
    if service.secrets:
        extension["secrets"] = sorted(service.secrets)
        extension["secrets_volume"] = secrets_volume(name)
    if service.port is not None:
        extension["proxied_port"] = service.port
    if service.release_command:
        extension["release_command"] = list(service.release_command)
    return extension


def _volumes(settings: Settings, services: list[Plain]) -> dict[str, Plain]:
    used = {
        mount["source"] for service in services for mount in service["volumes"] if mount["type"] == "volume"
    }
    secrets = {
        service["extension"]["secrets_volume"] for service in services if "secrets" in service["extension"]
    }
    volumes: dict[str, Plain] = {}
    for key in sorted(used):
        more = settings.volumes.get(key)
        volume: Plain = {}
        if more is not None:
            # Compose knows neither driver nor labels for a volume that it does not make.
            kept = {"name"} if more.external else {"name", "driver_opts", "labels", "driver"}
            volume = {field: value for field in sorted(kept) if (value := getattr(more, field))}
            if volume.get("driver") == "local":
                del volume["driver"]
            if more.external:
                volume["external"] = True
        purpose = "secrets" if key in secrets else (more.purpose if more is not None else "data")
        volumes[key] = {"options": volume, "purpose": purpose}
    return volumes


def _proxy(settings: Settings) -> Plain:
    proxy = settings.proxy
    upstreams = [
        _upstream(name, service)
        for name, service in sorted(settings.enabled_services.items())
        if service.port
    ]
    entry_points = []
    for upstream in upstreams:
        entry = proxy.entry_points.get(upstream["name"])
        entry_points.append(
            {
                "name": upstream["name"],
                "port": (entry.port if entry else None) or upstream["port"],
                "published": entry.published if entry else None,
            }
        )
    domains = [(PAGE_SERVICE, proxy.domain), (CHAT_SERVICE, proxy.api_domain)]
    return {
        "service": PROXY,
        "routes_file": ROUTES_FILE,
        "routes_path": ROUTES_PATH,
        "https": proxy.https,
        "http_port": HTTP_PORT,
        "http_published": proxy.http_published,
        "https_port": HTTPS_PORT,
        "https_published": proxy.https_published,
        "internal_port": INTERNAL_PORT,
        "email": proxy.email,
        "acme_server": proxy.acme_server,
        "certificates": f"{CERTIFICATES_PATH}/acme.json",
        "access_log": proxy.access_log,
        "grace_period": format_duration(proxy.grace_period),
        "arguments": list(proxy.arguments),
        "entry_points": entry_points,
        "listeners": [entry["name"] for entry in entry_points] + (["http", "https"] if proxy.https else []),
        "upstreams": upstreams,
        "domains": [
            {"service": name, "domain": domain}
            for name, domain in domains
            if domain and proxy.https and any(upstream["name"] == name for upstream in upstreams)
        ],
    }


def _upstream(name: str, service: ServiceSettings) -> Plain:
    check = service.healthcheck
    on_this_port = (
        check is not None and check.path and not check.disable and check.port in {None, service.port}
    )
    return {"name": name, "port": service.port, "health_path": check.path if check and on_this_port else ""}
