"""The machine's HTTP proxy, handed to builds as Docker's predefined arguments.

Predefined arguments need no ARG line, change no cache key and stand in no image's history, so a password in a
proxy's address stays out of the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")
_HOST_ONLY = frozenset({"localhost", "127.0.0.1", "::1"})


def proxy_arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables that are set, under both spellings; a lower-case one wins, as in curl."""
    found = {}
    for name in NAMES:
        value = environment.get(name.lower()) or environment.get(name)
        if value:
            found[name] = found[name.lower()] = value
    return found


def network_mode(environment: Mapping[str, str]) -> str:
    """`host` when the proxy listens on this machine's loopback, out of reach of a build's bridge; else ""."""
    for name, value in proxy_arguments(environment).items():
        if name != "NO_PROXY" and name.isupper():
            address = urlsplit(value if "//" in value else f"//{value}")
            if address.hostname in _HOST_ONLY:
                return "host"
    return ""
