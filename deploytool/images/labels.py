"""Labels of the images built here: the OCI annotations, and what a later run asks of an image.

Source: github.com/opencontainers/image-spec, annotations.md. They are set when an image is built and have
no part in its tag or in BuildKit's cache: a commit that changes no file of a context rebuilds nothing.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploytool.images.files import walk

_OCI = "org.opencontainers.image."
BASE_LABEL = "io.chatbot.base."
"""With a build argument's name: the reference that the base image really had."""
_GIT_SECONDS = 5.0
# A remote's address may carry a password: https://user:secret@host/path.
_PASSWORD = re.compile(r"(?<=//)[^/@]+@")


def image_labels(
    *,
    project_dir: Path,
    version: str,
    title: str,
    environment: Mapping[str, str],
    context: Path | None = None,
    base_images: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The labels of one image.

    `created` is the time of the source, not of the build, so that the same source gives the same image:
    SOURCE_DATE_EPOCH, else the commit's date, else the newest file of the context. `base_images` maps build
    arguments to the references used.
    """
    found = {f"{_OCI}title": title, f"{_OCI}version": version}
    commit, _, date = _git(project_dir, "log", "-1", "--format=%H %cI").partition(" ")
    if commit:
        # Only what lies in the context makes it differ from the commit.
        changed = _git(project_dir, "status", "--porcelain", "--", str(context or project_dir))
        found[f"{_OCI}revision"] = f"{commit}-dirty" if changed else commit
    source = _git(project_dir, "remote", "get-url", "origin")
    if source:
        found[f"{_OCI}source"] = _PASSWORD.sub("", source)
    created = _created(environment, date, context)
    if created:
        found[f"{_OCI}created"] = created
    for argument, reference in (base_images or {}).items():
        found[f"{BASE_LABEL}{argument}"] = reference
    return found


def _created(environment: Mapping[str, str], commit_date: str, context: Path | None) -> str:
    epoch = environment.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return _text(int(epoch))
    if commit_date:
        return _text(datetime.fromisoformat(commit_date).timestamp())
    times = [entry.path.stat().st_mtime for entry in walk(context) if entry.kind == "file"] if context else []
    return _text(max(times)) if times else ""


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _git(folder: Path, *arguments: str) -> str:
    """git's answer; empty where there is no git, no repository or no answer in time."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
