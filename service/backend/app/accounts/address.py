"""Which address a request comes from, behind the proxy and behind the page's own server."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time

from starlette.requests import Request

from app.settings import Settings

_VALID_SECONDS = 60


def signature(secret: str, address: str, moment: str) -> str:
    """How the page's server proves that it is the one who names a browser's address."""
    text = f"client-address:{address}:{moment}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _plain(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def _told_by_the_page(header: str, secret: str) -> str | None:
    address, *fields = header.split(";")
    values = dict(field.split("=", 1) for field in fields if "=" in field)
    moment, signed = values.get("t", ""), values.get("s", "")
    if not moment.isdigit() or len(moment) > 12 or abs(time.time() - int(moment)) > _VALID_SECONDS:
        return None
    if not hmac.compare_digest(signature(secret, address, moment).encode(), signed.encode()):
        return None
    return _plain(address)


def client_address(request: Request, settings: Settings) -> str:
    """The address to throttle by. Headers count only as far as they were signed or set by the proxy."""
    header = request.headers.get("x-client-address")
    if header:
        told = _told_by_the_page(header, settings.jwt_secret.get_secret_value())
        if told:
            return told
    peer = request.client.host if request.client else "unknown"
    hops = settings.trusted_proxy_hops
    forwarded = request.headers.get("x-forwarded-for", "").split(",")
    plain = _plain(peer)
    # Only a peer inside the container network can be the proxy.
    if hops and len(forwarded) >= hops and plain and ipaddress.ip_address(plain).is_private:
        return _plain(forwarded[-hops]) or peer
    return peer
