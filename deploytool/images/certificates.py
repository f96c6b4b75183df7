"""The certificate authorities that a build must trust because this machine does.

Behind a proxy that inspects TLS every download in a build fails unless the proxy's authority is known
there. The bundle goes into the build context, is used in build stages alone and has no part in an image's
tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# What the common tools are told to trust, in the order in which we believe them.
VARIABLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)
# Where an administrator adds authorities: Debian and Ubuntu, Red Hat and Fedora, SUSE.
_ADDED = (
    "usr/local/share/ca-certificates",
    "etc/pki/ca-trust/source/anchors",
    "usr/share/pki/trust/anchors",
    "etc/pki/trust/anchors",
)
# The authorities that the distribution itself ships, one a file (Debian and Ubuntu, package ca-certificates).
_SHIPPED = "usr/share/ca-certificates"
# The system's whole bundle, which the added ones have been merged into.
_BUNDLES = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/ssl/cert.pem",
)
_MARK = b"-----BEGIN CERTIFICATE-----"


def host_bundle(environment: Mapping[str, str], *, root: Path = Path("/")) -> bytes:
    """The bundle (PEM) a build needs, or b"" when this machine trusts no more than any other does.

    It is the system's bundle and what lies outside it: files that the variables name, and added authorities
    that nobody has merged yet. `root` is where the system's folders are looked for.
    """
    system = next((path for name in _BUNDLES if (path := root / name).is_file()), None)
    whole = _read(system) if system is not None else b""
    named = [_read(path) for path in _named(environment) if system is None or not _same(path, system)]
    added = [_read(path) for path in _added(root)]
    if not any(_MARK in text for text in (*named, *added)) and not _more_than_shipped(whole, root):
        return b""
    parts = [whole, *(text for text in (*named, *added) if _MARK in text and text.strip() not in whole)]
    return b"".join(_without_repetition(parts))


def _named(environment: Mapping[str, str]) -> list[Path]:
    return [
        Path(value) for name in VARIABLES if (value := environment.get(name, "")) and Path(value).is_file()
    ]


def _added(root: Path) -> list[Path]:
    return [
        path
        for name in _ADDED
        if (root / name).is_dir()
        for path in sorted((root / name).rglob("*"))
        if path.suffix in (".crt", ".pem", ".cer") and path.is_file()
    ]


def _more_than_shipped(whole: bytes, root: Path) -> bool:
    """True when the bundle holds an authority that the distribution does not ship (added by hand)."""
    shipped = {key for path in (root / _SHIPPED).rglob("*.crt") for key in _certificates(_read(path))}
    return bool(shipped) and any(key not in shipped for key in _certificates(whole))


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _read(path: Path) -> bytes:
    # An authority we may not read cannot be handed on; whoever needs it sees the download fail by name.
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _without_repetition(parts: list[bytes]) -> list[bytes]:
    """Each certificate once, in order, one line end after each."""
    seen = dict.fromkeys(key for part in parts for key in _certificates(part))
    return [
        _MARK
        + b"\n"
        + b"\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        + b"\n-----END CERTIFICATE-----\n"
        for body in seen
    ]


def _certificates(text: bytes) -> list[bytes]:
    """The base64 bodies of the certificates in a PEM text, without white space."""
    pieces = (piece.partition(b"-----END CERTIFICATE-----")[0] for piece in text.split(_MARK)[1:])
    return [b"".join(piece.split()) for piece in pieces]
