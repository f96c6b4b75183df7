"""Whatever the model's provider does, the page says so in words and goes on; the backend is the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from backend_support.provider import ScriptedProvider, words
from backend_support.servers import BackendProcess
from playwright.sync_api import expect

from .conftest import OpenPage, sign_up, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]

# As short as a test can bear; in a deployment they are 120, 30 and 5 seconds.
PATIENCE = {
    "PROVIDER_FIRST_TOKEN_SECONDS": "1.5",
    "PROVIDER_BETWEEN_TOKENS_SECONDS": "1",
    "PROVIDER_CONNECT_SECONDS": "1",
    # In a deployment it is 0.6; with none at all every reload finds its answer interrupted.
    "CHAT_RESUME_SECONDS": "0",
}


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def provider(shared_provider: ScriptedProvider) -> ScriptedProvider:
    shared_provider.reset()
    return shared_provider


@pytest.fixture(scope="module")
def faulty_url(
    tmp_path_factory: pytest.TempPathFactory,
    shared_provider: ScriptedProvider,
    serve_page: Callable[[str], str],
) -> Iterator[str]:
    """The page in front of a backend whose provider does what the message says."""
    folder = tmp_path_factory.mktemp("faulty")
    address = f"sqlite:///{folder / 'chatbot.db'}"
    base_url = shared_provider.base_url
    with BackendProcess(folder, DATABASE_URL=address, OPENAI_BASE_URL=base_url, **PATIENCE) as backend:
        yield serve_page(backend.url)


@pytest.fixture(scope="module")
def refused_url(tmp_path_factory: pytest.TempPathFactory, serve_page: Callable[[str], str]) -> Iterator[str]:
    """The page in front of a backend whose provider does not listen."""
    folder = tmp_path_factory.mktemp("refused")
    address = f"sqlite:///{folder / 'chatbot.db'}"
    with BackendProcess(
        folder, DATABASE_URL=address, OPENAI_BASE_URL="http://127.0.0.1:9/v1", **PATIENCE
    ) as backend:
        yield serve_page(backend.url)


def say(page: Page, text: str) -> None:
    box = page.get_by_label("Message", exact=True)
    box.fill(text)
    box.press("Enter")


def last_answer(page: Page) -> Locator:
    return page.locator("li[data-role=assistant]").last


def expect_clear_failure(page: Page) -> str:
    """The last answer failed with words for people, and the page is ready for the next message."""
    answer = last_answer(page)
    expect(answer).to_have_attribute("data-status", "failed", timeout=30_000)
    notice = answer.get_by_role("alert")
    expect(notice.get_by_role("button", name="Try again")).to_be_enabled()
    text = notice.inner_text()
    assert len(text.removesuffix("Try again").split()) >= 4, text
    for internal in ("secret-internal-text", "Traceback", "Error code", "{", "httpx", "openai."):
        assert internal not in text
    page.get_by_label("Message", exact=True).fill("next")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    page.get_by_label("Message", exact=True).fill("")
    return text


FAULTS = ["slow", "429", "500", "503", "hangup", "401", "html", "cut", "stall", "malformed", "errorchunk"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_provider_fault_ends_in_a_clear_message(
    open_page: OpenPage, faulty_url: str, provider: ScriptedProvider, fault: str
) -> None:
    page = open_page(faulty_url)
    sign_up(page)
    say(page, f"words=20 prefix=piece fault={fault}")
    expect_clear_failure(page)
    assert 1 <= len(provider.requests) <= 3, "retries are bounded"
    if fault in ("cut", "stall", "malformed", "errorchunk"):
        expect(last_answer(page)).to_contain_text("piece0 piece1")
    page.reload()
    expect_clear_failure(page)


def test_a_refused_connection_ends_in_a_clear_message(open_page: OpenPage, refused_url: str) -> None:
    page = open_page(refused_url)
    sign_up(page)
    say(page, "is anybody there?")
    expect_clear_failure(page)


def test_trying_again_after_a_fault_works(
    open_page: OpenPage, faulty_url: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def behave(*_: object) -> bool:
        return False

    page = open_page(faulty_url)
    sign_up(page)
    say(page, "words=20 prefix=piece fault=401")
    expect_clear_failure(page)
    monkeypatch.setattr(provider, "_misbehave", behave)
    last_answer(page).get_by_role("button", name="Try again").click()
    expect(last_answer(page)).to_have_attribute("data-status", "complete")
    expect(last_answer(page)).to_contain_text("piece0 piece1")


def test_words_of_the_real_backend_arrive_one_after_another(
    open_page: OpenPage, faulty_url: str, provider: ScriptedProvider
) -> None:
    page = open_page(faulty_url)
    sign_up(page)
    say(page, "words=60 delay=0.05 prefix=piece")
    seen = set()

    def complete() -> bool:
        answer = last_answer(page)
        if answer.count():
            seen.add(answer.locator(".prose").last.inner_text())
        return answer.get_attribute("data-status") == "complete"

    wait_until(complete, "the answer", seconds=40)
    assert len(seen) >= 5, "the answer came in lumps"
    assert last_answer(page).locator(".prose").inner_text().split() == words(60, "piece").split()


def test_a_reload_in_mid_answer_loses_no_word(
    open_page: OpenPage, faulty_url: str, provider: ScriptedProvider
) -> None:
    page = open_page(faulty_url)
    sign_up(page)
    say(page, "words=80 delay=0.08 prefix=piece")
    page.get_by_text("piece5 ").wait_for()
    page.reload()
    expect(last_answer(page)).to_have_attribute("data-status", "complete", timeout=40_000)
    assert last_answer(page).locator(".prose").inner_text().split() == words(80, "piece").split()


def test_stopping_reaches_the_provider(
    open_page: OpenPage, faulty_url: str, provider: ScriptedProvider
) -> None:
    page = open_page(faulty_url)
    sign_up(page)
    say(page, "words=200 delay=0.1 prefix=piece")
    page.get_by_text("piece3 ").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Stopped here.").wait_for()
    wait_until(lambda: bool(provider.left_at), "the provider is left", seconds=3)
    expect(last_answer(page)).to_contain_text("piece3")
