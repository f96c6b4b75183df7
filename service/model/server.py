"""Serves the model in /models behind an OpenAI-compatible API: port 8080, paths under /v1, health at /health.

Everything that can be tuned is an environment variable `MODEL_…` (see `limits_from`). A value that makes no
sense, a processor that cannot run the model, or missing weights stop the start with one clear line on stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from gate import HEAD_BYTES, Gate
from machine import missing_processor_features, usable_processors

MODELS = Path(os.environ.get("MODEL_DIRECTORY", "/models"))
TEMPLATE = Path(__file__).with_name("chat_template.jinja")
# Only for chats without a system message. "Say so" keeps the standard model from inventing some answers.
SYSTEM_PROMPT = (
    "You are Chatbot, a small language model running on the owner's own server. "
    "Answer briefly and plainly. When you do not know something, say so."
)
# Where a request names none. The runtime's 0.8 makes models this small wander.
TEMPERATURE = 0.5

# 78 is EX_CONFIG of sysexits.h: restarting does not help until somebody changes something.
EXIT_CONFIGURATION = 78


class Runtime(Protocol):
    """The part of the native server that is used here."""

    listening_address: str


class StartError(Exception):
    """The model can't be served here; the message is one line for the operator."""


@dataclass(frozen=True)
class Limits:
    """What one container may do. Tokens are the model's own; memory grows with slots x context."""

    port: int
    slots: int
    waiting: int
    context_tokens: int
    answer_tokens: int
    threads: int
    prompt_cache_mebibytes: int
    drain_seconds: int


def whole_number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Read `name` as a whole number between `least` and `most`; raise StartError otherwise."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    # int() would also take "1_000" and "٣"; an operator who writes those made a mistake.
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise StartError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)


def limits_from(environment: Mapping[str, str]) -> Limits:
    """Read the limits from `MODEL_…` variables; raise StartError for a value outside its range."""
    return Limits(
        port=whole_number(environment, "MODEL_PORT", 8080, 1, 65535),
        # Two chats at once; more share the same processors, so each gets slower.
        slots=whole_number(environment, "MODEL_SLOTS", 2, 1, 16),
        waiting=whole_number(environment, "MODEL_WAITING", 6, 0, 256),
        context_tokens=whole_number(environment, "MODEL_CONTEXT_TOKENS", 4096, 512, 32768),
        answer_tokens=whole_number(environment, "MODEL_ANSWER_TOKENS", 512, 16, 8192),
        # More threads than the container may use at once get throttled in the middle of a token.
        threads=whole_number(environment, "MODEL_THREADS", min(usable_processors(), 8), 1, 128),
        prompt_cache_mebibytes=whole_number(environment, "MODEL_PROMPT_CACHE_MEBIBYTES", 128, 0, 8192),
        # Below the 10 s after which Docker kills what still runs, unless told otherwise.
        drain_seconds=whole_number(environment, "MODEL_DRAIN_SECONDS", 8, 0, 600),
    )


def api_key_from(environment: Mapping[str, str], secrets: Path = Path("/run/secrets")) -> str:
    """Return the key that clients must send, or "" for none; a variable wins over the secret file."""
    if environment.get("MODEL_API_KEY"):
        return environment["MODEL_API_KEY"]
    try:
        return (secrets / "MODEL_API_KEY").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise StartError(f"the secret MODEL_API_KEY cannot be read: {problem.strerror}") from problem


def read_model(models: Path) -> dict[str, str]:
    """Return what /models/model.json says of the weights (written by fetch_weights.py at build time)."""
    try:
        model: dict[str, str] = json.loads((models / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise StartError(
            f"{models}/model.json cannot be read; build the image again ({problem})"
        ) from problem
    if not (models / "model.gguf").is_file():
        raise StartError(f"{models}/model.gguf is missing; build the image again")
    return model


def start(limits: Limits, model: Mapping[str, str], environment: Mapping[str, str]) -> Runtime:
    """Load the weights and listen on the loopback interface; the runtime stops when it is deleted.

    Raises StartError when the runtime refuses (weights it can't read, not enough memory).
    """
    # Threads that wait for each other by spinning get nowhere when other services need the processors too:
    # on two overloaded cores three short answers of tiny took over 100 s without this, 7 to 25 s with it.
    # Read once, when the runtime is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Imported late: on a processor without AVX2 the import itself ends in SIGILL, without a word.
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(MODELS / "model.gguf")
    parameters.model_alias = {model["alias"]}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_parallel = limits.slots
    parameters.n_ctx = limits.context_tokens * limits.slots
    parameters.n_predict = limits.answer_tokens
    parameters.cpuparams.n_threads = limits.threads
    parameters.cpuparams_batch.n_threads = limits.threads
    # One per request that the gate lets through, and a few for short ones: its own default is the processors.
    parameters.n_threads_http = limits.slots + limits.waiting + 4
    # A repacked second copy of the weights would cost 0.6 GB of memory.
    parameters.no_extra_bufts = True
    parameters.cache_ram_mib = limits.prompt_cache_mebibytes
    parameters.sampling.temp = TEMPERATURE
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 1
    key = api_key_from(environment)
    if key:
        parameters.api_keys = [key]
    parameters.chat_template = chat_template(environment.get("MODEL_SYSTEM_PROMPT") or SYSTEM_PROMPT)
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as problem:
        raise StartError(f"the model could not be loaded: {problem}") from problem


def chat_template(system_prompt: str) -> str:
    """Return the ChatML template of both models with our own words where a chat has no system message.

    Their own templates would introduce the model as Qwen or SmolLM.
    """
    template = TEMPLATE.read_text(encoding="utf-8")
    # json.dumps writes a string that Jinja reads back as the same string.
    return template.replace("@DEFAULT_SYSTEM_PROMPT@", json.dumps(system_prompt, ensure_ascii=False))


async def answer(limits: Limits, runtime: Runtime, host: str, ready: str) -> None:
    """Relay requests until SIGTERM or SIGINT, then let running answers end for `limits.drain_seconds`."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    inner = urlsplit(runtime.listening_address)
    gate = Gate(
        (inner.hostname or "127.0.0.1", inner.port or 0),
        limits.slots,
        limits.waiting,
        limits.answer_tokens,
        say,
    )
    try:
        listener = await asyncio.start_server(gate.serve, host, limits.port, limit=HEAD_BYTES)
    except OSError as problem:
        raise StartError(f"port {limits.port} cannot be opened: {problem.strerror}") from problem
    say(ready)
    await stop.wait()
    say(f"model: stopping, {gate.generations} answers are running")
    stop.clear()
    second_signal = asyncio.create_task(stop.wait())
    drained = asyncio.create_task(gate.drained(limits.drain_seconds))
    await asyncio.wait({second_signal, drained}, return_when=asyncio.FIRST_COMPLETED)
    second_signal.cancel()
    drained.cancel()
    listener.close()


def say(text: str) -> None:
    """Write one line that reaches the container's log at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def stop_at_once(_number: int, _frame: object) -> None:
    """Leave while nothing is served yet."""
    say("model: stopped before it was ready")
    os._exit(0)


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0, or 78 when the start makes no sense."""
    # Loading holds the interpreter for seconds, so a handler of ours would have to wait for its end; the
    # default ends the process at once, except process 1 of a container without an init, which ignores it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_at_once if os.getpid() == 1 else signal.SIG_DFL)
    try:
        limits = limits_from(os.environ)
        missing = missing_processor_features()
        if missing:
            raise StartError(
                f"this processor lacks {', '.join(missing)}, which the local model needs; "
                "use another machine, or set OPENAI_API_KEY or OPENAI_BASE_URL instead"
            )
        model = read_model(MODELS)
        runtime = start(limits, model, os.environ)
        if model.get("fallback"):
            say(f"model: this is {model['name']}, because {model['fallback']}")
        ready = (
            f"model: {model['alias']} ({model['name']}) answers on port {limits.port}: {limits.slots} "
            f"chats, {limits.waiting} may wait, {limits.context_tokens} tokens each; {limits.threads} threads"
        )
        # Every interface: the container's network decides who reaches it.
        asyncio.run(answer(limits, runtime, os.environ.get("MODEL_HOST") or "0.0.0.0", ready))  # noqa: S104
    except StartError as problem:
        say(f"model: cannot start: {problem}")
        return EXIT_CONFIGURATION
    del runtime
    return 0


if __name__ == "__main__":
    sys.exit(main())
