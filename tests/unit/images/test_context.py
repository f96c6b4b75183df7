"""The context's tar: same tree, same bytes; nothing the engine stumbles on; clear words for the rest."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.errors import ContextMissing
from deploytool.images import context
from deploytool.images.files import walk
from deploytool.images.ignore import parse


def pack(folder: Path | None, files: dict[str, bytes] | None = None) -> bytes:
    with context.packed(folder, files or {}) as tar:
        return tar.read()


def entries(packed: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {entry.name: entry for entry in tar}


def tree(folder: Path, names: dict[str, str]) -> Path:
    for name, content in names.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


FILES = {"b.txt": "two", "a/z.txt": "three", "a/b/c.txt": "four", "run.sh": "#!/bin/sh"}


def test_same_tree_same_bytes_whatever_the_times_and_masks(tmp_path: Path) -> None:
    one = tree(tmp_path / "one", FILES)
    two = tree(tmp_path / "two", dict(reversed(FILES.items())))
    (one / "run.sh").chmod(0o755)
    (two / "run.sh").chmod(0o700)
    (two / "b.txt").chmod(0o600)
    (two / "a").chmod(0o700)
    os.utime(two / "b.txt", (1, 1))
    assert pack(one) == pack(two)


def test_entries_are_plain(tmp_path: Path) -> None:
    long = "d" * 90 + "/" + "f" * 120
    folder = tree(tmp_path / "context", {**FILES, long: "x", "ü.txt": "y"})
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("a/z.txt")
    packed = pack(folder)
    assert packed[257:265] == b"ustar  \x00", "GNU format: the engine takes a PAX header for a Dockerfile"
    found = entries(packed)
    assert list(found) == [
        "a",
        "a/b",
        "a/b/c.txt",
        "a/z.txt",
        "b.txt",
        "d" * 90,
        long,
        "link",
        "run.sh",
        "ü.txt",
    ]
    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in found.values()} == {(0, 0, "", "")}
    assert [found[name].mode for name in ("a", "b.txt", "run.sh")] == [0o755, 0o644, 0o755]
    assert found["link"].linkname == "a/z.txt"


def test_a_changed_file_has_another_time_and_an_equal_one_the_same(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"one": "same", "two": "same", "three": "other"})
    found = entries(pack(folder))
    assert found["one"].mtime == found["two"].mtime != found["three"].mtime
    assert all(1_500_000_000 <= entry.mtime < 1_700_000_000 for entry in found.values())


def test_further_files_come_with_their_folders_and_replace_those_of_the_context(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a.txt": "old", ".build/own.txt": "kept"})
    packed = pack(folder, {"a.txt": b"new", ".build/ca.crt": b"", "x/y/z": b"deep"})
    assert list(entries(packed)) == [
        ".build",
        ".build/own.txt",
        ".build/ca.crt",
        "a.txt",
        "x",
        "x/y",
        "x/y/z",
    ]
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        content = tar.extractfile("a.txt")
        assert content is not None
        assert content.read() == b"new"


def test_a_context_of_further_files_alone() -> None:
    assert list(entries(pack(None, {"routes.yaml": b"{}"}))) == ["routes.yaml"]


def test_what_is_taken_back_brings_its_folders(tmp_path: Path) -> None:
    folder = tree(
        tmp_path, {"a/b/c.txt": "x", "a/d.txt": "y", "e/f.txt": "z", ".dockerignore": "*\n!a/b/c.txt"}
    )
    assert list(entries(pack(folder))) == ["a", "a/b", "a/b/c.txt"]


def test_missing_context(tmp_path: Path) -> None:
    with pytest.raises(ContextMissing, match="is not there"):
        pack(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(ContextMissing, match="is not a folder"):
        pack(tmp_path / "file")


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "a/../../outside"])
def test_a_link_out_of_the_context_is_refused_with_its_name(tmp_path: Path, target: str) -> None:
    folder = tree(tmp_path / "context", {"a/x": ""})
    (folder / "link").symlink_to(target)
    with pytest.raises(ContextMissing, match="leads out of the build context") as error:
        pack(folder)
    assert "link" in error.value.message
    assert ".dockerignore" in error.value.hint
    (folder / ".dockerignore").write_text("link\n")
    assert list(entries(pack(folder))) == ["a", "a/x"]


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path, {"secret.txt": "x"})
    real = Path.open

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        # Root may read everything, so modes cannot make this happen everywhere.
        if self.name == "secret.txt":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ContextMissing, match=r"secret\.txt cannot be read: Permission denied"):
        pack(folder)


def test_sockets_are_left_out(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        (tmp_path / "a").write_text("")
        assert list(entries(pack(tmp_path))) == ["a"]


names = st.sampled_from(["a", "b", "c"])
trees = st.sets(st.lists(names, min_size=1, max_size=3).map("/".join), max_size=6)
rules = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]),
        st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=3).map("/".join),
    ).map("".join),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(trees, rules)
def test_the_walk_finds_exactly_what_is_not_ignored(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str], lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("context")
    files = {name for name in wanted if not any(other.startswith(f"{name}/") for other in wanted)}
    tree(folder, dict.fromkeys(files, ""))
    (folder / ".dockerignore").write_text("\n".join(lines))
    ignore = parse("\n".join(lines))
    found = list(walk(folder))
    assert {entry.name for entry in found if entry.kind == "file"} == {
        n for n in files if not ignore.excludes(n)
    }
    seen: set[str] = set()
    for entry in found:
        parent = entry.name.rpartition("/")[0]
        assert not parent or parent in seen, "a folder comes before what lies in it"
        seen.add(entry.name)
