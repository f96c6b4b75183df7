"""The process's environment: our own overrides, and what builds take over from this machine.

The latter (proxies, certificates, a clock) are other programs' variables (curl, pip, git), not our settings.
"""

from __future__ import annotations

import os

_NAMES = frozenset(
    {
        "SSL_CERT_FILE",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "SOURCE_DATE_EPOCH",
    }
)
_PROXIES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"})


def variables() -> dict[str, str]:
    """Those variables that are set, by name. The address of a proxy may hold a password: never show it."""
    return {
        name: value
        for name, value in os.environ.items()
        if value and (name in _NAMES or name.lower() in _PROXIES)
    }


def overrides() -> dict[str, str]:
    """The `CHATBOT__` variables that are set: they override what stands in environments/."""
    return {name: value for name, value in os.environ.items() if name.upper().startswith("CHATBOT__")}
