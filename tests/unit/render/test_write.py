"""Writing a bundle: every file, and only the stale ones go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploytool.errors import UsageError
from deploytool.render import Bundle, render_bundle, write_bundle
from deploytool.settings import Settings

from .conftest import TEMPLATES


def bundle(**files: str) -> Bundle:
    contents = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()}
    manifest = json.dumps({"files": {name: {} for name in contents}}).encode()
    return Bundle({**contents, "manifest.json": manifest})


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_file_is_written(tmp_path: Path, local: Settings) -> None:
    made = render_bundle(local, TEMPLATES, {})
    write_bundle(made, tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == made.files


def test_stale_files_of_an_older_bundle_go_and_others_stay(tmp_path: Path) -> None:
    write_bundle(bundle(a_txt="1", old__b_txt="2", mixed__c_txt="3"), tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "mixed" / "mine.txt").write_text("mine")
    write_bundle(bundle(a_txt="4"), tmp_path)
    assert names(tmp_path) == ["a.txt", "manifest.json", "mine.txt", "mixed/mine.txt"]
    assert (tmp_path / "a.txt").read_text() == "4"
    assert not (tmp_path / "old").exists()


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt"])
def test_a_manifest_cannot_reach_outside(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("stays")
    out = tmp_path / "out"
    out.mkdir()
    listed = name if not name.startswith("/") else str(outside)
    (out / "manifest.json").write_text(json.dumps({"files": {listed: {}}}))
    write_bundle(bundle(a_txt="1"), out)
    assert outside.read_text() == "stays"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": 3}', "not json", "\x00"])
def test_a_broken_older_manifest_removes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / "b.txt").write_text("stays")
    write_bundle(bundle(a_txt="1"), tmp_path)
    assert names(tmp_path) == ["a.txt", "b.txt", "manifest.json"]


def test_an_unchanged_file_is_not_touched(tmp_path: Path) -> None:
    write_bundle(bundle(a_txt="1"), tmp_path)
    before = (tmp_path / "a.txt").stat()
    write_bundle(bundle(a_txt="1"), tmp_path)
    assert (tmp_path / "a.txt").stat().st_ino == before.st_ino
    assert (tmp_path / "a.txt").stat().st_mtime_ns == before.st_mtime_ns


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError) as caught:
        write_bundle(bundle(a_txt="1"), tmp_path / "out")
    assert "cannot write the bundle" in caught.value.message
    assert caught.value.exit_code == 2
