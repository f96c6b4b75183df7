"""Loading one environment: read the layers, merge, derive, check. The only reader of `environments/`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deploytool.errors import EnvironmentMissing, SettingsError
from deploytool.settings.documents import Document, read_document
from deploytool.settings.fields import ENVIRONMENT_PATTERN
from deploytool.settings.layers import merge, variable_documents
from deploytool.settings.model import Settings
from deploytool.settings.problems import Problem, from_validation, nearest, raise_problems
from deploytool.settings.resolve import derive, has_other_model, resolve
from deploytool.settings.rules import broken_rules

FOLDER = "environments"
BASE = "base"


@dataclass(frozen=True, slots=True)
class Layers:
    """An environment before it is checked: documents lowest first, and the tree they make together."""

    environment: str
    documents: tuple[Document, ...]
    tree: dict[str, Any]


def load_settings(
    environment: str,
    project_dir: Path,
    variables: Mapping[str, str] | None = None,
    secret_names_present: frozenset[str] = frozenset(),
) -> Settings:
    """The effective settings of an environment.

    `variables` stand for the process's environment (default: `os.environ`); only `CHATBOT__…` count.
    `secret_names_present` are the names of secrets that have a value; the values never come here.
    Raises EnvironmentMissing, or SettingsError with file and line for everything that is wrong.
    """
    return check(read_layers(environment, project_dir, variables, secret_names_present))


def environments(project_dir: Path) -> list[str]:
    """Names of the environments that have a file, sorted."""
    folder = environments_dir(project_dir)
    names = {
        path.stem for path in folder.glob("*.yaml") if re.fullmatch(ENVIRONMENT_PATTERN, path.stem, re.ASCII)
    }
    return sorted(names - {BASE})


def environments_dir(project_dir: Path) -> Path:
    """The project's `environments/`, or the one that comes with the tool when it has none."""
    own = project_dir / FOLDER
    return own if own.is_dir() else packaged_dir()


def packaged_dir() -> Path:
    """The `environments/` of the wheel or of the checkout."""
    package = Path(__file__).resolve().parents[1]
    bundled = package / "_bundled" / FOLDER
    return bundled if bundled.is_dir() else package.parent / FOLDER


def read_layers(
    environment: str,
    project_dir: Path,
    variables: Mapping[str, str] | None = None,
    secret_names_present: frozenset[str] = frozenset(),
) -> Layers:
    """Read and merge without checking; `explain` looks at the layers one by one."""
    folder = environments_dir(project_dir)
    path = folder / f"{environment}.yaml"
    if (
        environment == BASE
        or re.fullmatch(ENVIRONMENT_PATTERN, environment, re.ASCII) is None
        or not path.is_file()
    ):
        raise _missing(environment, project_dir)
    base = folder / f"{BASE}.yaml"
    files = [base if base.is_file() else packaged_dir() / f"{BASE}.yaml", path]
    documents = [read_document(file, f"{FOLDER}/{file.name}") for file in files]
    documents += variable_documents(os.environ if variables is None else variables, merge(documents))
    written = merge(documents)
    raise_problems(_reserved(written), documents)
    derived = derive(written, environment, secret_names_present)
    documents.insert(0, derived)
    tree = resolve(
        merge(documents),
        other_model=has_other_model(written, secret_names_present),
        secret_names_present=secret_names_present,
    )
    return Layers(environment, tuple(documents), tree)


def check(layers: Layers) -> Settings:
    """Validate a merged tree; every problem at once."""
    try:
        settings = Settings.model_validate(layers.tree)
    except ValidationError as error:
        problems = from_validation(error)
        raise_problems(problems, layers.documents)
        raise  # pragma: no cover - a ValidationError always holds an error
    raise_problems(broken_rules(settings), layers.documents)
    return settings


def _reserved(written: Mapping[str, Any]) -> list[Problem]:
    if "environment" in written:
        return [Problem(("environment",), "`environment` cannot be set: it is the name of the file")]
    return []


def _missing(environment: str, project_dir: Path) -> SettingsError:
    known = environments(project_dir)
    meant = nearest(environment, known)
    listed = ", ".join(known) or "none"
    hint = f"did you mean `{meant}`? " if meant else ""
    return EnvironmentMissing(
        f"there is no environment `{environment}`; there are: {listed}",
        where=f"{FOLDER}/{environment}.yaml",
        hint=f"{hint}a new one is a file {FOLDER}/<name>.yaml",
    )
