"""What holds for every test of the project."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import hypothesis
import pytest
from support import projects

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("shared-machine", deadline=None)
hypothesis.settings.load_profile("shared-machine")

# A shell starts what it puts into the background with Ctrl-C ignored, and every child would inherit that: the
# tests that interrupt a command would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def deployed_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[projects.Project]:
    """The whole stack, deployed once by the command itself for all tests that leave it as it is.

    Each of pytest-xdist's workers has one of its own: projects share no names and no ports.
    """
    made = projects.make(tmp_path_factory.mktemp("deployed"))
    try:
        made.chatbot("deploy", "local", "--message", "for the tests")
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def frontend_url(deployed_stack: projects.Project) -> str:
    """Where the page answers."""
    return deployed_stack.frontend_url


@pytest.fixture(scope="session")
def backend_url(deployed_stack: projects.Project) -> str:
    """Where the API answers."""
    return deployed_stack.backend_url
