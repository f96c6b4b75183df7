"""Must hold: a person, a browser, and the containers that `chatbot deploy` started. Nothing is scripted."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from support import projects

from .conftest import OpenPage, sign_up, visit, wait_until
from .test_pages import objections

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]

PASSWORD = "a long enough password"
MODEL_MILLISECONDS = 90_000  # a small model on a busy processor


@pytest.fixture
def page(open_page: OpenPage, frontend_url: str) -> Page:
    return open_page(frontend_url)


def say(page: Page, text: str) -> Locator:
    """Sends a message; its answer."""
    count = page.locator("li[data-role=assistant]").count()
    box = page.get_by_label("Message", exact=True)
    box.fill(text)
    box.press("Enter")
    return page.locator("li[data-role=assistant]").nth(count)


def expect_complete(answer: Locator) -> None:
    expect(answer).to_have_attribute("data-status", "complete", timeout=MODEL_MILLISECONDS)


def test_a_message_is_answered_word_by_word(page: Page) -> None:
    sign_up(page)
    answer = say(page, "Tell me three facts about the sea.")
    seen: set[str] = set()

    def complete() -> bool:
        if answer.locator(".prose").count():
            seen.add(answer.locator(".prose").last.inner_text())
        return answer.count() == 1 and answer.get_attribute("data-status") == "complete"

    wait_until(complete, "the answer", seconds=MODEL_MILLISECONDS / 1000)
    assert len(seen) >= 3, f"the answer came in {len(seen)} lumps"
    assert len(answer.locator(".prose").last.inner_text().split()) >= 5
    expect(page.get_by_text("Local demo model")).to_be_visible()


def test_sign_up_chat_tasks_reload_and_log_out(page: Page) -> None:
    email = sign_up(page)

    # A slash command changes the list, and its card leads there.
    answer = say(page, "/add Send Ines the figures #work")
    expect_complete(answer)
    card = answer.get_by_role("region", name="Task added")
    expect(card.get_by_role("link", name="Send Ines the figures")).to_be_visible()

    # So does a tool call, from words alone.
    answer = say(page, "Remind me to water the plants")
    expect_complete(answer)
    expect(answer.get_by_role("region", name="Task added").get_by_role("link")).to_contain_text(
        re.compile("water the plants", re.IGNORECASE)
    )
    conversation = page.url

    page.get_by_role("link", name="Tasks", exact=True).click()
    rows = page.locator("[data-task]")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text=re.compile("water the plants", re.IGNORECASE))).to_have_count(1)
    rows.filter(has_text="Send Ines the figures").get_by_role("checkbox").check()
    expect(rows).to_have_count(2)
    page.get_by_role("radio", name="Done", exact=True).check()
    expect(rows).to_have_count(1)

    # Reloading keeps everything.
    visit(page, conversation)
    expect(page.locator("li[data-role=user]")).to_have_count(2)
    expect(page.locator("li[data-role=assistant]")).to_have_count(2)
    expect(page.get_by_role("region", name="Conversations").get_by_role("link")).to_have_count(1)
    visit(page, "/tasks")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("plants", ignore_case=True)

    # Logging out locks it.
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    visit(page, conversation)
    page.wait_for_url("**/login?next=*")
    assert page.request.get("/api/tasks").status == 401

    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(conversation)
    expect(page.locator("li[data-role=user]")).to_have_count(2)


def test_the_password_is_changed_and_the_account_deleted(page: Page) -> None:
    email = sign_up(page)
    visit(page, "/account")
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("another long password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("not right")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Changed.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Email")).to_have_value(email)

    page.get_by_role("button", name="Delete the account…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("another long password")
    dialog.get_by_role("button", name="Delete everything").click()
    page.wait_for_url(re.compile(r"/$"))
    assert page.context.cookies() == []
    visit(page, "/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("another long password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("do not belong together")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_deployed_page(open_page: OpenPage, frontend_url: str, theme: str) -> None:
    page = open_page(frontend_url, color_scheme=theme, reduced_motion="reduce")
    found = {}
    for path in ["/", "/about", "/login", "/signup"]:
        visit(page, path)
        page.get_by_role("heading", level=1).wait_for()
        found[path] = objections(page)
    sign_up(page)
    found["/chat"] = objections(page)
    expect_complete(say(page, "/add Buy milk due:2030-01-02"))
    found["/chat/…"] = objections(page)
    visit(page, "/tasks")
    page.locator("[data-task]").wait_for()
    found["/tasks"] = objections(page)
    visit(page, "/account")
    page.get_by_text("tokens").first.wait_for()
    found["/account"] = objections(page)
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[projects.Project]:
    """A stack of this module's own, because deploying changes it."""
    made = projects.make(tmp_path_factory.mktemp("redeployed"))
    try:
        made.chatbot("deploy", "local")
        yield made
    finally:
        made.remove()


def test_a_deploy_in_mid_answer_loses_no_word(open_page: OpenPage, own_stack: projects.Project) -> None:
    page = open_page(own_stack.frontend_url)
    sign_up(page)
    expect_complete(say(page, "/help"))
    changed = {
        "CHATBOT__SERVICES__BACKEND__LIMITS__MEMORY": "640M",
        "CHATBOT__SERVICES__FRONTEND__LIMITS__MEMORY": "640M",
    }
    finished = threading.Event()
    exits: list[int] = []

    def deploy() -> None:
        exits.append(own_stack.chatbot("deploy", "local", check=None, variables=changed).returncode)
        finished.set()

    deploying = threading.Thread(target=deploy)
    answer = say(page, "Write a long story about a lighthouse keeper and her dog.")
    expect(answer.locator(".prose")).to_have_text(re.compile(r"\w"), timeout=MODEL_MILLISECONDS)
    deploying.start()
    expect_complete(answer)
    # While containers are replaced, one message after another gets its whole answer.
    answered = 0
    while not finished.is_set() or answered == 0:
        expect_complete(say(page, "/tasks"))
        answered += 1
    deploying.join()
    assert exits == [0]
    expect_complete(say(page, "/help"))
    assert page.get_by_role("main").get_by_role("alert").count() == 0
    page.reload()
    complete = page.locator("li[data-role=assistant][data-status=complete]")
    expect(complete.first).to_be_visible()
    earlier = page.get_by_role("button", name="Show earlier messages")
    while earlier.count():
        shown = complete.count()
        earlier.click()
        wait_until(lambda before=shown: complete.count() > before, "earlier messages")  # type: ignore[misc]
    expect(complete).to_have_count(answered + 3)
