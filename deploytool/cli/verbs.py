"""The verbs, where each one lives, and what `chatbot --help` says. Plain data: help imports nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: the module in cli/ that holds it, and a line of help."""

    name: str
    module: str
    summary: str
    group: str


PREPARE, RUN, LOOK = "Getting ready", "Running it", "Looking at it"

VERBS = (
    Verb("setup", "setup", "make this machine able to run the stack", PREPARE),
    Verb("doctor", "doctor", "check machine, engine and settings, each with a remedy", PREPARE),
    Verb("config", "config", "show the settings, their schema, and where a value comes from", PREPARE),
    Verb("render", "render", "write the bundle: compose.yaml, Dockerfiles, proxy configuration", PREPARE),
    Verb("build", "build", "build the images", RUN),
    Verb("plan", "plan", "say what a deploy would change, and why", RUN),
    Verb("deploy", "deploy", "make the environment run what its settings say", RUN),
    Verb("down", "down", "take the stack away; the data stays unless --volumes", RUN),
    Verb("status", "status", "what runs, what it uses, whether it is what was deployed", LOOK),
    Verb("logs", "logs", "what the services print", LOOK),
    Verb("exec", "execute", "run a command inside a service", LOOK),
    Verb("version", "version", "the version of this tool", LOOK),
)

EXIT_CODES = (
    (0, "done"),
    (1, "internal error"),
    (2, "usage or settings (plan --detailed-exitcode: changes)"),
    (3, "partly done"),
    (4, "a gate or build failed; what ran before runs on"),
    (5, "taking back failed too: a person is needed"),
    (6, "engine unreachable"),
    (7, "not supported by this engine"),
    (8, "locked by somebody else"),
    (130, "interrupted"),
)


def exit_codes() -> str:
    """The exit codes as a paragraph for the end of a help text."""
    return "Exit codes: " + " · ".join(f"{code} {words}" for code, words in EXIT_CODES) + "."


def overview(width: int) -> list[str]:
    """What `chatbot --help` says."""
    import textwrap

    lines = [
        "Usage: chatbot COMMAND [ENV] [OPTIONS]",
        "",
        "  Takes an AI chatbot from a bare machine to a healthy stack, and keeps it there.",
        "  ENV names a file environments/<ENV>.yaml; without it: local.",
    ]
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines += ["", f"{group}:"]
        lines += [f"  {verb.name:<10} {verb.summary}" for verb in VERBS if verb.group == group]
    lines += [
        "",
        "Options of every command:",
        "  ENV, -e, --env ENV   the environment",
        "  --json               machine-readable output, errors too",
        "  --project-dir DIR    the project, if not the nearest folder with environments/",
        "  --debug              a traceback with internal errors",
        "  -h, --help           help of a command: chatbot COMMAND --help",
        "",
        "Completion: chatbot --install-completion, or --show-completion.",
        "",
    ]
    return lines + textwrap.wrap(
        exit_codes(), min(width, 100), subsequent_indent="  ", break_on_hyphens=False
    )
