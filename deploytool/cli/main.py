"""The entry point of `chatbot`: run a verb, catch everything in one place, exit with the right code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from deploytool.errors import ChatbotError, ExitCode, Interrupted, UsageError
from deploytool.reporting import documents, terminal
from deploytool.reporting import errors as error_report
from deploytool.reporting.screen import err, out

HELP = ("-h", "--help", "help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Most commands end within half a second; with its default (700) the collector would take a tenth of it.
    gc.set_threshold(100_000, 50, 50)
    _end_like_ctrl_c()
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except BaseException as error:
        return _end(error, words)


def _run(words: list[str]) -> int:
    if (not words or (len(words) == 1 and words[0] in HELP)) and not terminal.variable("_CHATBOT_COMPLETE"):
        from deploytool.cli.verbs import overview

        screen = out()
        screen.lines(overview(screen.width))
        return ExitCode.DONE
    if words[0:1] == ["help"]:
        words = [*words[1:], "--help"]
    from deploytool.cli.application import build_application

    application = build_application()
    if terminal.variable("_CHATBOT_COMPLETE"):
        return int(application.main(words, prog_name="chatbot") or 0)
    with application.make_context("chatbot", words) as context:
        return int(application.invoke(context) or 0)


def _end_like_ctrl_c() -> None:
    """Let SIGTERM and a closed terminal be what Ctrl-C is: what was begun is taken back."""

    def interrupt(number: int, frame: object) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A caller that ignores the signal (nohup) or handles it itself is left alone.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with suppress(ValueError):  # not the main thread
                signal.signal(number, interrupt)


def _end(error: BaseException, words: Sequence[str]) -> int:
    """Say what went wrong, once, and give the exit code."""
    if isinstance(error, BrokenPipeError):
        return _nobody_reads()
    code = _exit_requested(error)
    if code is not None:
        return code
    before_command = list(words[: words.index("--")] if "--" in words else words)
    shown = _in_our_words(error)
    try:
        if _debugging(before_command) and not isinstance(error, (Interrupted, KeyboardInterrupt)):
            import traceback

            err().line("".join(traceback.format_exception(error)))
        if "--json" in before_command:
            documents.write(error_report.as_data(shown))
        else:
            screen = err()
            screen.lines(error_report.lines(shown, screen))
    except BrokenPipeError:
        _nobody_reads()
    return int(shown.exit_code)


def _exit_requested(error: BaseException) -> int | None:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if "typer" in sys.modules:
        import typer

        if isinstance(error, typer.Exit):
            return error.exit_code
    return None


def _in_our_words(error: BaseException) -> ChatbotError:
    if isinstance(error, ChatbotError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("interrupted")
    if "typer" in sys.modules:
        import typer
        from typer.exceptions import TyperException

        if isinstance(error, typer.Abort):
            return Interrupted("interrupted")
        if isinstance(error, TyperException):
            context = getattr(error, "ctx", None)
            path = context.command_path if context else "chatbot"
            message = error.format_message().rstrip(".")
            return UsageError(_plain(message[:1].lower() + message[1:]), hint=f"{path} --help")
    if isinstance(error, EOFError):
        return Interrupted("the input ended before the question was answered")
    return ChatbotError(
        f"internal error: {type(error).__name__}: {error}".splitlines()[0],
        hint="please report it, with the output of the same command and --debug",
    )


_THEIRS = (
    (r"'([^']*)'", r"`\1`"),
    (r"is not a valid int(eger)?( range)?", "is no whole number"),
    (r"is not a valid float( range)?", "is no number"),
    (r"is not in the range x>=(.*)", r"is less than \1"),
    (r"got unexpected extra argument(?:\(s\))? \((.*)\)", r"unexpected: \1"),
)
"""Typer's words for wrong values, and ours."""


def _plain(message: str) -> str:
    import re

    for theirs, ours in _THEIRS:
        message = re.sub(theirs, ours, message)
    return message


def _debugging(words: Sequence[str]) -> bool:
    return "--debug" in words or terminal.variable("CHATBOT_DEBUG") == "1"


def _nobody_reads() -> int:
    """The reader went away (`chatbot logs | head`): no error, and none from the interpreter's last flush."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - must outlive this function
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
