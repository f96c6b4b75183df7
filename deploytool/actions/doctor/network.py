"""Checks of what can be reached from this machine: package registries, image registry, the time of day."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.actions.setup.machine import REGISTRY_ADDRESS, registry_answers

PACKAGE_HOSTS = ("pypi.org", "registry.npmjs.org")
SKEW_WARNED = 30.0
SKEW_FAILED = 300.0
"""Seconds. Certificates and tokens are judged by the clock: an access token lives 15 minutes."""


def packages() -> Finding:
    """Whether the registries answer that builds install from, by name and with a trusted certificate."""
    for host in PACKAGE_HOSTS:
        try:
            with urllib.request.urlopen(f"https://{host}/", timeout=4):
                pass
        except urllib.error.HTTPError:
            continue
        except OSError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLError):
                return failed(
                    f"{host}: its certificate is not trusted",
                    "trust your proxy's CA (/usr/local/share/ca-certificates, update-ca-certificates)",
                )
            if isinstance(reason, socket.gaierror):
                return failed(f"{host}: no such name", "look at /etc/resolv.conf")
            return failed(f"{host}: {reason}", "look at the network and at HTTPS_PROXY")
    return passed(", ".join(PACKAGE_HOSTS))


def image_registry(stand_ins_possible: bool) -> Finding:
    """Whether base images can be pulled from Docker Hub."""
    if registry_answers(REGISTRY_ADDRESS):
        return passed("Docker Hub answers")
    if stand_ins_possible:
        return warned(
            "Docker Hub cannot be reached: base images are made from packages",
            "nothing needs to be done; build.base_images names others (a registry of your own)",
        )
    return failed(
        "Docker Hub cannot be reached", "name images you have under build.base_images in environments/"
    )


def clock_of_the_world(*, host: str = PACKAGE_HOSTS[0]) -> Finding:
    """This machine's clock beside the Date that a web server answers with (RFC 9110, to the second)."""
    began = time.time()
    connection = http.client.HTTPSConnection(host, timeout=4)
    try:
        connection.request("HEAD", "/")
        date = connection.getresponse().getheader("Date")
    except (OSError, http.client.HTTPException) as error:
        return skipped(f"no answer from {host} ({type(error).__name__})")
    finally:
        connection.close()
    if date is None:
        return skipped(f"{host} does not tell the time")
    return judge_skew(parsedate_to_datetime(date).timestamp() - (began + time.time()) / 2, host)


def judge_skew(skew: float, other: str) -> Finding:
    """What `skew` seconds of difference to the clock of `other` mean; it is measured to about 2 s."""
    value = f"within 2 s of {other}" if abs(skew) <= 2 else f"{abs(skew):.0f} s {_side(skew)} {other}"
    remedy = "apt-get install systemd-timesyncd, or  chronyd -q 'pool pool.ntp.org iburst'"
    if abs(skew) > SKEW_FAILED:
        return failed(value, remedy)
    return warned(value, remedy) if abs(skew) > SKEW_WARNED else passed(value)


def _side(skew: float) -> str:
    return "behind" if skew > 0 else "ahead of"


def interception(*, host: str = PACKAGE_HOSTS[0]) -> Finding:
    """Whether a proxy opens TLS on the way: then its CA has to be trusted inside builds as well."""
    import certifi

    try:
        with socket.create_connection((host, 443), timeout=4) as plain:
            public = ssl.create_default_context(cafile=certifi.where())
            try:
                with public.wrap_socket(plain, server_hostname=host):
                    return passed("none seen: certificates are those of public authorities")
            except ssl.SSLCertVerificationError:
                pass
        with socket.create_connection((host, 443), timeout=4) as plain:
            try:
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
                    issuer = _issuer(secured.getpeercert() or {})
            except ssl.SSLCertVerificationError:
                return failed(
                    "a proxy opens TLS, and this machine does not trust its CA",
                    "cp ca.crt /usr/local/share/ca-certificates/ && update-ca-certificates",
                )
    except OSError as error:
        return skipped(f"{host} cannot be reached ({type(error).__name__})")
    return passed(f"a proxy opens TLS ({issuer}); builds are given this machine's CA bundle")


def _issuer(certificate: Mapping[str, object]) -> str:
    names = certificate.get("issuer")
    pairs = (
        [pair for group in names if isinstance(group, tuple) for pair in group]
        if isinstance(names, tuple)
        else []
    )
    found = dict(pairs)
    return str(found.get("organizationName") or found.get("commonName") or "unnamed")


def proxies() -> Finding:
    """HTTP proxies that the environment variables name, in the form urllib reads them."""
    named = urllib.request.getproxies_environment()
    chosen = {kind: address for kind, address in named.items() if kind in ("http", "https")}
    if not chosen:
        return passed("none named")
    value = ", ".join(f"{kind}: {without_password(address)}" for kind, address in sorted(chosen.items()))
    if not urllib.request.proxy_bypass("localhost"):
        return warned(f"{value}, for localhost too", "export NO_PROXY=localhost,127.0.0.1")
    return passed(value)


def without_password(address: str) -> str:
    """A proxy's address without the user and password it may carry."""
    scheme, separator, rest = address.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
