"""A tiny shell: enough to tell containers that live from those that end, and what they print.

Knows `true`, `false`, `echo`, `sleep`, `exit`, `cat`, `test -e`, `tail /dev/zero` (eats memory), joined by
`;`, `&&` and `||`, with `>&2` and `exec`. An unknown program runs for ever and prints nothing, as servers do.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FOR_EVER = 1000.0
"""A sleep of this many seconds or more never ends."""

ReadFile = Callable[[str], bytes | None]


@dataclass(slots=True)
class Run:
    """What a command does: output by seconds after its start, and how and when it ends."""

    output: list[tuple[float, str, str]] = field(default_factory=list)
    seconds: float = 0.0
    code: int = 0
    endless: bool = False
    hungry: bool = False
    """It takes memory until it is killed."""

    def text(self) -> bytes:
        """All output, as exec gives it."""
        return "".join(f"{line}\n" for _, _, line in self.output).encode()


def run(command: Sequence[str], read_file: ReadFile) -> Run:
    """What that command does in a container whose files `read_file` gives."""
    done = Run()
    words = list(command)
    script = words[2] if words[:2] in (["sh", "-c"], ["/bin/sh", "-c"]) and len(words) > 2 else None
    if script is None:
        _simple(words, done, read_file)
        return done
    separator = ";"
    for part in re.split(r"(;|&&|\|\|)", script):
        if part in (";", "&&", "||"):
            separator = part
            continue
        skip = (separator == "&&" and done.code) or (separator == "||" and not done.code)
        if not part.strip() or skip:
            continue
        if _simple(shlex.split(part), done, read_file) or done.endless or done.hungry:
            break
    return done


def _simple(words: list[str], done: Run, read_file: ReadFile) -> bool:
    """Run one command; True when it ends the script."""
    stream = "stdout"
    if words[-1:] == [">&2"]:
        words, stream = words[:-1], "stderr"
    if words[:1] == ["exec"]:
        words = words[1:]
    name, rest = (words[0].rsplit("/", 1)[-1] if words else "true"), words[1:]
    done.code = 0
    if name == "echo":
        done.output.append((done.seconds, stream, " ".join(rest)))
    elif name == "false":
        done.code = 1
    elif name == "exit":
        done.code = int(rest[0]) if rest else 0
        return True
    elif name == "sleep":
        length = float(rest[0]) if rest else 0.0
        done.endless = length >= FOR_EVER
        done.seconds += length
    elif name == "cat":
        content = read_file(rest[0]) if rest else b""
        if content is None:
            done.code = 1
            done.output.append((done.seconds, "stderr", f"cat: can't open '{rest[0]}'"))
        else:
            done.output += [(done.seconds, stream, line) for line in content.decode().splitlines()]
    elif name == "test":
        done.code = int(read_file(rest[-1]) is None)
    elif name == "tail" and rest == ["/dev/zero"]:
        done.hungry = True
    elif name == "no-such-program":
        done.code = 127
    elif name != "true":
        done.endless = True
    return False
