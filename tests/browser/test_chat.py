"""The chat page: words as they come, a line that breaks, and everything the keyboard can do."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .conftest import OpenPage, sign_in, visit, wait_until
from .scripted_backend import Scripted

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]

COUNTED = [f"word{n}" for n in range(1, 121)]
# Notes each text the answer had on its way, in the page itself: looking from outside would miss some.
RECORD_TEXTS = """() => {
    window.texts = [];
    new MutationObserver(() => {
        const last = [...document.querySelectorAll('li[data-role=assistant] .prose')].at(-1);
        if (last && last.textContent !== window.texts.at(-1)) window.texts.push(last.textContent);
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def composer(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


def say(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def answers(page: Page, status: str = "complete") -> Locator:
    return page.locator(f"li[data-role=assistant][data-status={status}]")


def alert(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("alert")


def words(locator: Locator) -> list[str]:
    return re.findall(r"word\d+", locator.locator(".prose").inner_text())


def test_words_arrive_one_after_another(scripted_page: Page, script: Scripted) -> None:
    scripted_page.evaluate(RECORD_TEXTS)
    say(scripted_page, "count, please")
    expect(answers(scripted_page)).to_have_count(1)
    texts: list[str] = scripted_page.evaluate("window.texts")
    assert len(texts) > 20, "the answer came in lumps"
    assert all(later.startswith(earlier.strip()) for earlier, later in itertools.pairwise(texts))
    assert words(answers(scripted_page)) == COUNTED


def test_a_broken_line_loses_and_repeats_no_word(scripted_page: Page, script: Scripted) -> None:
    script.drop_after_words = [8, 5, 30, 1]
    say(scripted_page, "count, please")
    expect(answers(scripted_page)).to_have_count(1)
    assert words(answers(scripted_page)) == COUNTED
    assert script.resumptions == ["7", "12", "42", "43"]


def test_a_reload_in_mid_answer_takes_it_up_again(scripted_page: Page, script: Scripted) -> None:
    script.seconds_per_word = 0.05
    say(scripted_page, "count, please")
    scripted_page.get_by_text("word10 ").wait_for()
    scripted_page.reload()
    expect(answers(scripted_page)).to_have_count(1)
    assert words(answers(scripted_page)) == COUNTED


def test_the_answer_goes_on_while_another_page_is_open(scripted_page: Page, script: Scripted) -> None:
    script.seconds_per_word = 0.03
    say(scripted_page, "count, please")
    scripted_page.get_by_text("word3 ").wait_for()
    scripted_page.get_by_role("link", name="Tasks", exact=True).click()
    scripted_page.get_by_role("heading", name="Tasks").wait_for()
    scripted_page.get_by_role("link", name="count, please").click()
    expect(answers(scripted_page)).to_have_count(1)
    assert words(answers(scripted_page)) == COUNTED
    assert script.resumptions == []


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_stop_keeps_what_was_written(scripted_page: Page, script: Scripted, way: str) -> None:
    script.seconds_per_word = 0.05
    say(scripted_page, "count, please")
    scripted_page.get_by_text("word5 ").wait_for()
    if way == "Escape":
        scripted_page.keyboard.press("Escape")
    else:
        scripted_page.get_by_role("button", name="Stop the answer").click()
    scripted_page.get_by_text("Stopped here.").wait_for()
    expect(scripted_page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert script.stopped


def test_regenerate_replaces_the_last_answer(scripted_page: Page) -> None:
    say(scripted_page, "count, please")
    expect(answers(scripted_page)).to_have_count(1)
    scripted_page.get_by_role("button", name="Write the answer again").click()
    scripted_page.get_by_text("That is all.", exact=True).wait_for()
    expect(scripted_page.locator("li[data-role=assistant]")).to_have_count(1)
    assert words(answers(scripted_page)) == []


def test_an_edited_message_replaces_what_followed(scripted_page: Page) -> None:
    say(scripted_page, "first")
    expect(answers(scripted_page)).to_have_count(1)
    say(scripted_page, "second")
    expect(answers(scripted_page)).to_have_count(2)
    scripted_page.locator("li[data-role=user]").first.hover()
    scripted_page.get_by_role("button", name="Edit and send again").first.click()
    box = scripted_page.get_by_role("textbox", name="Your message")
    expect(box).to_have_value("first")
    box.fill("count instead")
    box.press("Enter")
    expect(answers(scripted_page)).to_have_count(1)
    expect(scripted_page.locator("li[data-role=user]")).to_have_count(1)
    assert words(answers(scripted_page)) == COUNTED


def test_the_keyboard_alone(scripted_page: Page) -> None:
    page = scripted_page
    expect(composer(page)).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(composer(page)).to_have_value("one\ntwo")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_count(1)
    expect(composer(page)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search conversations")).to_be_focused()
    page.keyboard.type("go to ta")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks")


def test_slash_commands_are_offered_and_completed(scripted_page: Page, script: Scripted) -> None:
    composer(scripted_page).fill("/a")
    option = scripted_page.get_by_role("option", name="/add")
    expect(option).to_have_attribute("aria-selected", "true")
    scripted_page.keyboard.press("Tab")
    expect(composer(scripted_page)).to_have_value("/add ")
    scripted_page.keyboard.type("Buy milk")
    scripted_page.keyboard.press("Enter")
    card = scripted_page.get_by_role("region", name="Task added")
    card.get_by_role("link", name="Buy milk").click()
    scripted_page.wait_for_url("**/tasks?task=*")
    expect(scripted_page.locator("[data-task]")).to_contain_text("Buy milk")


def test_a_tool_call_can_be_taken_back(scripted_page: Page, script: Scripted) -> None:
    say(scripted_page, "/add Buy milk")
    scripted_page.get_by_role("button", name="Undo").click()
    scripted_page.get_by_text("Taken back").wait_for()
    assert script.tasks == []


def test_code_is_copied_as_it_is(open_page: OpenPage, scripted_url: str) -> None:
    page = open_page(scripted_url, permissions=["clipboard-read", "clipboard-write"])
    sign_in(page)
    say(page, "Make a plan")
    expect(answers(page)).to_have_count(1)
    page.get_by_role("button", name="Copy the code").click()
    page.get_by_role("status").filter(has_text="Copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == "def total(figures):\n    return sum(figures)"


def test_markup_in_an_answer_stays_text(scripted_page: Page, script: Scripted) -> None:
    say(scripted_page, "<img src=x onerror=alert(1)> **bold**")
    asked = scripted_page.locator("li[data-role=user] p")
    expect(asked).to_contain_text("<img src=x onerror=alert(1)> **bold**")
    assert scripted_page.locator("li img").count() == 0


def test_a_failure_says_so_and_can_be_tried_again(scripted_page: Page) -> None:
    say(scripted_page, "fail, please")
    notice = answers(scripted_page, "failed").get_by_role("alert")
    expect(notice).to_contain_text("The model did not answer (500).")
    notice.get_by_role("button", name="Try again").click()
    scripted_page.get_by_text("That is all.", exact=True).wait_for()


def test_a_refused_message_is_given_back(scripted_page: Page) -> None:
    say(scripted_page, "over the limit")
    expect(alert(scripted_page)).to_contain_text("This month's allowance is used up.")
    expect(composer(scripted_page)).to_have_value("over the limit")
    expect(scripted_page.locator("li[data-role=user]")).to_have_count(0)


def test_a_message_sent_offline_is_given_back(scripted_page: Page) -> None:
    say(scripted_page, "first")
    expect(answers(scripted_page)).to_have_count(1)
    scripted_page.context.set_offline(True)
    say(scripted_page, "second")
    expect(alert(scripted_page)).to_contain_text("Not sent.")
    expect(composer(scripted_page)).to_have_value("second")
    scripted_page.context.set_offline(False)
    composer(scripted_page).press("Enter")
    expect(answers(scripted_page)).to_have_count(2)


def test_conversations_are_searched_renamed_and_deleted(scripted_page: Page, script: Scripted) -> None:
    page = scripted_page
    for title in ["apples", "pears"]:
        page.get_by_role("button", name="New chat").click()
        page.get_by_text("What is on your mind?").wait_for()
        say(page, title)
        expect(answers(page)).to_have_count(1)
    entries = page.get_by_role("region", name="Conversations").get_by_role("link")
    expect(entries).to_have_text(["pears", "apples"])

    page.get_by_role("searchbox", name="Search conversations").fill("app")
    expect(entries).to_have_text(["apples"])
    entries.first.hover()
    page.get_by_role("button", name="Rename “apples”").click()
    page.get_by_label("Title of the conversation").fill("green apples")
    page.keyboard.press("Enter")
    expect(entries).to_have_text(["green apples"])

    page.get_by_role("button", name="Delete “green apples”").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(entries).to_have_count(0)
    page.get_by_role("searchbox", name="Search conversations").fill("")
    expect(entries).to_have_text(["pears"])
    assert [c["title"] for c in script.conversations.values()] == ["pears"]


def test_the_address_names_the_conversation(scripted_page: Page, script: Scripted) -> None:
    say(scripted_page, "Make a plan")
    scripted_page.wait_for_url("**/chat/conversation-*")
    expect(answers(scripted_page)).to_have_count(1)
    visit(scripted_page, scripted_page.url)
    scripted_page.get_by_text("That is all.", exact=True).wait_for()
    scripted_page.get_by_role("button", name="New chat").click()
    scripted_page.get_by_text("What is on your mind?").wait_for()


def test_the_page_says_which_model_answers(scripted_page: Page) -> None:
    expect(scripted_page.get_by_text("Local demo model")).to_be_visible()


def test_a_closed_tab_reaches_the_backend(open_page: OpenPage, scripted_url: str, script: Scripted) -> None:
    page = open_page(scripted_url)
    sign_in(page)
    script.seconds_per_word = 0.2
    say(page, "count, please")
    page.get_by_text("word2 ").wait_for()
    page.close()
    wait_until(lambda: script.left == 1, "the backend hears of the closed tab", seconds=3)
