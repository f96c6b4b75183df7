"""The task list."""

from __future__ import annotations

import itertools

import pytest
from backend_support.people import Person


def test_a_task_is_created_read_changed_completed_and_deleted(person: Person) -> None:
    made = person.http.post(
        "/api/tasks", json={"title": " Buy milk ", "tags": ["Home", "home"], "due_on": "2026-03-04"}
    )
    task = made.json()
    assert made.headers["location"] == f"/api/tasks/{task['id']}"
    assert made.headers["etag"] == '"1"'
    assert (task["title"], task["tags"], task["due_on"], task["done"]) == (
        "Buy milk",
        ["home"],
        "2026-03-04",
        False,
    )
    path = f"/api/tasks/{task['id']}"
    changed = person.call("PATCH", path, json={"notes": "two litres", "due_on": None})
    assert (changed["notes"], changed["due_on"], changed["title"], changed["version"]) == (
        "two litres",
        None,
        "Buy milk",
        2,
    )
    done = person.call("POST", f"{path}/complete")
    assert done["done"] is True
    assert done["done_at"]
    assert person.call("POST", f"{path}/reopen")["done_at"] is None
    person.call("DELETE", path, 204)
    assert person.call("GET", path, 404)["code"] == "task-not-found"
    assert person.call("DELETE", path, 404)


def test_a_change_meant_for_an_older_version_is_refused(person: Person) -> None:
    path = f"/api/tasks/{person.task('first')['id']}"
    person.call("PATCH", path, json={"title": "second"}, headers={"If-Match": '"1"'})
    for method, extra in (("PATCH", {"json": {"title": "third"}}), ("DELETE", {})):
        refused = person.call(method, path, 412, headers={"If-Match": '"1"'}, **extra)
        assert refused["code"] == "task-changed"
    assert person.call("POST", f"{path}/complete", 412, headers={"If-Match": '"1"'})
    assert person.call("GET", path)["title"] == "second"
    person.call("PATCH", path, json={"title": "third"}, headers={"If-Match": "*"})
    person.call("DELETE", path, 204, headers={"If-Match": 'W/"3", "9"'})


@pytest.mark.parametrize("sort", ["position", "created", "updated", "due", "title"])
def test_pages_in_every_order_hold_every_task_once(person: Person, sort: str) -> None:
    dues = [None, "2026-01-02", "2026-01-01", None, "2026-01-02", "2025-01-01", "2026-01-01"]
    for title, due in zip("dbgacfe", dues, strict=True):
        person.task(title * 2, due_on=due)
    person.task("Ä umlaut")
    whole = person.tasks(sort=sort)
    for order in (sort, f"-{sort}"):
        collected: list[str] = []
        cursor = ""
        for _ in range(20):
            page = person.call("GET", "/api/tasks", params={"sort": order, "limit": 3, "cursor": cursor})
            collected += [task["id"] for task in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        expected = [task["id"] for task in whole]
        assert collected == (expected if order == sort else expected[::-1])
    keys = {
        "position": lambda task: task["position"],
        "created": lambda task: task["created_at"],
        "updated": lambda task: task["updated_at"],
        "due": lambda task: task["due_on"] or "9999",
        "title": lambda task: task["title"].casefold(),
    }
    assert [keys[sort](task) for task in whole] == sorted(keys[sort](task) for task in whole)


def test_filters_search_tags_dates_and_state(person: Person) -> None:
    person.task("Buy MILK", tags=["home", "food"], due_on="2026-01-01")
    person.task("Straße fegen", notes="100% sicher", tags=["home office"], due_on="2026-02-01")
    report = person.task("Report", tags=["work"])
    person.call("POST", f"/api/tasks/{report['id']}/complete")

    def titles(**query: str) -> list[str]:
        return [task["title"] for task in person.tasks(**query)]

    assert titles(search="milk") == ["Buy MILK"]
    assert titles(search="STRASSE") == ["Straße fegen"]
    assert titles(search="100%") == ["Straße fegen"]
    assert titles(search="1_0") == []
    assert titles(tag="Home") == ["Buy MILK"]
    assert titles(status="done") == ["Report"]
    assert titles(status="open", due_from="2026-01-15") == ["Straße fegen"]
    assert titles(due_to="2026-01-15") == ["Buy MILK"]


def test_moving_changes_the_order_and_survives_many_moves(person: Person) -> None:
    ids = [person.task(title)["id"] for title in "abc"]

    def order() -> str:
        return "".join(task["title"] for task in person.tasks())

    person.call("POST", f"/api/tasks/{ids[2]}/move", json={"after": None})
    assert order() == "cab"
    person.call("POST", f"/api/tasks/{ids[2]}/move", json={"after": ids[1]})
    assert order() == "abc"
    # Halving the gap between two neighbours runs out of numbers after some forty moves.
    for first, second in itertools.repeat((ids[1], ids[2]), 25):
        person.call("POST", f"/api/tasks/{second}/move", json={"after": ids[0]})
        person.call("POST", f"/api/tasks/{first}/move", json={"after": ids[0]})
    assert order() == "abc"
    assert person.call("POST", f"/api/tasks/{ids[0]}/move", 404, json={"after": "0" * 22})
    assert person.call("POST", f"/api/tasks/{ids[0]}/move", 422, json={"after": "not an id"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "  "},
        {"title": "x" * 201},
        {"title": "a\0b"},
        {"title": "x", "tags": ["a,b"]},
        {"title": "x", "tags": ["t"] * 11},
        {"title": "x", "due_on": "tomorrow"},
        {"title": "x", "due_on": 5},
        {"title": "x", "due_on": "2026-02-30"},
        {"title": "x", "unknown": 1},
        {"title": "x", "notes": "n" * 10_001},
        [],
        "text",
    ],
)
def test_bad_tasks_are_refused(person: Person, body: object) -> None:
    refused = person.call("POST", "/api/tasks", 422, json=body)
    assert refused["code"] == "invalid-request"
    assert refused["errors"]


def test_a_title_whose_lower_case_is_longer_is_kept(person: Person) -> None:
    title = "ΐ" * 200  # three times as long when casefolded
    person.task(title)
    assert person.tasks(sort="title")[0]["title"] == title


@pytest.mark.parametrize(
    "query", [{"cursor": "nonsense"}, {"sort": "colour"}, {"limit": 0}, {"search": "a\0"}]
)
def test_bad_queries_are_refused(person: Person, query: dict[str, str]) -> None:
    assert person.call("GET", "/api/tasks", 422, params=query)["status"] == 422


def test_a_cursor_of_another_order_is_refused(person: Person) -> None:
    for title in "ab":
        person.task(title)
    cursor = person.call("GET", "/api/tasks", params={"limit": 1})["next_cursor"]
    refused = person.call("GET", "/api/tasks", 422, params={"limit": 1, "sort": "title", "cursor": cursor})
    assert refused["code"] == "invalid-cursor"
