"""A real Chromium, and the frontend's own image in front of a backend.

The page is met in three ways: on the stack that `chatbot deploy` made (`frontend_url` in tests/conftest.py),
on the same image in front of the real backend with a scripted model provider (`faulty_url`), and in front of
a scripted backend, which misbehaves at one exact word (`scripted_page`).
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from backend_support.servers import JWT_SECRET

from .scripted_backend import Scripted, create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Without the background flags Chromium looks for the internet, which a test machine may not have.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 15_000
QUIET_CHROMIUM = Path(__file__).with_name("quiet_chromium.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


# Not for the session: while it is there, an event loop runs in this thread, and tests of other folders that
# the same worker does afterwards could not have one of their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=QUIET_CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


OpenPage = Callable[..., "Page"]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Opens pages in browsers of their own; at the end none may have thrown or broken the security policy."""
    contexts: list[Any] = []
    broken: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: broken.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None,
        )

    def open_one(base_url: str, **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 860})
        context = chromium.new_context(base_url=base_url, **options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.on("page", watch)
        contexts.append(context)
        page: Page = context.new_page()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not broken, broken


@dataclass
class Served:
    """A scripted backend that listens, and what it is scripted to do."""

    port: int
    script: Scripted
    frontend_url: str = ""
    _apps: dict[str, Any] = field(default_factory=dict)

    def reset(self) -> Scripted:
        """A new script for the next test; connections go on to the same address."""
        self.script = Scripted()
        self._apps["now"] = create_app(self.script)
        return self.script

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._apps["now"](scope, receive, send)


@pytest.fixture(scope="session")
def frontend_image(request: pytest.FixtureRequest) -> str:
    """The image that the deployed stack runs, or the one that CHATBOT_TEST_FRONTEND_IMAGE names."""
    named = os.environ.get("CHATBOT_TEST_FRONTEND_IMAGE")
    if named:
        return named
    import docker

    stack = request.getfixturevalue("deployed_stack").stack
    labels = [f"com.docker.compose.project={stack}", "com.docker.compose.service=frontend"]
    client = docker.from_env()
    try:
        image: str = client.containers.list(filters={"label": labels})[0].attrs["Image"]
        return image
    finally:
        client.close()


def start_page(client: Any, image: str, port: int, backend_url: str) -> Any:
    """The frontend's image, locked down as in a deployment, healthy at a port of this machine."""
    environment = {
        "BACKEND_URL": backend_url,
        "JWT_SECRET": JWT_SECRET,
        "HOSTNAME": "127.0.0.1",
        "PORT": str(port),
    }
    container = client.containers.run(
        image,
        detach=True,
        network_mode="host",
        environment=environment,
        user="1001:1001",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit="512m",
        init=True,
        labels={"io.chatbot.test": "page"},
    )

    def healthy() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(healthy, "the page's health")
    return container


@pytest.fixture(scope="session")
def serve_page(frontend_image: str) -> Iterator[Callable[[str], str]]:
    """Starts the frontend's image, locked down as in a deployment, in front of a backend on this machine."""
    import docker

    client = docker.from_env()
    containers: list[Any] = []

    def serve(backend_url: str) -> str:
        port = free_port()
        container = start_page(client, frontend_image, port, backend_url)
        containers.append(container)
        return f"http://127.0.0.1:{port}"

    yield serve
    for container in containers:
        container.remove(force=True)
    client.close()


@pytest.fixture(scope="session")
def scripted_server(serve_page: Callable[[str], str]) -> Iterator[Served]:
    served = Served(port=free_port(), script=Scripted())
    served.reset()
    config = uvicorn.Config(served, host="127.0.0.1", port=served.port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the scripted backend")
    served.frontend_url = serve_page(f"http://127.0.0.1:{served.port}")
    yield served
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def script(scripted_server: Served) -> Scripted:
    """The scripted backend's state, fresh for this test."""
    return scripted_server.reset()


@pytest.fixture
def scripted_url(scripted_server: Served, script: Scripted) -> str:
    return scripted_server.frontend_url


@pytest.fixture
def scripted_page(open_page: OpenPage, scripted_url: str) -> Page:
    """A signed-in page in front of the scripted backend."""
    page = open_page(scripted_url)
    sign_in(page)
    return page


def visit(page: Page, path: str) -> None:
    """Opens a page of the site."""
    page.goto(path)


def sign_in(page: Page) -> None:
    """Logs in through the form, with the account that the scripted backend knows."""
    visit(page, "/login")
    page.get_by_label("Email").fill("ana@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/chat")
    page.get_by_text("What is on your mind?").wait_for()


def sign_up(page: Page, password: str = "a long enough password") -> str:
    """Makes an account through the form, with an address nobody else has, which it returns."""
    email = f"ana-{uuid.uuid4().hex[:10]}@example.org"
    visit(page, "/signup")
    page.get_by_label("Name").fill("Ana")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/chat")
    page.get_by_text("What is on your mind?").wait_for()
    return email
