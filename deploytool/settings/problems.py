"""What is wrong with the settings, in the operator's words, with place and remedy; all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from deploytool.errors import SettingsError
from deploytool.settings.documents import TEXT_MAPS, Document, KeyPath
from deploytool.settings.layers import locate
from deploytool.settings.paths import known_keys
from deploytool.settings.units import describe

HINT = "chatbot config schema | docs/settings.md"


COMPOSE_WORDS = {
    "read_only": "containers are read-only; `writable_root: true` loosens it",
    "privileged": "no container is privileged; `cap_add` gives single capabilities back",
    "cap_drop": "all capabilities are dropped; `cap_add` gives single ones back",
    "security_opt": "no-new-privileges is on; `allow_new_privileges: true` loosens it",
    "deploy": "write `replicas`, `limits`, `reservations` and `update_config` straight under the service",
    "resources": "write `limits` and `reservations` straight under the service",
    "scale": "did you mean `replicas`?",
    "mem_limit": "did you mean `limits: {memory: …}`?",
    "memory": "did you mean `limits: {memory: …}`?",
    "cpus": "did you mean `limits: {cpus: …}`?",
    "pids_limit": "did you mean `limits: {pids: …}`?",
    "env_file": "write `environment`; secret values belong in environments/<environment>.env.docker",
    "networks": "every service is on the one `network` of the settings",
    "container_name": "containers are called <project>-<environment>-<service>-<number>",
    "expose": "inside the network every port can be reached; the proxy sends traffic to `port`",
    "dockerfile": "did you mean `build: {template: …}`?",
}
"""What stands for a word of Compose that is no setting here."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at a setting's path."""

    path: KeyPath
    message: str
    hint: str = ""
    error: type[SettingsError] = SettingsError
    """What is raised when it is the only one."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty text."""
    matches = get_close_matches(word.casefold(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def raise_problems(problems: Sequence[Problem], documents: Sequence[Document]) -> None:
    """Raise one SettingsError that holds every problem; nothing when there is none."""
    if not problems:
        return
    if len(problems) == 1:
        problem = problems[0]
        raise problem.error(
            problem.message,
            where=locate(documents, problem.path),
            hint=problem.hint or HINT,
            details=(dotted(problem.path),),
        )
    lines = [_line(problem, documents) for problem in problems]
    raise SettingsError(
        f"{len(problems)} settings are wrong",
        where=locate(documents, problems[0].path),
        hint=HINT,
        details=lines,
    )


def _line(problem: Problem, documents: Sequence[Document]) -> str:
    line = f"{locate(documents, problem.path)}  {dotted(problem.path)}: {problem.message}"
    return f"{line}; {problem.hint}" if problem.hint else line


def dotted(path: KeyPath) -> str:
    """`services.backend.limits.memory`."""
    return ".".join(path)


def from_validation(error: ValidationError) -> list[Problem]:
    """Pydantic's findings as problems."""
    return [_problem(found) for found in error.errors(include_url=False)]


def _problem(found: Any) -> Problem:
    path = tuple(str(part) for part in found["loc"] if part != "[key]")
    name, kind, value = (path[-1] if path else ""), found["type"], found["input"]
    if kind == "extra_forbidden":
        return Problem(path, f"unknown setting `{name}`", _remedy(name, path))
    if kind == "missing":
        return Problem(path, f"the setting `{name}` is missing")
    if len(path) > 1 and path[-2] in TEXT_MAPS:
        # Such a value may be a secret in the wrong place: never repeat it.
        reason = (
            str(found["ctx"]["error"])
            if kind == "value_error" and "[key]" in found["loc"]
            else "wants a text"
        )
        return Problem(path, f"`{name}` {reason}")
    if kind == "value_error":
        return Problem(path, f"`{name}` {found['ctx']['error']}")
    if kind == "literal_error":
        choices = [str(choice) for choice in _choices(found["ctx"]["expected"])]
        meant = nearest(str(value), choices)
        hint = f"did you mean `{meant}`?" if meant else ""
        return Problem(path, f"`{name}` is one of {', '.join(choices)}, not {describe(value)}", hint)
    return Problem(path, f"`{name}` {_wants(kind, found.get('ctx', {}))}, not {describe(value)}")


def _remedy(name: str, path: KeyPath) -> str:
    if len(path) == 3 and path[0] == "services" and name in COMPOSE_WORDS:
        return COMPOSE_WORDS[name]
    meant = nearest(name, known_keys(path[:-1]))
    return f"did you mean `{meant}`?" if meant else ""


def _choices(expected: str) -> list[str]:
    words = expected.replace(" or ", ", ").split(", ")
    return [word.strip("'").replace("True", "true").replace("False", "false") for word in words]


_WANTS = {
    "string_type": "wants a text (in quotes if it looks like a number)",
    "int_type": "wants a whole number",
    "int_from_float": "wants a whole number",
    "float_type": "wants a number",
    "bool_type": "wants true or false",
    "dict_type": "wants a map",
    "model_type": "wants a map of settings",
    "model_attributes_type": "wants a map of settings",
    "tuple_type": "wants a list",
}


def _wants(kind: str, context: dict[str, Any]) -> str:
    if kind in _WANTS:
        return _WANTS[kind]
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = context.get("ge", context.get("le"))
        return f"is at {'least' if kind.startswith('greater') else 'most'} {bound}"
    if kind in {"string_too_short", "too_short"}:
        return "must not be empty"
    return "has the wrong form"
