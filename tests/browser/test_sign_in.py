"""Signing in: tokens the browser cannot read, requests other sites cannot forge, a renewal nobody notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from .conftest import OpenPage, visit
from .scripted_backend import Scripted

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.docker]

OURS = {"sec-fetch-site": "same-origin"}


def log_in(url: str, **headers: str) -> httpx.Response:
    body = {"email": "ana@example.org", "password": "a long enough password"}
    return httpx.post(f"{url}/api/auth/login", json=body, headers={**OURS, **headers})


def session_of(url: str) -> dict[str, str]:
    return {"cookie": log_in(url).headers["set-cookie"].split(";")[0]}


def test_tokens_stay_out_of_the_browsers_reach(scripted_page: Page, script: Scripted) -> None:
    assert scripted_page.evaluate("document.cookie") == ""
    (cookie,) = scripted_page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("chatbot_session", True, "Lax")
    stored = scripted_page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    for secret in (script.access_token, script.refresh_token):
        assert secret not in stored
        assert secret not in cookie["value"]
    assert "access_token" not in log_in(scripted_page.url.removesuffix("/chat")).text


def test_the_cookie_is_for_https_alone_behind_https(scripted_url: str) -> None:
    set_cookie = log_in(scripted_url, **{"x-forwarded-proto": "https"}).headers["set-cookie"]
    name, *attributes = [part.strip() for part in set_cookie.split(";")]
    assert name.startswith("__Host-chatbot_session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)


def test_a_tampered_cookie_is_no_sign_in(scripted_url: str) -> None:
    session = session_of(scripted_url)
    assert httpx.get(f"{scripted_url}/api/account", headers=session).status_code == 200
    name, _, value = session["cookie"].partition("=")
    middle = len(value) // 2
    for other in [
        value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :],
        value[:-4],
        "",
        "AAAA",
        "%00" * 40,
    ]:
        answer = httpx.get(f"{scripted_url}/api/account", headers={"cookie": f"{name}={other}"})
        assert answer.status_code == 401, other


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "{own}"},
    ],
)
def test_requests_of_other_sites_change_nothing(
    scripted_url: str, script: Scripted, headers: dict[str, str]
) -> None:
    session = session_of(scripted_url)
    forged = {name: value.replace("{own}", scripted_url) for name, value in headers.items()}
    answer = httpx.post(f"{scripted_url}/api/tasks", json={"title": "forged"}, headers={**session, **forged})
    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-site-request"
    assert script.tasks == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": "{own}"}])
def test_requests_of_our_own_page_pass(scripted_url: str, script: Scripted, headers: dict[str, str]) -> None:
    session = session_of(scripted_url)
    own = {name: value.replace("{own}", scripted_url) for name, value in headers.items()}
    answer = httpx.post(f"{scripted_url}/api/tasks", json={"title": "ours"}, headers={**session, **own})
    assert answer.status_code == 201


def test_other_sites_cannot_read_either(scripted_url: str) -> None:
    headers = {**session_of(scripted_url), "sec-fetch-site": "cross-site"}
    assert httpx.get(f"{scripted_url}/api/tasks", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/api/metrics", "/api/..%2fmetrics", "/api/../metrics", "/api/internal/x"])
def test_only_the_api_is_passed_on(scripted_url: str, path: str) -> None:
    assert httpx.get(scripted_url + path).status_code in (404, 400)


@pytest.mark.parametrize("path", ["/chat", "/chat/abc", "/tasks", "/account"])
def test_visitors_are_sent_to_log_in_and_back(open_page: OpenPage, scripted_url: str, path: str) -> None:
    page = open_page(scripted_url)
    visit(page, path)
    page.wait_for_url("**/login?next=*")
    page.get_by_label("Email").fill("ana@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize(
    "next_address", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_logging_in_leads_to_this_site_only(
    open_page: OpenPage, scripted_url: str, next_address: str
) -> None:
    page = open_page(scripted_url)
    visit(page, f"/login?next={next_address}")
    page.get_by_label("Email").fill("ana@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{scripted_url}/chat")


def test_a_wrong_password_is_explained(open_page: OpenPage, scripted_url: str) -> None:
    page = open_page(scripted_url)
    visit(page, "/login")
    page.get_by_label("Email").fill("ana@example.org")
    page.get_by_label("Password").fill("wrong, but long enough")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Email")).to_have_value("ana@example.org")


def test_an_expired_token_is_renewed_once_and_unseen(scripted_page: Page, script: Scripted) -> None:
    script.tasks.append(script.task("Water the plants"))
    script.access_token = "a token that the page does not have"
    visit(scripted_page, "/tasks")
    scripted_page.get_by_text("Water the plants").wait_for()
    expect(scripted_page.get_by_text("ana@example.org")).to_be_visible()
    assert script.refreshes == 1


def test_two_tabs_never_use_a_refresh_token_twice(scripted_page: Page, script: Scripted) -> None:
    other = scripted_page.context.new_page()
    visit(other, "/chat")
    for page in (scripted_page, other):
        page.get_by_text("ana@example.org").wait_for()
        page.wait_for_load_state("networkidle")
    script.tasks.append(script.task("Water the plants"))
    script.access_token = "a token that neither page has"
    for page in (scripted_page, other):
        page.get_by_role("link", name="Tasks", exact=True).click()
    for page in (scripted_page, other):
        page.get_by_text("Water the plants").wait_for()
    assert script.reused == 0
    assert script.refreshes >= 1


def test_an_ended_sign_in_leads_to_log_in(scripted_page: Page, script: Scripted) -> None:
    script.access_token = script.refresh_token = "ended elsewhere"
    visit(scripted_page, "/tasks")
    scripted_page.wait_for_url("**/login?next=%2Ftasks")
    assert scripted_page.context.cookies() == []


def test_logging_out_locks_every_page(scripted_page: Page) -> None:
    scripted_page.get_by_role("button", name="Log out").click()
    scripted_page.wait_for_url("**/login")
    assert scripted_page.context.cookies() == []
    visit(scripted_page, "/tasks")
    scripted_page.wait_for_url("**/login?next=*")


def test_the_backend_being_away_is_said(scripted_page: Page, script: Scripted) -> None:
    scripted_page.route("**/api/tasks**", lambda route: route.abort())
    scripted_page.get_by_role("link", name="Tasks", exact=True).click()
    expect(scripted_page.get_by_role("main").get_by_role("alert").first).to_contain_text("cannot be reached")
    scripted_page.unroute("**/api/tasks**")
    scripted_page.get_by_role("button", name="Try again").click()
    scripted_page.get_by_text("All clear").wait_for()
