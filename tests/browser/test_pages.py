"""Every page: accessible in both themes, at home on a phone, under a policy that allows nothing foreign."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python
import httpx
import pytest

from .conftest import OpenPage, sign_in, visit
from .scripted_backend import Scripted

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def objections(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands, one line for each element."""
    page.evaluate(AXE)
    result: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}})", STANDARDS
    )
    assert result["passes"], "axe-core looked at nothing"
    return [
        f"{v['id']}: {n['target']} {n['failureSummary']}" for v in result["violations"] for n in v["nodes"]
    ]


def fill(script: Scripted) -> None:
    for title, due_on, tags in [
        ("Send Ines the figures", "2030-03-06", ["work"]),
        ("Renew the passport", "2020-02-20", ["errands", "home"]),
        ("Book a table", None, []),
    ]:
        script.tasks.append(script.task(title, due_on, tags))


def say(page: Page, text: str, status: str = "complete") -> None:
    count = page.locator("li[data-role=assistant]").count()
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    answer = page.locator("li[data-role=assistant]").nth(count)
    answer.and_(page.locator(f"[data-status={status}]")).wait_for()


def empty_chat(page: Page) -> None:
    visit(page, "/chat")
    page.get_by_text("Local demo model").wait_for()


def full_chat(page: Page) -> None:
    empty_chat(page)
    say(page, "/add Buy milk")
    say(page, "Make a plan")
    say(page, "fail, please", "failed")


def editing(page: Page) -> None:
    full_chat(page)
    page.get_by_label("Message", exact=True).press("ArrowUp")
    page.get_by_role("form", name="Edit your message").wait_for()


def slash_menu(page: Page) -> None:
    empty_chat(page)
    page.get_by_label("Message", exact=True).fill("/")
    page.get_by_role("listbox", name="Commands").wait_for()


def palette(page: Page) -> None:
    full_chat(page)
    page.keyboard.press("Control+k")
    page.get_by_role("listbox", name="Results").wait_for()


def missing_conversation(page: Page) -> None:
    visit(page, "/chat/nothing-here")
    page.get_by_text("This conversation is not here").wait_for()


def task_list(page: Page) -> None:
    visit(page, "/tasks")
    page.get_by_text("Renew the passport").wait_for()


def task_details(page: Page) -> None:
    task_list(page)
    page.get_by_role("button", name="Renew the passport", exact=False).and_(
        page.locator("[aria-expanded]")
    ).click()
    page.get_by_role("form", name="Details of").wait_for()


def no_tasks(page: Page) -> None:
    task_list(page)
    page.get_by_label("Search tasks").fill("zebra")
    page.get_by_text("Nothing matches").wait_for()


def account(page: Page) -> None:
    visit(page, "/account")
    page.get_by_text("1,540").wait_for()


def delete_dialog(page: Page) -> None:
    account(page)
    page.get_by_role("button", name="Delete the account…").click()
    page.get_by_role("dialog").wait_for()


def drawer(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    full_chat(page)
    page.get_by_role("button", name="Open the menu").click()
    page.get_by_role("dialog", name="Menu").wait_for()


STATES = [
    empty_chat, full_chat, editing, slash_menu, palette, missing_conversation, drawer,
    task_list, task_details, no_tasks, account, delete_dialog,
]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/about", "/login", "/signup", "/no-such-page"])
def test_axe_finds_nothing_on_public_pages(
    open_page: OpenPage, scripted_url: str, path: str, theme: str
) -> None:
    page = open_page(scripted_url, color_scheme=theme)
    visit(page, path)
    page.get_by_role("heading", level=1).wait_for()
    assert page.locator("html").get_attribute("data-theme") == theme
    assert objections(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
def test_axe_finds_nothing_on_member_pages(
    open_page: OpenPage, scripted_url: str, script: Scripted, reach: Callable[[Page], None], theme: str
) -> None:
    fill(script)
    page = open_page(scripted_url, color_scheme=theme, reduced_motion="reduce")
    sign_in(page)
    reach(page)
    assert objections(page) == []


def test_nothing_reaches_past_a_narrow_screen(
    open_page: OpenPage, scripted_url: str, script: Scripted
) -> None:
    fill(script)
    page = open_page(scripted_url, viewport={"width": 320, "height": 640})
    wide = []
    for path in ["/", "/about", "/login", "/signup"]:
        visit(page, path)
        wide += [path] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    sign_in(page)
    for reach in [empty_chat, full_chat, task_list, task_details, account]:
        reach(page)
        wide += [reach.__name__] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    assert wide == []


def test_every_control_is_reached_and_seen_from_the_keyboard(scripted_page: Page) -> None:
    seen = set()
    for _ in range(40):
        scripted_page.keyboard.press("Tab")
        focused = scripted_page.evaluate(
            """() => {
                const e = document.activeElement, s = getComputedStyle(e), w = e.closest('label,div');
                const outlined = (x) => x && parseFloat(getComputedStyle(x).outlineWidth) > 0;
                return [e.ariaLabel || e.id || e.textContent.trim(), outlined(e) || outlined(w)];
            }"""
        )
        assert focused[1] or focused[0] in ("", "Chatbot"), f"no visible focus on {focused[0]!r}"
        seen.add(focused[0])
    assert {"composer", "Tasks", "Account", "New chat", "Log out"} <= seen


@pytest.mark.parametrize("path", ["/", "/about", "/login", "/no-such-page"])
def test_the_policy_allows_nothing_foreign_and_nothing_inline(scripted_url: str, path: str) -> None:
    answer = httpx.get(scripted_url + path)
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    for directive, sources in policy.items():
        for source in sources.split():
            assert source in ("'self'", "'none'", "data:") or re.fullmatch(r"'sha256-[\w+/=]{44}'", source), (
                directive
            )
    assert "data:" not in policy["script-src"]
    inline = re.findall(r"<script(?![^>]*\ssrc=)", answer.text)
    assert len(inline) == policy["script-src"].count("sha256-") > 0
    assert not re.search(r"<[^>]+\s(?:style|on\w+)=", answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_script_that_is_not_ours_does_not_run(
    open_page: OpenPage, scripted_url: str, chromium: Any
) -> None:
    context = chromium.new_context(base_url=scripted_url)
    page = context.new_page()
    visit(page, "/about")
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.broken = 1';
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.broken") is None
    context.close()


def test_home_and_about_are_prerendered(scripted_url: str) -> None:
    for path, words in [("/", "Say it once"), ("/about", "About this service")]:
        answer = httpx.get(scripted_url + path)
        assert answer.headers.get("x-nextjs-prerender", "").startswith("1")
        assert words in answer.text


def test_the_theme_is_kept(open_page: OpenPage, scripted_url: str) -> None:
    page = open_page(scripted_url, color_scheme="light")
    visit(page, "/")
    page.get_by_role("radio", name="Dark").check()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.get_by_role("radio", name="Dark").is_checked()
