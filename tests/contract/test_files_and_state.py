"""Volumes as folders of files, this tool's own state, and the lock."""

from __future__ import annotations

import threading

import pytest
from support.engines import World

from deploytool.engines.protocol import FileEntry, LockHolder
from deploytool.errors import ChatbotError, Locked, StepFailed
from deploytool.stack.model import Volume

ME, YOU = LockHolder("me@here", "deploy", 1000.5), LockHolder("you@there", "rollback", 2000.0)


def test_files_keep_their_content_mode_and_owner(world: World) -> None:
    world.prepare()
    volume = world.stack.volumes[0]
    files = (
        FileEntry("deep/er/key", bytes(range(256)), 0o400, 10001, 10001),
        FileEntry("plain", b"text", 0o644, 0, 0),
    )
    world.engine.write_volume(volume, files)
    assert world.engine.read_volume(volume) == files


def test_an_empty_volume_and_one_that_is_not_there(world: World) -> None:
    world.prepare()
    assert world.engine.read_volume(world.stack.volumes[0]) == ()
    missing = Volume("other", f"{world.project}_other")
    assert world.engine.read_volume(missing) is None
    with pytest.raises(StepFailed, match=missing.name):
        world.engine.write_volume(missing, [FileEntry("a", b"")])
    assert world.engine.read_volume(missing) is None, "it was not created on the way"


def test_others_stay_unless_they_are_to_go(world: World) -> None:
    world.prepare()
    volume = world.stack.volumes[0]
    world.engine.write_volume(volume, [FileEntry("a", b"1"), FileEntry("sub/b", b"2")])
    world.engine.write_volume(volume, [FileEntry("a", b"3")])
    assert [e.path for e in world.engine.read_volume(volume)] == ["a", "sub/b"]
    world.engine.write_volume(volume, [FileEntry("c", b"4")], delete_others=True)
    assert [(e.path, e.content) for e in world.engine.read_volume(volume)] == [("c", b"4")]
    world.engine.write_volume(volume, [], delete_others=True)
    assert world.engine.read_volume(volume) == ()


def test_a_running_container_sees_what_is_written(world: World) -> None:
    seen = world.up(world.service())
    world.engine.write_volume(world.stack.volumes[0], [FileEntry("news", b"hello\n")])
    assert world.engine.execute(seen, ("cat", "/data/news")) == (0, b"hello\n")
    assert [e.path for e in world.engine.read_volume(world.stack.volumes[0])] == ["news"]


def test_state_is_kept_added_to_and_forgotten(world: World) -> None:
    engine, project = world.engine, world.project
    try:
        assert engine.read_state(project) == {}
        engine.write_state(project, {"releases/1.json": b"{}", "key": b"k"})
        engine.write_state(project, {"releases/2.json": b"[]", "key": b"l"})
        assert engine.read_state(project) == {
            "releases/1.json": b"{}",
            "releases/2.json": b"[]",
            "key": b"l",
        }
    finally:
        engine.remove_state(project)
    assert engine.read_state(project) == {}
    engine.remove_state(project)


def test_state_is_no_part_of_the_stack(world: World) -> None:
    world.engine.write_state(world.project, {"a": b"1"})
    world.engine.lock(world.project, ME)
    observed = world.observe()
    assert (observed.containers, observed.networks, observed.volumes) == ((), (), ())


def test_the_lock_is_held_by_one(world: World) -> None:
    engine, project = world.engine, world.project
    assert engine.lock_holder(project) is None
    engine.lock(project, ME)
    assert engine.lock_holder(project) == ME
    with pytest.raises(Locked, match="me@here"):
        engine.lock(project, YOU)
    engine.unlock(project)
    assert engine.lock_holder(project) is None
    engine.unlock(project)
    engine.lock(project, YOU)
    assert engine.lock_holder(project) == YOU


def test_of_many_at_once_one_gets_the_lock(world: World) -> None:
    results: list[str] = []

    def take(number: int) -> None:
        try:
            world.engine.lock(world.project, LockHolder(f"user{number}", "deploy", 0.0))
            results.append("taken")
        except Locked:
            results.append("locked")
        except ChatbotError as error:
            results.append(error.message)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["locked"] * 7 + ["taken"]


def test_locks_of_two_projects_do_not_meet(world: World) -> None:
    world.engine.lock(world.project, ME)
    assert world.engine.lock_holder(f"{world.project}-other") is None
