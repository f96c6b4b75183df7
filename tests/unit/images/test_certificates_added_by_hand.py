"""An authority that stands in the system's bundle alone, without a file of its own, counts too."""

from __future__ import annotations

import base64
from pathlib import Path

from deploytool.images.certificates import host_bundle


def certificate(name: str) -> bytes:
    body = base64.b64encode(name.encode() * 20)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----\n"


def test_a_bundle_with_more_than_the_distribution_ships(tmp_path: Path) -> None:
    shipped = tmp_path / "usr/share/ca-certificates/mozilla"
    shipped.mkdir(parents=True)
    (shipped / "public.crt").write_bytes(certificate("public"))
    bundle = tmp_path / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(certificate("public"))
    assert host_bundle({}, root=tmp_path) == b""
    bundle.write_bytes(certificate("public") + certificate("company"))
    assert host_bundle({}, root=tmp_path).count(b"BEGIN CERTIFICATE") == 2
