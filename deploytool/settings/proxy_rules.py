"""Rules about ports, and about the proxy that holds them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from deploytool.settings.documents import KeyPath
from deploytool.settings.model import (
    CHAT_SERVICE,
    HTTP_PORT,
    HTTPS_PORT,
    INTERNAL_PORT,
    PAGE_SERVICE,
    PROXY,
    Settings,
)
from deploytool.settings.problems import Problem, nearest
from deploytool.settings.units import format_duration

Published = tuple[str, str, int, str, KeyPath]
"""Who publishes, address, port, protocol, and where that is written."""

_RESERVED = {"http", "https", "internal"}


def broken_proxy_rules(settings: Settings) -> Iterator[Problem]:
    """Every rule about ports and the proxy that the settings break."""
    published = list(_published(settings))
    yield from _same_port(published)
    yield from _cannot_double(settings, {name for name, *_ in published})
    if PROXY in settings.enabled_services:
        yield from _entry_points(settings)
        yield from _https(settings)
        yield from _grace(settings)


def _published(settings: Settings) -> Iterator[Published]:
    for name, service in sorted(settings.enabled_services.items()):
        for index, port in enumerate(service.ports):
            yield name, port.host_ip, port.published, port.protocol, ("services", name, "ports", str(index))
    if PROXY not in settings.enabled_services:
        return
    proxy = settings.proxy
    for name, entry in sorted(proxy.entry_points.items()):
        if entry.published is not None:
            yield PROXY, proxy.host_ip, entry.published, "tcp", ("proxy", "entry_points", name, "published")
    if proxy.https:
        for field in ("http_published", "https_published"):
            yield PROXY, proxy.host_ip, getattr(proxy, field), "tcp", ("proxy", field)


def _same_port(published: list[Published]) -> Iterator[Problem]:
    for index, (name, address, port, protocol, place) in enumerate(published):
        for other, other_address, other_port, other_protocol, _ in published[:index]:
            if port and (port, protocol) == (other_port, other_protocol) and _overlap(address, other_address):
                who = f"`{other}` and `{name}` both publish" if other != name else f"`{name}` publishes twice"
                yield Problem(place, f"{who} port {port}")
                break


def _overlap(first: str, second: str) -> bool:
    if not first or not second:
        return True
    one, two = ipaddress.ip_address(first), ipaddress.ip_address(second)
    return one == two or ((one.is_unspecified or two.is_unspecified) and one.version == two.version)


def _cannot_double(settings: Settings, publishing: set[str]) -> Iterator[Problem]:
    for name in sorted(publishing):
        service = settings.services[name]
        if service.replicas > 1:
            yield Problem(
                ("services", name, "replicas"),
                f"`{name}` publishes a port of the host, which only one container can hold",
                "leave publishing to the proxy: give the service a `port`",
            )
        if service.update_config.order == "start-first":
            yield Problem(
                ("services", name, "update_config", "order"),
                f"`{name}` publishes a port of the host, so its old container must stop first",
                "set update_config.order: stop-first",
            )


def _entry_points(settings: Settings) -> Iterator[Problem]:
    behind = {name: service for name, service in settings.enabled_services.items() if service.port}
    for name in sorted(settings.proxy.entry_points):
        place: KeyPath = ("proxy", "entry_points", name)
        if name not in settings.services:
            meant = nearest(name, behind)
            yield Problem(place, f"`{name}` is no service", f"did you mean `{meant}`?" if meant else "")
        elif settings.services[name].port is None:
            yield Problem(place, f"`{name}` has no `port` that the proxy could send traffic to")
    kept: dict[int, str] = {INTERNAL_PORT: "the proxy's own health and metrics"}
    if settings.proxy.https:
        kept |= {HTTP_PORT: "HTTP", HTTPS_PORT: "HTTPS"}
    for name, service in sorted(behind.items()):
        entry = settings.proxy.entry_points.get(name)
        port = (entry.port if entry else None) or service.port or 0
        place = (
            ("proxy", "entry_points", name, "port") if entry and entry.port else ("services", name, "port")
        )
        if name in _RESERVED or name == PROXY:
            yield Problem(("services", name, "port"), f"a service behind the proxy cannot be called `{name}`")
        if port in kept:
            yield Problem(
                place,
                f"port {port} of the proxy is taken by {kept[port]}",
                f"choose another: proxy.entry_points.{name}.port",
            )
        kept.setdefault(port, f"`{name}`")


def _https(settings: Settings) -> Iterator[Problem]:
    proxy = settings.proxy
    if not proxy.https:
        return
    if not proxy.domain:
        yield Problem(
            ("proxy", "https"), "HTTPS needs `proxy.domain`", "for example domain: chat.example.com"
        )
    if not proxy.email:
        yield Problem(
            ("proxy", "https"),
            "HTTPS needs `proxy.email`: the certificate authority writes to it before expiry",
        )
    if proxy.domain and proxy.domain.casefold() == proxy.api_domain.casefold():
        yield Problem(("proxy", "api_domain"), "`domain` and `api_domain` must differ")
    for field, name in (("domain", PAGE_SERVICE), ("api_domain", CHAT_SERVICE)):
        service = settings.enabled_services.get(name)
        if getattr(proxy, field) and (service is None or service.port is None):
            yield Problem(("proxy", field), f"it leads to `{name}`, which is not on or has no `port`")


def _grace(settings: Settings) -> Iterator[Problem]:
    grace, stop = settings.proxy.grace_period, settings.services[PROXY].stop_grace_period
    if stop < grace:
        yield Problem(
            ("services", PROXY, "stop_grace_period"),
            f"the proxy is killed after {format_duration(stop)}, before its open requests had their "
            f"{format_duration(grace)} (proxy.grace_period)",
        )
