"""The tasks page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import visit
from .scripted_backend import Scripted

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]


@pytest.fixture
def page(scripted_page: Page, script: Scripted) -> Page:
    for title in ["first", "second", "third"]:
        script.tasks.append(script.task(title))
    visit(scripted_page, "/tasks")
    expect(rows(scripted_page)).to_have_count(3)
    return scripted_page


def rows(page: Page) -> Locator:
    return page.locator("[data-task]")


def titles(script: Scripted) -> list[str]:
    return [task["title"] for task in script.tasks]


def toggle(page: Page, title: str) -> Locator:
    return rows(page).filter(has_text=title).locator("button[aria-expanded]")


def test_quick_add_understands_tags_and_days(page: Page, script: Scripted) -> None:
    page.get_by_label("New task").fill("Water the plants #home due:tomorrow")
    page.keyboard.press("Enter")
    row = rows(page).filter(has_text="Water the plants")
    expect(row).to_contain_text("Tomorrow")
    expect(row).to_contain_text("#home")
    added = script.tasks[-1]
    assert (added["title"], added["tags"]) == ("Water the plants", ["home"])
    assert added["due_on"] == (date.today() + timedelta(days=1)).isoformat()
    expect(page.get_by_label("New task")).to_be_focused()
    expect(page.get_by_label("New task")).to_have_value("")


def test_a_tick_completes_and_filters_follow(page: Page, script: Scripted) -> None:
    page.get_by_label("Done: second").check()
    expect(page.get_by_role("status").filter(has_text="second: done")).to_be_attached()
    assert [task["done"] for task in script.tasks] == [False, True, False]
    page.get_by_role("radio", name="Done").check()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("radio", name="Open").check()
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Search tasks").fill("thi")
    expect(rows(page)).to_have_count(1)


def test_a_list_asked_for_during_a_change_shows_it(page: Page, script: Scripted) -> None:
    script.seconds_per_change = 1.0
    page.get_by_label("Done: second").check()
    page.get_by_role("radio", name="Done").check()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("second")


def test_the_keyboard_orders(page: Page, script: Scripted) -> None:
    handle = page.get_by_role("button", name="Move “third”: place 3 of 3")
    handle.focus()
    page.keyboard.press("ArrowUp")
    moved = page.get_by_role("button", name="Move “third”: place 2 of 3")
    expect(moved).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="third: place 2 of 3")).to_be_attached()
    page.keyboard.press("Home")
    expect(page.get_by_role("button", name="Move “third”: place 1 of 3")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="third: place 1 of 3")).to_be_attached()
    assert titles(script) == ["third", "first", "second"]


def test_the_pointer_orders(page: Page, script: Scripted) -> None:
    page.get_by_role("button", name="Move “first”").hover()
    page.mouse.down()
    target = rows(page).nth(2).bounding_box()
    assert target
    page.mouse.move(target["x"] + 20, target["y"] + target["height"] - 4, steps=8)
    page.mouse.up()
    expect(page.get_by_role("status").filter(has_text="first: place 3 of 3")).to_be_attached()
    assert titles(script) == ["second", "third", "first"]


def test_single_clicks_order_too(page: Page, script: Scripted) -> None:
    toggle(page, "second").click()
    page.get_by_role("button", name="Move up").click()
    expect(page.get_by_role("status").filter(has_text="second: place 1 of 3")).to_be_attached()
    assert titles(script) == ["second", "first", "third"]


def test_everything_about_a_task_can_be_changed(page: Page, script: Scripted) -> None:
    toggle(page, "first").click()
    form = page.get_by_role("form", name="Details of first")
    form.get_by_label("Title").fill("foremost")
    form.get_by_label("Due").fill("2031-05-06")
    form.get_by_label("Tags").fill("home, #work")
    form.get_by_label("Notes").fill("with notes")
    form.get_by_role("button", name="Save").click()
    expect(rows(page).first).to_contain_text("foremost")
    changed = script.tasks[0]
    assert (changed["title"], changed["due_on"], changed["notes"]) == ("foremost", "2031-05-06", "with notes")
    assert changed["tags"] == ["home", "work"]


def test_a_change_made_elsewhere_is_not_overwritten(page: Page, script: Scripted) -> None:
    toggle(page, "first").click()
    script.tasks[0].update(title="changed elsewhere", version=7)
    form = page.get_by_role("form", name="Details of first")
    form.get_by_label("Title").fill("mine")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("changed elsewhere")
    assert script.tasks[0]["title"] == "changed elsewhere"


def test_a_task_is_deleted_after_asking(page: Page, script: Scripted) -> None:
    toggle(page, "second").click()
    page.get_by_role("button", name="Delete “second”").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Delete “second”").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(rows(page)).to_have_count(2)
    assert titles(script) == ["first", "third"]


def test_a_link_leads_to_its_task_whatever_the_filter(page: Page, script: Scripted) -> None:
    script.tasks[1]["done"] = True
    visit(page, f"/tasks?task={script.tasks[1]['id']}")
    expect(rows(page).filter(has_text="second")).to_be_in_viewport()
    visit(page, "/tasks?task=gone")
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("not there any more")
