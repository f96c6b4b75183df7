"""Takes the README's screenshots from a running stack.

    python tests/browser/take_screenshots.py http://127.0.0.1:3000

What is seen is what the stack answers; nothing is staged but the words that are typed. Afterwards the files
are made small with pngquant, where it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def day(ahead: int) -> str:
    return (date.today() + timedelta(days=ahead)).isoformat()


def say(page: Page, text: str) -> None:
    answers = page.locator("li[data-role=assistant]")
    count = answers.count()
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(answers.nth(count)).to_have_attribute("data-status", "complete", timeout=120_000)


def new_chat(page: Page) -> None:
    page.get_by_role("button", name="New chat").click()
    page.get_by_text("What is on your mind?").wait_for()


def prepare(browser: Browser, url: str) -> Any:
    """Signs up, talks, and leaves tasks; the signed-in state."""
    context = browser.new_context(base_url=url, viewport=DESKTOP)
    page = context.new_page()
    page.goto("/signup")
    page.get_by_label("Name").fill("Ana")
    page.get_by_label("Email").fill(f"ana.{uuid.uuid4().hex[:4]}@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_text("What is on your mind?").wait_for()
    say(page, "How do I keep basil alive in winter?")
    new_chat(page)
    say(page, f"/add Renew the passport #errands due:{day(-3)}")
    say(page, f"/add Book a table for four #friends due:{day(5)}")
    new_chat(page)
    say(page, "Name three good hikes for a rainy day.")
    new_chat(page)
    say(page, f"/add Send Ines the figures #work due:{day(1)}")
    say(page, "Remind me to water the plants")
    say(page, "Write a Python function that adds up the figures in a list.")
    state = context.storage_state()
    page.get_by_role("link", name="Tasks", exact=True).click()
    page.locator("[data-task]").first.wait_for()
    context.close()
    return state


def take(browser: Browser, url: str, state: Any, name: str, path: str, theme: Any, size: Any) -> Path:
    context = browser.new_context(
        base_url=url, viewport=size, color_scheme=theme, storage_state=state, device_scale_factor=1.5
    )
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    if path == "/chat":
        newest = page.locator("aside a[href^='/chat/']").first
        newest.wait_for(state="attached")
        page.goto(newest.get_attribute("href") or "")
        page.locator("li[data-role=assistant]").last.wait_for()
        page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement?.blur()")
    target = FOLDER / f"{name}.png"
    page.screenshot(path=target)
    context.close()
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--output", str(target), "128", str(target)], check=True)
    return target


def main(url: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        state = prepare(browser, url)
        for name, path, theme, size in [
            ("home-light", "/", "light", DESKTOP),
            ("chat-light", "/chat", "light", DESKTOP),
            ("chat-dark", "/chat", "dark", DESKTOP),
            ("tasks-light", "/tasks", "light", DESKTOP),
            ("tasks-dark", "/tasks", "dark", DESKTOP),
            ("chat-phone", "/chat", "light", PHONE),
            ("tasks-phone", "/tasks", "light", PHONE),
        ]:
            target = take(browser, url, state, name, path, theme, size)
            print(f"{target.name}: {target.stat().st_size // 1024} KiB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
