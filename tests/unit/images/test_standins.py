"""The parts of the stand-ins' recipes that need neither network nor root."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import struct
import sys
import tarfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from deploytool.errors import BaseImageUnavailable
from deploytool.images.standins import (
    HOST_PACKAGES,
    alpine_packages,
    commands,
    debian_python,
    making,
    qcow2,
    wheels,
)
from deploytool.images.standins.recipe import Wheel
from deploytool.images.standins.tree import TreeWriter

# --- recipes ------------------------------------------------------------------------------------------------


def test_every_recipes_tools_are_in_what_setup_installs() -> None:
    for recipe in making.RECIPES.values():
        assert set(recipe.commands.values()) <= set(HOST_PACKAGES), recipe.name


def test_a_recipes_tag_changes_with_whatever_decides_its_content() -> None:
    recipe = making.RECIPES["node"]
    one = recipe.reference("x86_64")
    assert one.startswith("chatbot-base/node:20-alpine-")
    assert one == recipe.reference("x86_64")
    other_wheels = {"x86_64": (replace(recipe.wheels["x86_64"][0], sha256="0" * 64),)}
    changed = [
        replace(recipe, wheels=other_wheels),
        replace(recipe, inputs={**recipe.inputs, "revision": 99}),
        replace(recipe, changes=(*recipe.changes, "USER node")),
    ]
    assert len({one, *(other.reference("x86_64") for other in changed)}) == 4


def test_every_wheel_is_pinned() -> None:
    pins = [
        wheel for recipe in making.RECIPES.values() for all_of in recipe.wheels.values() for wheel in all_of
    ]
    assert len(pins) >= 5
    assert all(len(bytes.fromhex(wheel.sha256)) == 32 for wheel in pins)


class Engine:
    """As much of the SDK's client as tells the machine."""

    def __init__(self, machine: str) -> None:
        self.machine = machine

    def info(self) -> dict[str, str]:
        return {"Architecture": self.machine}


def test_a_machine_without_packages_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(
        BaseImageUnavailable, match="no packages to make a stand-in for node:20-alpine on aarch64"
    ) as error:
        making.make(
            Engine("arm64"),  # type: ignore[arg-type]
            making.RECIPES["node"],
            stands_for="node:20-alpine",
            cache=tmp_path,
            report=print,
        )
    assert "build.base_images.node" in error.value.hint


def test_another_kind_of_machine_than_the_engines_cannot_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(BaseImageUnavailable, match="on x86_64 cannot be made on this riscv64 machine"):
        making.make(
            Engine("x86_64"),  # type: ignore[arg-type]
            making.RECIPES["python"],
            stands_for="python:3.11-slim",
            cache=tmp_path,
            report=print,
        )


def test_missing_tools_are_named_as_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find", lambda command: None)
    with pytest.raises(BaseImageUnavailable) as error:
        commands.require({"debugfs": "e2fsprogs", "strip": "binutils"}, wanted_for="node:20-alpine")
    assert (
        error.value.message
        == "making the stand-in for node:20-alpine needs binutils, e2fsprogs on this machine"
    )
    assert error.value.hint.startswith("apt-get install binutils e2fsprogs")


def test_a_failing_command_shows_its_last_lines() -> None:
    program = "for n in range(20): print(n)\nraise SystemExit(3)"
    with pytest.raises(BaseImageUnavailable, match="ended with 3") as error:
        commands.run([sys.executable, "-c", program], doing="counting", timeout=30)
    assert error.value.details == tuple(str(number) for number in range(5, 20))
    with pytest.raises(BaseImageUnavailable, match="took longer than 0 s"):
        commands.run([sys.executable, "-c", "import time; time.sleep(9)"], doing="waiting", timeout=0.1)


# --- wheels -------------------------------------------------------------------------------------------------


def pinned(content: bytes) -> Wheel:
    return Wheel("example", "1.0", hashlib.sha256(content).hexdigest(), "manylinux2014_x86_64")


def test_a_kept_wheel_is_used_without_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run", lambda *_, **__: pytest.fail("nothing is to be downloaded"))
    wheel = pinned(b"bytes")
    (tmp_path / f"{wheel.sha256}.whl").write_bytes(b"bytes")
    assert wheels.fetch([wheel], tmp_path, print) == (tmp_path / f"{wheel.sha256}.whl",)


def test_a_damaged_wheel_is_fetched_again_and_other_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = pinned(b"bytes")
    kept = tmp_path / f"{wheel.sha256}.whl"
    kept.write_bytes(b"damaged")
    served = b"other bytes"

    def download(arguments: list[str], **_: object) -> str:
        assert "--require-hashes" in arguments
        (requirements,) = [a.partition("=")[2] for a in arguments if a.startswith("--requirement=")]
        assert Path(requirements).read_text() == f"example==1.0 --hash=sha256:{wheel.sha256}\n"
        (Path(requirements).parent / "example-1.0-py3-none-any.whl").write_bytes(served)
        return ""

    monkeypatch.setattr(commands, "run", download)
    with pytest.raises(BaseImageUnavailable, match="served other bytes"):
        wheels.fetch([wheel], tmp_path, lambda text: None)
    served = b"bytes"
    wheels.fetch([wheel], tmp_path, lambda text: None)
    assert kept.read_bytes() == b"bytes"


# --- qcow2 --------------------------------------------------------------------------------------------------


def disk(clusters: list[bytes | None], *, compressed: set[int], version: int = 3, backing: int = 0) -> bytes:
    """A small qcow2 image with clusters of 64 KiB: plain, compressed, and None for never written."""
    bits, size = 16, 1 << 16
    l1_at, l2_at, data_at = size, 2 * size, 3 * size
    table, data = [], b""
    for number, cluster in enumerate(clusters):
        at = data_at + len(data)
        if cluster is None:
            table.append(0)
        elif number in compressed:
            squeeze = zlib.compressobj(9, zlib.DEFLATED, -12)
            packed = squeeze.compress(cluster) + squeeze.flush()
            # The count is of further sectors, from the one the data begin in.
            table.append(1 << 62 | ((at % 512 + len(packed) - 1) // 512) << (62 - (bits - 8)) | at)
            data += packed + b"\0" * (-len(packed) % 512)
        else:
            data += b"\0" * (-len(data) % size)
            at = data_at + len(data)
            table.append(1 << 63 | at)
            data += cluster
    length = size * len(clusters)
    header = struct.pack(">4sIQIIQIIQ", b"QFI\xfb", version, backing, 0, bits, length, 0, 1, l1_at)
    first = struct.pack(">Q", 1 << 63 | l2_at)
    return (
        header.ljust(size, b"\0")
        + first.ljust(size, b"\0")
        + struct.pack(f">{len(table)}Q", *table).ljust(size, b"\0")
        + data.ljust(size, b"\0")
    )


def test_a_disk_of_all_kinds_of_clusters(tmp_path: Path) -> None:
    size = 1 << 16
    plain, packed = os.urandom(size), b"text" * (size // 4)
    (tmp_path / "q").write_bytes(disk([packed, None, plain, packed], compressed={0, 3}))
    assert qcow2.to_raw(tmp_path / "q", tmp_path / "raw") == 4 * size
    assert (tmp_path / "raw").read_bytes() == packed + b"\0" * size + plain + packed


@pytest.mark.parametrize(
    "content", [b"", b"PK\3\4", b"QFI\xfb", disk([None], compressed=set(), backing=4096)]
)
def test_other_images_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q").write_bytes(content)
    with pytest.raises(qcow2.Unreadable):
        qcow2.to_raw(tmp_path / "q", tmp_path / "raw")


# --- Alpine's package database ------------------------------------------------------------------------------


def checksum(name: str) -> str:
    return "Q1" + base64.b64encode(hashlib.sha1(name.encode()).digest()).decode()


def block(name: str, needs: str = "", offers: str = "", files: str = "") -> str:
    return f"C:{checksum(name)}\nP:{name}\nV:1\nD:{needs}\np:{offers}\n{files}"


@pytest.fixture
def alpine(tmp_path: Path) -> Path:
    database = tmp_path / "lib/apk/db"
    database.mkdir(parents=True)
    (tmp_path / "etc/apk").mkdir(parents=True)
    blocks = [
        block("busybox", "so:libc.musl.so.1", "cmd:sh=1", "F:bin\nR:busybox\na:0:0:755\n"),
        block("musl", "", "so:libc.musl.so.1=1", "F:lib\nR:libc.so\nF:tmp\nM:0:0:1777\n"),
        block(
            "tool", "/bin/sh !conflict musl>=1 cmd:sh", "", "F:usr/bin\nR:tool\nF:etc\nR:shadow\na:0:42:640\n"
        ),
        block("sh-link", "busybox=1", "/bin/sh", "F:bin\nR:sh\n"),
        block("kernel", "tool", "", "F:boot\nR:vmlinuz\n"),
    ]
    (database / "installed").write_text("\n".join(blocks) + "\n")
    (database / "triggers").write_text(f"{checksum('busybox')} /bin\n{checksum('kernel')} /boot\n")
    with tarfile.open(database / "scripts.tar.gz", "w:gz") as tar:
        for name in ("busybox", "kernel"):
            tar.addfile(tarfile.TarInfo(f"{name}-1.X1{hashlib.sha1(name.encode()).hexdigest()}.post-install"))
    return tmp_path


def test_what_is_wanted_keeps_what_it_needs(alpine: Path) -> None:
    packages = alpine_packages.read(alpine)
    assert [package.name for package in packages] == ["busybox", "musl", "tool", "sh-link", "kernel"]
    assert alpine_packages.closure(packages, ["tool"]) == {"tool", "busybox", "musl", "sh-link"}
    assert alpine_packages.closure(packages, ["musl"]) == {"musl"}


def test_owners_and_modes_come_from_the_database_which_forgets_the_rest(alpine: Path) -> None:
    paths = alpine_packages.keep(alpine, ("tool",))
    assert paths["etc/shadow"] == (0, 42, 0o640)
    assert paths["tmp"] == (0, 0, 0o1777)
    assert paths["bin/busybox"] == (0, 0, 0o755)
    assert paths["lib/libc.so"] is None
    assert not any(path.startswith("boot") for path in paths)
    assert "kernel" not in {package.name for package in alpine_packages.read(alpine)}
    database = alpine / "lib/apk/db"
    assert (alpine / "etc/apk/world").read_text() == "tool\n"
    assert (database / "triggers").read_text() == f"{checksum('busybox')} /bin\n"
    with tarfile.open(database / "scripts.tar.gz") as tar:
        assert [name.partition("-")[0] for name in tar.getnames()] == ["busybox"]


# --- trees --------------------------------------------------------------------------------------------------


def test_a_tree_has_its_parents_first_and_no_machine_facts(tmp_path: Path) -> None:
    source = tmp_path / "binary"
    source.write_bytes(b"ELF")
    for name in ("one.tar", "two.tar"):
        with TreeWriter(tmp_path / name) as tree:
            tree.file("usr/local/bin/tool", source, 0o755)
            tree.directory("home/node", 0o750, (1000, 1000))
            tree.link("bin", "usr/bin")
            tree.text("etc/passwd", "root:x:0:0\n")
        os.utime(source, (1, 1))
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as tar:
        found = {entry.name: entry for entry in tar}
    names = [
        "usr",
        "usr/local",
        "usr/local/bin",
        "usr/local/bin/tool",
        "home",
        "home/node",
        "bin",
        "etc",
        "etc/passwd",
    ]
    assert list(found) == names
    assert (found["home/node"].uid, found["home/node"].mode) == (1000, 0o750)
    assert found["usr/local/bin/tool"].mode == 0o755


# --- Debian -------------------------------------------------------------------------------------------------

DEB822 = """\
# a remark: with a colon
Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main contrib
"""
ONE_LINE = """\
deb [signed-by=/x.gpg arch=amd64] https://mirror.example/debian bookworm main contrib
# deb http://off.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://ubuntu.example/ubuntu noble main
"""


def test_both_formats_of_apt_sources_are_read() -> None:
    assert debian_python._entries(DEB822) == [
        ("http://mirror.example/debian", ["bookworm", "bookworm-updates", "main"]),
        ("http://mirror.example/security", ["bookworm-security", "main", "contrib"]),
    ]
    assert debian_python._entries(ONE_LINE) == [
        ("https://mirror.example/debian", ["bookworm", "main", "contrib"]),
        ("http://ubuntu.example/ubuntu", ["noble", "main"]),
    ]


def test_the_debian_tree_gets_python_and_pip_and_loses_what_is_the_machines(tmp_path: Path) -> None:
    wheel = io.BytesIO()
    import zipfile

    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__init__.py", "")
    contents = {
        "./usr/bin/python3.11": b"ELF",
        "./usr/share/python-wheels/pip-23.0.1-py3-none-any.whl": wheel.getvalue(),
        "./usr/lib/python3.11/EXTERNALLY-MANAGED": b"",
        "./etc/resolv.conf": b"nameserver 192.0.2.1",
        "./etc/apt/apt.conf.d/99mmdebstrap": b"proxy",
        "./var/cache/apt/pkgcache.bin": b"x",
        "./dev/null": b"",
    }
    kept = {
        "./usr/lib/python3.11/os.py": b"pass",
        "./usr/lib/python3.11/__pycache__/os.cpython-311.pyc": b"x",
    }
    with tarfile.open(tmp_path / "debian.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("./"))
        for name, content in {**contents, **kept}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 2_000_000_000
            tar.addfile(entry, io.BytesIO(content))
        hard = tarfile.TarInfo("./usr/bin/pythonx")
        hard.type, hard.linkname = tarfile.LNKTYPE, "./usr/bin/python3.11"
        tar.addfile(hard)
    with tarfile.open(tmp_path / "debian.tar") as source, TreeWriter(tmp_path / "out.tar") as tree:
        debian_python._copy(source, tree)
    with tarfile.open(tmp_path / "out.tar") as tar:
        found = {entry.name: entry for entry in tar}
        assert len(found) == len(tar.getnames()), "the engine refuses a path that comes twice"
    assert set(found).isdisjoint(name.removeprefix("./") for name in list(contents)[2:])
    assert found["usr/bin/python3"].linkname == found["usr/bin/python"].linkname == "python3.11"
    assert found["usr/bin/pythonx"].linkname == "usr/bin/python3.11"
    assert "usr/local/lib/python3.11/dist-packages/pip/__init__.py" in found
    assert found["usr/local/bin/pip"].mode == 0o755
    times = {name: entry.mtime for name, entry in found.items()}
    assert {times.pop(name.removeprefix("./")) for name in kept} == {2_000_000_000}, (
        "as the compiled module says"
    )
    assert max(times.values()) < 1_800_000_000


def test_a_debian_tree_without_pip_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with (
        tarfile.open(tmp_path / "empty.tar") as source,
        TreeWriter(tmp_path / "out.tar") as tree,
        pytest.raises(BaseImageUnavailable, match="brought no pip"),
    ):
        debian_python._copy(source, tree)
