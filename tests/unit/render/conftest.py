"""Settings to render: the shipped environments, and made-up ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from deploytool.settings import Settings, load_settings

REPOSITORY = Path(__file__).parents[3]
TEMPLATES = REPOSITORY / "templates"
ENVIRONMENTS = ("local", "staging", "prod")

# Everything that can stand in a container's variable: no zero byte, no half of a surrogate pair.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
TRICKY_TEXTS = st.sampled_from(
    [
        *("", "yes", "No", "null", "~", "1.10", "012", "0x1F", "1e3", "a: b", "# no", "- x", "{a}", "[b"),
        *("$HOME", "${X:-y}", "$$", "'", '"', "\\", "\n", "a\nb\n", "\t", " padded ", "\u2028", "\x85"),
        *("\x7f", "\ufeff", "😀", "!!str", "&a", "*a", "%x"),
    ]
)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda name: name not in {"http", "https"}
)
VARIABLES = st.dictionaries(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True), st.one_of(TEXT, TRICKY_TEXTS), max_size=4
)
SECONDS = st.integers(1, 600).map(lambda count: f"{count}s")


@st.composite
def services(draw: st.DrawFn) -> dict[str, object]:
    """One service as an operator would write it; always valid by itself."""
    memory = draw(st.integers(6, 4096))
    service: dict[str, object] = {
        "image": draw(
            st.sampled_from(["redis:7-alpine", "example/web@sha256:" + "0" * 64, "localhost:5000/a/b:c"])
        ),
        "user": "1000:1000",
        "environment": draw(VARIABLES),
        "labels": {f"example.{key.lower()}": value for key, value in draw(VARIABLES).items()},
        "command": draw(st.one_of(st.none(), st.lists(st.one_of(TEXT, TRICKY_TEXTS), max_size=3).map(tuple))),
        "replicas": draw(st.integers(0, 5)),
        "limits": {
            "memory": f"{memory}M",
            "cpus": draw(st.integers(1, 64)) / 8,
            "pids": draw(st.integers(1, 1000)),
        },
        "reservations": {"memory": f"{draw(st.integers(1, memory))}M"},
        "stop_grace_period": draw(SECONDS),
        "update_config": {
            "order": draw(st.sampled_from(["start-first", "stop-first"])),
            "delay": draw(SECONDS),
        },
        "writable_root": draw(st.booleans()),
        "init": draw(st.booleans()),
        "volumes": draw(
            st.lists(NAMES, max_size=1).map(lambda names: tuple(f"v{name}:/d" for name in names))
        ),
        "secrets": tuple(draw(st.lists(st.sampled_from(["ONE", "TWO"]), unique=True))),
        "healthcheck": draw(
            st.one_of(
                st.none(),
                st.fixed_dictionaries(
                    {
                        "path": st.just("/health"),
                        "port": st.just(80),
                        "tool": st.sampled_from(["wget", "node"]),
                    }
                ),
                st.fixed_dictionaries({"command": st.one_of(TEXT, TRICKY_TEXTS).filter(bool)}),
            )
        ),
    }
    return {key: value for key, value in service.items() if value is not None}


@st.composite
def settings_strategy(draw: st.DrawFn) -> Settings:
    """A whole environment of made-up services."""
    made = draw(st.dictionaries(NAMES.map(lambda name: f"s{name}"), services(), max_size=3))
    return Settings.model_validate({"environment": "test", "project": draw(NAMES), "services": made})


@pytest.fixture(params=ENVIRONMENTS)
def shipped(request: pytest.FixtureRequest) -> Settings:
    return load_settings(request.param, REPOSITORY, {})


@pytest.fixture
def local() -> Settings:
    return load_settings("local", REPOSITORY, {})
