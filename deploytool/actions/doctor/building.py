"""Checks of base images, and of what a build sees of the network: asked by real, tiny builds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from deploytool.actions.doctor.check import Finding, failed, passed, skipped, warned
from deploytool.actions.prepare import CACHE, Prepared
from deploytool.errors import BuildFailed

if TYPE_CHECKING:
    from deploytool.images.base_images import BaseImage

TIME_LIMIT = 60.0
"""Seconds a tiny build has: the engine may be building something else."""
HOST = "pypi.org"
_NAME = f"import socket; socket.getaddrinfo('{HOST}', 443)"
_TLS = (
    "import os, ssl, urllib.request as r; ca = '/run/ca.crt'; "
    "context = ssl.create_default_context(cafile=ca if os.path.getsize(ca) else None); "
    f"r.urlopen('https://{HOST}/simple/pip/', timeout=20, context=context).read(1)"
)


def base_images(prepared: Prepared, client: Any) -> Finding:
    """Whether the base images are on the engine, and which of them are stand-ins."""
    wanted = dict(prepared.facts.base_images)
    found = _find(prepared, client)
    missing = sorted(set(wanted) - set(found))
    stand_ins = sorted(name for name, image in found.items() if image.stand_in)
    if missing:
        return passed(f"{', '.join(missing)}: fetched by the first deploy")
    if stand_ins:
        return warned(
            f"stand-ins made from packages are in use for {', '.join(stand_ins)}",
            "fine for trying things; for production reach a registry, or name images under build.base_images",
        )
    return passed(f"{', '.join(sorted(found))}: there")


def names_in_a_build(prepared: Prepared, client: Any) -> Finding:
    """Whether a build finds hosts by name."""
    return _ask(
        prepared,
        client,
        _NAME,
        works=f"a build finds {HOST}",
        broken=f"a build does not find {HOST} by name",
        remedy='name servers for the engine: {"dns": ["…"]} in /etc/docker/daemon.json, then restart it',
    )


def tls_in_a_build(prepared: Prepared, client: Any) -> Finding:
    """Whether a build can download: the network lets it, and it trusts who answers."""
    return _ask(
        prepared,
        client,
        _TLS,
        works=f"a build downloads from https://{HOST}",
        broken=f"a build cannot download from https://{HOST}",
        remedy="a proxy's CA goes to /usr/local/share/ca-certificates (update-ca-certificates); "
        "is forwarding on: sysctl net.ipv4.ip_forward?",
    )


def _find(prepared: Prepared, client: Any) -> Mapping[str, BaseImage]:
    from deploytool.images.base_images import BaseImages

    images = BaseImages(client, cache=prepared.project_dir / CACHE)
    return images.find(dict(prepared.facts.base_images))


def _ask(prepared: Prepared, client: Any, script: str, *, works: str, broken: str, remedy: str) -> Finding:
    """Run the script in a build of its own, on the Python base image; leave nothing behind."""
    from deploytool.images.buildkit import ImageBuild, build_image
    from deploytool.images.certificates import host_bundle
    from deploytool.images.proxies import network_mode, proxy_arguments
    from deploytool.settings import process

    machine = process.variables()

    base = _find(prepared, client).get("python")
    if base is None:
        return skipped("no base image is there yet: ask again after the first deploy")
    tag = f"chatbot/doctor:{secrets.token_hex(6)}"
    dockerfile = (
        f"FROM {base.reference}\n"
        "RUN --mount=type=bind,source=.build/ca.crt,target=/run/ca.crt "
        f'python3 -c "{script}"\n'
    )
    build = ImageBuild(
        name="doctor",
        tag=tag,
        dockerfile=dockerfile,
        context=None,
        args=proxy_arguments(machine),
        network_mode=network_mode(machine),
        certificates=host_bundle(machine),
        no_cache=True,
    )
    try:
        build_image(client, build)
    except BuildFailed as error:
        last = error.details[-1].strip() if error.details else error.message
        return failed(f"{broken}: {last}", remedy)
    finally:
        with suppress(Exception):
            client.remove_image(tag, force=True)
    return passed(works)
