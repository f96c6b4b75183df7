"""What follows from other settings: whether the local model runs, and the variables that say so.

Only what nobody wrote is filled in: a value in a file or variable always wins. `config explain` shows these
values as the layer "derived".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from deploytool.settings.documents import Document, KeyPath
from deploytool.settings.model import CHAT_SERVICE, MODEL, PAGE_SERVICE, PROXY
from deploytool.settings.units import NANO, format_duration, parse_duration

DERIVED = "derived"
MODEL_PORT = 8080
MODEL_MEMORY = {"standard": "2G", "auto": "2G", "tiny": "512M"}
OPENAI_NAMES = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


def derive(merged: Mapping[str, Any], environment: str, secret_names_present: frozenset[str]) -> Document:
    """The layer of derived values that belongs below `base.yaml`.

    Works on raw data that may still be wrong: what has not the expected form is left to validation.
    """
    derived: dict[str, Any] = {"environment": environment}
    services = _map(merged, "services")
    if MODEL in services and CHAT_SERVICE in services:
        _derive_model(derived, merged, secret_names_present)
    if CHAT_SERVICE in services:
        _derive_backend(derived, merged, environment)
    if PROXY in services:
        _derive_proxy(derived, merged)
    return Document(DERIVED, derived, dict.fromkeys(_paths(derived), 0))


def resolve(
    merged: Mapping[str, Any], *, other_model: bool, secret_names_present: frozenset[str]
) -> dict[str, Any]:
    """The merged tree with `auto`, optional secrets and dependencies on services that are off settled.

    `other_model` is what `has_other_model` says of the tree without derived values.
    """
    tree = copy.deepcopy(dict(merged))
    services = tree.get("services")
    if not isinstance(services, dict):
        return tree
    model = services.get(MODEL)
    if isinstance(model, dict) and model.get("enabled") == "auto":
        model["enabled"] = not other_model
    off = {
        name
        for name, service in services.items()
        if isinstance(service, dict) and service.get("enabled") is False
    }
    for service in services.values():
        if isinstance(service, dict):
            _settle_service(service, off, secret_names_present)
    return tree


def has_other_model(merged: Mapping[str, Any], secret_names_present: frozenset[str]) -> bool:
    """Whether a key for OpenAI or the address of another compatible server is given."""
    environment = _map(merged, "services", CHAT_SERVICE, "environment")
    return any(name in secret_names_present or environment.get(name) for name in OPENAI_NAMES)


def _settle_service(service: dict[str, Any], off: set[str], secret_names_present: frozenset[str]) -> None:
    depends_on = service.get("depends_on")
    if isinstance(depends_on, dict):
        service["depends_on"] = {name: condition for name, condition in depends_on.items() if name not in off}
    elif isinstance(depends_on, tuple):
        service["depends_on"] = tuple(name for name in depends_on if name not in off)
    secrets, optional = service.get("secrets", ()), service.get("optional_secrets", ())
    if isinstance(secrets, tuple) and isinstance(optional, tuple):
        given = [name for name in optional if name in secret_names_present and name not in secrets]
        service["secrets"] = (*secrets, *given)


def _derive_model(
    derived: dict[str, Any], merged: Mapping[str, Any], secret_names_present: frozenset[str]
) -> None:
    size = _map(merged, "model").get("size", "auto")
    memory = MODEL_MEMORY.get(size) if isinstance(size, str) else None
    if memory:
        _put(derived, ("services", MODEL, "limits", "memory"), memory)
        _put(
            derived,
            ("services", MODEL, "build", "args", "MODEL_SIZE"),
            "tiny" if size == "tiny" else "standard",
        )
    enabled = _map(merged, "services", MODEL).get("enabled", True)
    if enabled is True or (enabled == "auto" and not has_other_model(merged, secret_names_present)):
        environment = ("services", CHAT_SERVICE, "environment")
        _put(derived, (*environment, "OPENAI_BASE_URL"), f"http://{MODEL}:{MODEL_PORT}/v1")
        _put(derived, (*environment, "OPENAI_MODEL"), "local-tiny" if size == "tiny" else "local-standard")


def _derive_backend(derived: dict[str, Any], merged: Mapping[str, Any], environment: str) -> None:
    path = ("services", CHAT_SERVICE, "environment")
    _put(derived, (*path, "ENVIRONMENT"), environment)
    origins = _allowed_origins(merged)
    if origins:
        _put(derived, (*path, "ALLOWED_ORIGINS"), ",".join(origins))
    try:
        grace = parse_duration(_map(merged, "services", CHAT_SERVICE).get("stop_grace_period", "30s"))
    except ValueError:
        return
    # The server must end by itself before the engine kills it: a sixth of the time is kept for that.
    _put(derived, (*path, "GRACEFUL_TIMEOUT_SECONDS"), str(max(grace * 5 // 6 // NANO, 1)))
    _put(derived, (PROXY, "grace_period"), format_duration(grace))


def _derive_proxy(derived: dict[str, Any], merged: Mapping[str, Any]) -> None:
    grace = _map(merged, PROXY).get("grace_period") or _map(derived, PROXY).get("grace_period", "60s")
    try:
        stop = parse_duration(grace) + 10 * NANO
    except ValueError:
        return
    _put(derived, ("services", PROXY, "stop_grace_period"), format_duration(stop))


def _allowed_origins(merged: Mapping[str, Any]) -> list[str]:
    """The page's own addresses: what a browser sends as Origin."""
    proxy = _map(merged, PROXY)
    domain, published = proxy.get("domain"), _map(proxy, "entry_points", PAGE_SERVICE).get("published")
    if proxy.get("https") is True and isinstance(domain, str) and domain:
        port = proxy.get("https_published", 443)
        return [f"https://{domain}" if port == 443 else f"https://{domain}:{port}"]
    if isinstance(published, int) and published:
        hosts = ["localhost", "127.0.0.1"]
        address = proxy.get("host_ip", "127.0.0.1")
        if isinstance(address, str) and address not in {"", "127.0.0.1", "0.0.0.0", "::", "::1"}:  # noqa: S104
            hosts.append(f"[{address}]" if ":" in address else address)
        if isinstance(domain, str) and domain:
            hosts.append(domain)
        return [f"http://{host}:{published}" for host in hosts]
    return []


def _map(tree: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    node: Any = tree
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def _put(tree: dict[str, Any], path: KeyPath, value: Any) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def _paths(tree: Mapping[str, Any], above: KeyPath = ()) -> list[KeyPath]:
    found: list[KeyPath] = []
    for key, value in tree.items():
        found.append((*above, key))
        if isinstance(value, dict):
            found.extend(_paths(value, (*above, key)))
    return found
