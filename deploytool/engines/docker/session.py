"""The HTTP session to the engine: the Docker SDK's low-level client, made safe for many threads and dry runs.

This module imports the SDK (0.15 s), so it is imported on use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from deploytool.engines.docker.address import Address
from deploytool.errors import WriteRefused

POOL_SIZE = 64
READS = frozenset({"GET", "HEAD"})


class _SocketAdapter(UnixHTTPAdapter):
    """One pool for the one socket.

    The SDK keeps a pool per URL and closes the oldest when there are more than 25: it never reuses a
    connection, and with many threads it closes pools that another thread is about to use.
    """

    def get_connection(self, url: Any, proxies: Any = None) -> Any:  # noqa: ARG002
        return super().get_connection("http+docker://localhost", proxies)


class Session(docker.APIClient):
    """`docker.APIClient` with `read_only`: then anything but GET and HEAD raises WriteRefused, unsent."""

    def __init__(self, address: Address, *, version: str, timeout: float, read_only: bool) -> None:
        self._read_only = read_only
        tls: Any = False
        if address.certificates:
            folder = Path(address.certificates)
            tls = TLSConfig(
                client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
                ca_cert=str(folder / "ca.pem"),
                verify=address.verify,
            )
        super().__init__(
            base_url=address.url,
            version=version,
            timeout=int(timeout),
            tls=tls,
            use_ssh_client=True,
            max_pool_size=POOL_SIZE,
        )
        if address.local:
            # Nothing of the environment (proxies, .netrc) concerns a local socket.
            self.trust_env = False
            self._custom_adapter = _SocketAdapter(
                f"http+{address.url}", int(timeout), max_pool_size=POOL_SIZE
            )
            self.mount("http+docker://", self._custom_adapter)
        elif not address.url.startswith(("ssh://", "npipe://")):
            adapter = HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE)
            self.mount("http://", adapter)
            self.mount("https://", adapter)

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """The one gate through which every request leaves, whichever method of the SDK made it."""
        if self._read_only and request.method not in READS:
            raise WriteRefused(
                f"a dry run tried to change something: {request.method} {request.path_url.split('?')[0]}"
            )
        return super().send(request, **options)

    def use_version(self, version: str) -> None:
        """Speak that version of the API from now on."""
        self._version = version
