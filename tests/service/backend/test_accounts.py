"""Signing up, in and out; passwords; throttling; deletion."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import httpx
from backend_support.people import PASSWORD, Person
from backend_support.servers import JWT_SECRET, BackendProcess


def _log_in(url: str, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"email": email, "password": password}
    return httpx.post(f"{url}/api/auth/login", json=body, headers=headers, timeout=60)


def test_signing_up_signs_in_and_the_address_is_taken_then(backend: BackendProcess, person: Person) -> None:
    assert person.call("GET", "/api/account")["email"] == person.email
    again = httpx.post(
        f"{backend.url}/api/auth/signup",
        json={"email": person.email.upper(), "password": PASSWORD},
        timeout=60,
    )
    assert (again.status_code, again.json()["code"]) == (409, "email-taken")
    assert again.headers["content-type"] == "application/problem+json"


def test_addresses_and_short_passwords_are_checked(backend: BackendProcess) -> None:
    for email, password in (
        ("nobody", PASSWORD),
        ("a@b", PASSWORD),
        ("a@b.cc", "short"),
        ("a\0@b.cc", PASSWORD),
    ):
        answer = httpx.post(
            f"{backend.url}/api/auth/signup", json={"email": email, "password": password}, timeout=60
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["where"] in {"body.email", "body.password"}
        assert password not in answer.text


def test_an_unknown_user_and_a_wrong_password_look_the_same(backend: BackendProcess, person: Person) -> None:
    wrong = _log_in(backend.url, person.email, "not the password")
    unknown = _log_in(backend.url, "nobody@example.org", "not the password")
    told = [{**answer.json(), "request_id": ""} for answer in (wrong, unknown)]
    assert wrong.status_code == unknown.status_code == 401
    assert told[0] == told[1]
    assert {*wrong.headers} == {*unknown.headers}


def test_an_unknown_user_takes_as_long_as_a_wrong_password(
    make_backend: Callable[..., BackendProcess],
) -> None:
    backend = make_backend(LOGIN_FAILURES_PER_ACCOUNT="1000", LOGIN_FAILURES_PER_ADDRESS="1000")
    known = Person(backend.url)
    times: dict[str, list[float]] = {known.email: [], "nobody@example.org": []}
    for _ in range(15):
        for email, taken in times.items():
            began = time.perf_counter()
            assert _log_in(backend.url, email, "not the password").status_code == 401
            taken.append(time.perf_counter() - began)
    first, second = (statistics.median(taken) for taken in times.values())
    assert 0.6 < first / second < 1.7


def test_logging_out_ends_the_access_token_too(person: Person) -> None:
    person.call("POST", "/api/auth/logout", 204, json={"refresh_token": person.refresh_token})
    assert person.call("GET", "/api/account", 401)["code"] == "signed-out"
    assert person.call("POST", "/api/auth/refresh", 401, json={"refresh_token": person.refresh_token})
    person.call("POST", "/api/auth/logout", 204, json={"refresh_token": "never seen"})


def test_refresh_tokens_change_and_using_one_twice_ends_the_sign_in(person: Person) -> None:
    first = person.refresh_token
    person.take(person.call("POST", "/api/auth/refresh", json={"refresh_token": first}))
    assert person.refresh_token != first
    assert person.call("GET", "/api/account")["id"] == person.id
    stolen = person.call("POST", "/api/auth/refresh", 401, json={"refresh_token": first})
    assert stolen["code"] == "refresh-token-reused"
    newest = person.call("POST", "/api/auth/refresh", 401, json={"refresh_token": person.refresh_token})
    assert newest["code"] == "invalid-refresh-token"
    assert person.call("GET", "/api/account", 401)["code"] == "signed-out"


def test_a_changed_password_ends_all_other_sign_ins(backend: BackendProcess, person: Person) -> None:
    other_device = _log_in(backend.url, person.email).json()
    body = {"current_password": "wrong", "new_password": "another long password"}
    assert person.call("POST", "/api/account/password", 403, json=body)["code"] == "wrong-password"
    tokens = person.call("POST", "/api/account/password", json={**body, "current_password": PASSWORD})
    headers = {"authorization": f"Bearer {other_device['access_token']}"}
    assert httpx.get(f"{backend.url}/api/account", headers=headers).status_code == 401
    person.take(tokens)
    assert person.call("GET", "/api/account")["id"] == person.id
    assert _log_in(backend.url, person.email).status_code == 401
    assert _log_in(backend.url, person.email, "another long password").status_code == 200


def test_a_deleted_account_leaves_nothing(backend: BackendProcess, person: Person) -> None:
    person.task("something")
    person.say("words=2")
    assert person.call("DELETE", "/api/account", 403, json={"password": "wrong"})["code"] == "wrong-password"
    person.call("DELETE", "/api/account", 204, json={"password": PASSWORD})
    assert person.call("GET", "/api/tasks", 401)
    assert _log_in(backend.url, person.email).status_code == 401
    again = Person(backend.url, person.email)
    assert again.tasks() == []
    assert again.call("GET", "/api/conversations")["items"] == []
    assert again.call("GET", "/api/account/usage")["requests"] == 0


def test_guessing_is_throttled_per_account(make_backend: Callable[..., BackendProcess]) -> None:
    backend = make_backend(LOGIN_FAILURES_PER_ACCOUNT="3")
    person = Person(backend.url)
    assert [_log_in(backend.url, person.email, "guess").status_code for _ in range(4)] == [401, 401, 401, 429]
    locked = _log_in(backend.url, person.email)
    assert (locked.status_code, locked.json()["code"]) == (429, "too-many-attempts")
    assert 0 < int(locked.headers["retry-after"]) <= 15 * 60
    # Unknown accounts are throttled alike, so that the throttle does not tell them apart.
    assert [_log_in(backend.url, "no@example.org", "guess").status_code for _ in range(4)][-1] == 429


def test_guessing_is_throttled_per_address_and_success_is_not_counted(
    make_backend: Callable[..., BackendProcess],
) -> None:
    backend = make_backend(LOGIN_FAILURES_PER_ADDRESS="4", TRUSTED_PROXY_HOPS="1")
    person = Person(backend.url)
    assert [_log_in(backend.url, person.email).status_code for _ in range(6)] == [200] * 6
    guesses = [_log_in(backend.url, f"a{number}@example.org", "guess").status_code for number in range(5)]
    assert guesses == [401] * 4 + [429]
    elsewhere = {"x-forwarded-for": "203.0.113.9"}
    assert _log_in(backend.url, person.email, **elsewhere).status_code == 200


def test_the_page_can_say_whose_address_it_is_but_only_signed(
    make_backend: Callable[..., BackendProcess],
) -> None:
    from app.accounts.address import signature

    backend = make_backend(LOGIN_FAILURES_PER_ADDRESS="2")
    now = str(int(time.time()))

    def guess(address: str, moment: str, signed: str) -> int:
        header = {"x-client-address": f"{address};t={moment};s={signed}"}
        return _log_in(backend.url, f"{address}-{moment}@example.org", "guess", **header).status_code

    forged = [guess(f"198.51.100.{number}", now, "0" * 64) for number in range(3)]
    assert forged == [401, 401, 429]
    assert guess("198.51.100.1", now, signature(JWT_SECRET, "198.51.100.1", now)) == 401
    old = str(int(time.time()) - 3600)
    assert guess("198.51.100.2", old, signature(JWT_SECRET, "198.51.100.2", old)) == 429
