"""The proxy's routes: the rendered file names services, the live one names containers.

A container's name is a stable DNS name on the stack's network for as long as the container lives, and two
containers of one service can be told apart by it: that is what a replacement without a dropped request needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploytool.errors import BundleInvalid
from deploytool.stack.model import Pairs

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def expand(routes: str, upstreams: Mapping[str, Sequence[str]]) -> str:
    """The routes with one server for each container.

    A Traefik service is expanded when its only server's host is one of the compose services in `upstreams`.
    A service without containers keeps the server that was rendered (its name answers nowhere: 502).
    """
    document = _load(routes)
    for load_balancer in _load_balancers(document):
        servers = load_balancer.get("servers") or []
        if len(servers) != 1 or not isinstance(servers[0], dict):
            continue
        address = urlsplit(str(servers[0].get("url", "")))
        containers = upstreams.get(address.hostname or "", ())
        if containers:
            port = f":{address.port}" if address.port else ""
            load_balancer["servers"] = [
                {**servers[0], "url": f"{address.scheme}://{name}{port}{address.path}"} for name in containers
            ]
    return yaml.dump(document, Dumper=_Dumper, sort_keys=True, default_flow_style=False, width=1000)


def routed_services(routes: str) -> tuple[str, ...]:
    """The compose services that the routes send traffic to, sorted."""
    found = set()
    for load_balancer in _load_balancers(_load(routes)):
        for server in load_balancer.get("servers") or []:
            host = urlsplit(str(server.get("url", ""))).hostname if isinstance(server, dict) else None
            if host:
                found.add(host)
    return tuple(sorted(found))


def same(first: str | None, second: str | None) -> bool:
    """True when two routes files mean the same."""
    if first is None or second is None:
        return first is second
    return first == second or bool(_load(first) == _load(second))


SEED = "routes.yaml"
"""What the proxy's image seeds the volume with; sorts after every generation."""
_FIRST_GENERATION = 999_999
_GENERATION = re.compile(r"routes-(\d{6})\.yaml")


def next_file(present: Iterable[str]) -> str:
    """The name for the next routes file, which wins over those present.

    The engine replaces a file by deleting it and writing a new one, and Traefik may read in between: it would
    answer 404 until it reads again (measured: 432 of 2,180 requests around five writes). So a new generation
    is written beside the old one, which is deleted afterwards. Traefik reads a folder in the order of names
    and keeps the first definition of a router or service, so the newest generation has the smallest name; at
    no moment does the folder say less than a whole set of routes.
    """
    taken = [int(match[1]) for name in present if (match := _GENERATION.fullmatch(name))]
    return f"routes-{min(taken, default=_FIRST_GENERATION + 1) - 1:06d}.yaml"


def current(files: Mapping[str, bytes]) -> str | None:
    """The routes that count among the files of the proxy's folder; None when there are none."""
    names = sorted(name for name in files if name == SEED or _GENERATION.fullmatch(name))
    return files[names[0]].decode(errors="replace") if names else None


def pairs(upstreams: Mapping[str, Sequence[str]]) -> Pairs:
    """Upstreams as the sorted pairs that an operation carries; the order of containers is kept."""
    return tuple((service, name) for service in sorted(upstreams) for name in upstreams[service])


def mapping(upstreams: Pairs) -> dict[str, list[str]]:
    """The reverse of `pairs`."""
    found: dict[str, list[str]] = {}
    for service, name in upstreams:
        found.setdefault(service, []).append(name)
    return found


def _load(routes: str) -> dict[str, Any]:
    try:
        document = yaml.load(routes, Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
    except yaml.YAMLError as error:
        raise BundleInvalid(
            f"the routes file is not YAML: {error}",
            where="proxy/routes.yaml",
            hint="look at templates/routes.yaml.j2",
        ) from None
    if not isinstance(document, dict):
        raise BundleInvalid(
            "the routes file holds no mapping",
            where="proxy/routes.yaml",
            hint="look at templates/routes.yaml.j2",
        )
    return document


def _load_balancers(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    services = (document.get("http") or {}).get("services") or {}
    return [
        entry["loadBalancer"]
        for entry in services.values()
        if isinstance(entry, dict) and "loadBalancer" in entry
    ]
