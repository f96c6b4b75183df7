"""The stand-in for `python:3.11-slim`: Debian bookworm with its own Python 3.11, apt kept.

apt stays (about 12 MB) because a Dockerfile written for the official image may call `apt-get install`. The
bytes are not pinned one by one: Debian's mirrors drop a package's old version on every point release; apt
checks each package against the archive's signed index instead.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import tempfile
import zipfile
from pathlib import Path

from deploytool.errors import BaseImageUnavailable
from deploytool.images.standins import commands
from deploytool.images.standins.recipe import Recipe, Workshop
from deploytool.images.standins.tree import EPOCH, TreeWriter

_SUITE = "bookworm"
_MIRROR = "http://deb.debian.org/debian"
_SECURITY = "http://deb.debian.org/debian-security"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PACKAGES = (
    "ca-certificates",
    "netbase",
    "python3.11",
    "python3.11-venv",
    "tzdata",
)
# Left to itself apt meets `usrmerge | usr-is-merged` with the first, which brings all of Perl (47 MB).
_PREFERENCES = "etc/apt/preferences.d/chatbot"
_SETUP = (
    f'printf "Package: usrmerge\\nPin: release *\\nPin-Priority: -1\\n" > "$1/{_PREFERENCES}"',
    'for name in bin lib lib64 sbin; do mkdir -p "$1/usr/$name"; ln -s "usr/$name" "$1/$name"; done',
)
# As Debian's own slim images leave out.
_DROPPED_FOLDERS = (
    "usr/share/doc",
    "usr/share/groff",
    "usr/share/info",
    "usr/share/linda",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
)
_DROPPED = re.compile(
    r"^(dev/.+|var/cache/(apt|debconf)/.+|var/lib/apt/lists/.+|var/log/.+|etc/apt/apt\.conf\.d/99mmdebstrap"
    r"|etc/apt/preferences\.d/chatbot|etc/dpkg/dpkg\.cfg\.d/99mmdebstrap"
    r"|usr/lib/python3\.11/EXTERNALLY-MANAGED"
    r"|etc/(hostname|resolv\.conf|machine-id)|run/.+|tmp/.+)$"
)
_LIBRARY = "usr/lib/python3"
# Where Debian's Python looks for what `pip install` put there.
_PACKAGES_FOLDER = "usr/local/lib/python3.11/dist-packages"
_PIP_WHEEL = re.compile(r"^usr/share/python-wheels/pip-[^/]*\.whl$")
_PIP_SCRIPT = """#!/usr/bin/python3.11
import sys

from pip._internal.cli.main import main

sys.exit(main())
"""


def _make(workshop: Workshop, wheels: tuple[Path, ...], target: Path) -> None:
    del wheels  # everything comes from Debian
    with tempfile.TemporaryDirectory(dir=workshop.directory, prefix="debian-") as scratch:
        plain = Path(scratch) / "debian.tar"
        way = _way()
        workshop.report(f"installing Debian {_SUITE} with Python 3.11 ({_WORDS[way]})")
        commands.run(_bootstrap(plain, way), doing="installing Debian packages", timeout=900)
        workshop.report("packing Debian")
        with tarfile.open(plain) as source, TreeWriter(target) as tree:
            _copy(source, tree)


def _way() -> str:
    """How mmdebstrap becomes root of the tree it makes: "root", "unshare" (a user namespace) or "sudo".

    Raises BaseImageUnavailable with what was tried when none of them is open to this user.
    """
    if os.geteuid() == 0:
        return "root"
    tried = []
    for way, arguments in (
        ("unshare", ["unshare", "--user", "--map-auto", "--map-root-user", "true"]),
        ("sudo", ["sudo", "-n", "true"]),
    ):
        try:
            commands.run(arguments, doing=f"trying {way}", timeout=10)
        except BaseImageUnavailable as error:
            tried.append(" ".join([error.message, *error.details[-1:]]))
        else:
            return way
    raise BaseImageUnavailable(
        "making a Debian tree needs root, a user namespace with subordinate ids, or sudo without a password",
        hint="run the command with sudo, or: apt-get install uidmap && usermod --add-subuids 100000-165535"
        " --add-subgids 100000-165535 $USER",
        details=tried,
    )


_WORDS = {"root": "as root", "unshare": "in a user namespace", "sudo": "through sudo"}


def _bootstrap(target: Path, way: str) -> list[str]:
    """mmdebstrap's argument list, for one of the ways above."""
    arguments = [
        "mmdebstrap",
        f"--mode={'unshare' if way == 'unshare' else 'root'}",
        "--variant=apt",
        "--components=main",
        f"--include={','.join(_PACKAGES)}",
        *(f"--setup-hook={line}" for line in _SETUP),
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        *(f"--aptopt={line}" for line in _apt_proxies()),
        *(f"--dpkgopt=path-exclude=/{folder}/*" for folder in _DROPPED_FOLDERS),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=force-unsafe-io",
        "--format=tar",
        _SUITE,
        str(target),
    ]
    mirror, security = _mirrors()
    if not _KEYRING.is_file():
        raise BaseImageUnavailable(
            "Debian's archive keys are not on this machine", hint="apt-get install debian-archive-keyring"
        )
    signed = f"[signed-by={_KEYRING}]"
    arguments += [
        f"deb {signed} {mirror} {_SUITE} main",
        f"deb {signed} {mirror} {_SUITE}-updates main",
        f"deb {signed} {security} {_SUITE}-security main",
    ]
    if way == "sudo":
        arguments = ["sudo", "-n", *arguments]
    return arguments


def _mirrors() -> tuple[str, str]:
    """The Debian mirrors this machine itself uses when it runs the same release, else the public ones."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    main, security = "", ""
    for path in sources:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for address, suites in _entries(text):
            if _SUITE in suites and "main" in suites:
                main = main or address
            if f"{_SUITE}-security" in suites and "main" in suites:
                security = security or address
    return main or _MIRROR, security or _SECURITY


def _entries(text: str) -> list[tuple[str, list[str]]]:
    """(address, suites and components) of each source, in both formats apt reads."""
    found = []
    for line in text.splitlines():
        match = re.match(r"^deb\s+(?:\[[^\]]*\]\s+)?(https?://\S+)\s+(.*)$", line)
        if match:
            found.append((match[1].rstrip("/"), match[2].split()))
    for block in re.split(r"\n\s*\n", text):
        fields = {
            key.lower(): value.split()
            for key, _, value in (
                line.partition(":") for line in block.splitlines() if not line.startswith("#") and ":" in line
            )
        }
        words = fields.get("suites", []) + fields.get("components", [])
        if "deb" in fields.get("types", []):
            found += [(a.rstrip("/"), words) for a in fields.get("uris", []) if a.startswith("http")]
    return found


def _apt_proxies() -> list[str]:
    """The machine's proxy settings for apt, which mmdebstrap does not take over by itself."""
    if commands.find("apt-config") is None:
        return []
    dump = commands.run(["apt-config", "dump"], doing="reading apt's settings", timeout=30)
    return [
        line.rstrip(";")
        for line in dump.splitlines()
        if re.match(r'^Acquire::https?::(Proxy|CAInfo|Proxy-Auto-Detect)[^"]*"[^"]+"', line)
    ]


def _copy(source: tarfile.TarFile, tree: TreeWriter) -> None:
    """Copy what belongs into an image; add `python`, `python3` and `pip` as in the official image."""
    pip = b""
    for entry in source:
        name = entry.name.removeprefix("./").strip("/")
        if not name or name == "." or _DROPPED.match(name):
            continue
        if entry.islnk():
            entry.linkname = entry.linkname.removeprefix("./")
        content = source.extractfile(entry) if entry.isreg() else None
        if content is not None and _PIP_WHEEL.match(name):
            pip = content.read()
            content = io.BytesIO(pip)
        # Compiled modules know their source by its time: without them every start compiles the library anew.
        if not name.startswith(_LIBRARY):
            entry.mtime = min(int(entry.mtime), EPOCH)
        tree.copy(entry, content, name)
    if not pip:
        raise BaseImageUnavailable("Debian's python3.11-venv brought no pip")
    with zipfile.ZipFile(io.BytesIO(pip)) as wheel:
        for member in wheel.infolist():
            if not member.is_dir():
                tree.content(f"{_PACKAGES_FOLDER}/{member.filename}", wheel.read(member))
    for name in ("pip", "pip3", "pip3.11"):
        tree.text(f"usr/local/bin/{name}", _PIP_SCRIPT, 0o755)
    for name in ("usr/bin/python", "usr/bin/python3"):
        if name not in tree:
            tree.link(name, "python3.11")
    # What the dropped folder of apt's cache must hold for apt-get to work.
    tree.directory("var/cache/apt/archives/partial")
    tree.directory("var/lib/apt/lists/partial")
    tree.directory("var/log/apt")


RECIPE = Recipe(
    name="python",
    repository="chatbot-base/python",
    version="3.11",
    wheels={"x86_64": (), "aarch64": ()},
    inputs={
        "suite": _SUITE,
        "packages": _PACKAGES,
        "dropped": _DROPPED.pattern,
        "setup": _SETUP,
        "epoch": EPOCH,
        "revision": 1,
    },
    changes=(
        "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ENV LANG=C.UTF-8",
        'CMD ["python3"]',
    ),
    make=_make,
    commands={"mmdebstrap": "mmdebstrap"},
    native=True,
)
