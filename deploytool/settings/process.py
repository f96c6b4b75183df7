"""The process's environment, for what builds take over from this machine: proxies, certificates, a clock.

These are other programs' variables (curl, pip, git), not settings of ours; nothing here overrides one.
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
