"""What a stream can show, and how text is fitted to it."""

from __future__ import annotations

import io

import pytest

from deploytool.reporting import terminal
from deploytool.reporting.screen import Screen, harmless, pad, shorten, visible
from deploytool.reporting.tables import Column, table


class Stream(io.StringIO):
    """Text that says what it is."""

    def __init__(self, encoding: str = "utf-8", *, tty: bool = False) -> None:
        super().__init__()
        self._encoding = encoding
        self._tty = tty

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._tty


def screen(**options: object) -> Screen:
    return Screen(
        Stream(), **{"colour": False, "width": 80, "unicode": True, "is_terminal": False, **options}
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "variables", "works"),
    [
        ("utf-8", {}, True),
        ("UTF8", {"LANG": "en_GB.UTF-8"}, True),
        ("utf-8", {"LC_ALL": "C"}, False),
        ("utf-8", {"LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, False),
        ("utf-8", {"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ("utf-8", {"LANG": "de_DE.ISO-8859-1"}, False),
        ("iso8859-1", {"LANG": "en_GB.UTF-8"}, False),
        ("ascii", {}, False),
    ],
)
def test_unicode_only_where_stream_and_locale_have_it(
    encoding: str, variables: dict[str, str], works: bool
) -> None:
    assert terminal.unicode_works(Stream(encoding), variables) is works


def test_no_colour_on_a_pipe_nor_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert terminal.colour_wanted(Stream(tty=True))
    assert not terminal.colour_wanted(Stream(tty=False))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.colour_wanted(Stream(tty=True))
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.colour_wanted(Stream(tty=True))


def test_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    assert terminal.width(Stream(tty=True)) == 132
    monkeypatch.setenv("COLUMNS", "3")
    assert terminal.width(Stream()) == terminal.NARROWEST
    monkeypatch.setenv("COLUMNS", "wide")
    assert terminal.width(Stream()) == terminal.WIDTH_WITHOUT_TERMINAL


def test_styles_add_and_take_nothing() -> None:
    coloured = screen(colour=True)
    assert coloured.style("✔ done", "green", "bold") == "\x1b[32;1m✔ done\x1b[0m"
    assert visible(coloured.style("✔ done", "green")) == 6
    assert screen().style("✔ done", "green") == "✔ done"


def test_ascii_signs_keep_their_place() -> None:
    poor = screen(unicode=False)
    text = "  ✔ wait ≤ 5 s → ● “x” … · █░ ü"
    assert poor.fit(text).isascii()
    assert len(poor.fit(text)) == len(text)


def test_lines_end_without_blanks() -> None:
    one = screen()
    one.line("a   ")
    one.lines(["b  ", "c"])
    assert one.stream.getvalue() == "a\nb\nc\n"  # type: ignore[attr-defined]


def test_wrapping_breaks_no_command() -> None:
    lines = screen(width=40).wrap(
        "then type  chatbot deploy production --yes --message something", "  ", "    "
    )
    assert all(len(line) <= 40 for line in lines)
    assert [line[:2] for line in lines] == ["  "] * len(lines)
    long_word = "environments/" + "x" * 60
    assert long_word in "".join(screen(width=40).wrap(f"see {long_word} there"))


def test_columns_of_wide_and_combining_characters() -> None:
    assert visible("日本") == 4
    assert visible("e\u0301") == 1
    assert pad("日", 4) == "日  "
    assert shorten("日本語", 5) == "日本…"
    assert shorten("short", 5) == "short"


def test_foreign_text_cannot_steer_the_terminal() -> None:
    nasty = "a\x1b[2Jb\x1b]0;title\x07c\x1b[31mred\x1b[0m\rd\x08\x9b2Je\x1b"
    assert harmless(nasty) == "abcredd2Je"


COLUMNS = [
    Column("service", ("backend", "db")),
    Column("memory", ("310 MiB of 2 GiB", "1 MiB"), weight=1),
    Column("restarts", ("0", "12"), weight=2, right=True),
    Column("nothing", ("", "")),
]


def test_a_table() -> None:
    assert table(COLUMNS, screen()) == [
        "  service  memory            restarts",
        "  backend  310 MiB of 2 GiB         0",
        "  db       1 MiB                   12",
    ]


@pytest.mark.parametrize(("width", "kept"), [(40, 3), (30, 2), (20, 1), (4, 1)])
def test_what_weighs_most_goes_first(width: int, kept: int) -> None:
    rows = table(COLUMNS, screen(width=width))
    assert len(rows[0].split()) == kept
    assert rows[0].split()[0] == "service"


def test_an_empty_table() -> None:
    assert table([Column("a", ())], screen()) == []
