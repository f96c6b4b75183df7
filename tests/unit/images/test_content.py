"""Content addresses: everything that decides an image's content changes its tag, nothing else does."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from deploytool.images.content import content_digest, image_tag
from deploytool.images.files import Hashes
from deploytool.images.hash_cache import KeptHashes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "context"
    (place / "app").mkdir(parents=True)
    (place / "app/main.py").write_text("print(1)\n")
    (place / "run.sh").write_text("#!/bin/sh\n")
    (place / ".dockerignore").write_text("*.log\n")
    return place


def digest(folder: Path | None, **changes: Any) -> str:
    return content_digest(**{"dockerfile": "FROM x\n", "context": folder, **changes})


def test_tag() -> None:
    assert image_tag("chatbot/backend", "4be7a2" + "0" * 58) == "chatbot/backend:4be7a2000000"


def test_times_owners_and_ignored_files_do_not_count(folder: Path) -> None:
    before = digest(folder)
    os.utime(folder / "run.sh", (1, 1))
    (folder / "app/main.py").chmod(0o600)
    (folder / "x.log").write_text("noise")
    (folder / ".dockerignore").write_text("# a remark\n*.log\n")
    assert digest(folder) == before


def test_whatever_decides_the_content_counts(folder: Path) -> None:
    seen = {digest(folder)}

    def differs(**changes: Any) -> None:
        found = digest(folder, **changes)
        assert found not in seen
        seen.add(found)

    differs(dockerfile="FROM y\n")
    differs(args={"A": "1"})
    differs(args={"A": "2"})
    differs(target="runner")
    differs(base_images={"PYTHON_BASE": "python@sha256:1"})
    differs(files={"routes.yaml": b""})
    differs(files={"routes.yaml": b"x"})
    (folder / "app/main.py").write_text("print(2)\n")
    differs()
    (folder / "app/main.py").rename(folder / "app/other.py")
    differs()
    (folder / "run.sh").chmod(0o755)
    differs()
    (folder / "empty").mkdir()
    differs()
    (folder / "link").symlink_to("run.sh")
    differs()


def test_pairs_and_mappings_mean_the_same_in_any_order(folder: Path) -> None:
    assert digest(folder, args=[("B", "2"), ("A", "1")]) == digest(folder, args={"A": "1", "B": "2"})


def test_a_changed_file_of_the_same_size_and_time_is_noticed(folder: Path) -> None:
    before = digest(folder)
    file = folder / "app/main.py"
    times = file.stat()
    file.write_text("print(7)\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digest(folder) != before


def test_paths_that_only_seed_a_volume_do_not_count(folder: Path) -> None:
    files = {"routes.yaml": b"1", "other.yaml": b"1"}
    before = digest(None, files=files, ignore=("routes.yaml",))
    assert digest(None, files={**files, "routes.yaml": b"2"}, ignore=("routes.yaml",)) == before
    assert digest(None, files={**files, "other.yaml": b"2"}, ignore=("routes.yaml",)) != before
    without = digest(folder, ignore=("app",))
    (folder / "app/main.py").write_text("changed")
    assert digest(folder, ignore=("app",)) == without


def test_large_files_are_read_once_and_changes_are_noticed(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    large = folder / "weights.bin"
    large.write_bytes(b"\0" * (5 << 20))
    old = time.time() - 60
    os.utime(large, (old, old))
    first = digest(folder, cache=cache)
    kept = KeptHashes(cache)
    assert list(kept._known) == [str(large)], "large files alone are written down"
    assert digest(folder, cache=cache) == first == digest(folder)
    large.write_bytes(b"\1" + b"\0" * ((5 << 20) - 1))
    os.utime(large, (old, old))
    assert digest(folder, cache=cache) == digest(folder) != first


def test_a_damaged_cache_costs_time_only(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hashes.json").write_text('{"x": [1')
    assert digest(folder, cache=tmp_path) == digest(folder)
    (tmp_path / "hashes.json").write_text('["unexpected"]')
    assert digest(folder, cache=tmp_path) == digest(folder)


def test_a_file_written_just_now_is_not_trusted_by_its_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    hashes = Hashes()
    hashes.of(file)
    assert not hashes._known
