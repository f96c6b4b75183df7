"""A one-line change built anew, beside `docker build` with BuildKit: same Dockerfile and engine, in turns."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.bench.report import Benchmark, Row

PROJECT = Path(__file__).parents[2]
# Which file of a context gets one more line, what a comment looks like there, and how often each side builds.
CHANGED = {"backend": ("app/main.py", "# {}", 24), "frontend": ("app/layout.tsx", "// {}", 5)}


def rebuild_after_a_one_line_change() -> list[Row]:
    import docker

    from deploytool.images.base_images import BaseImages
    from deploytool.images.buildkit import ImageBuild, build_image
    from deploytool.images.certificates import host_bundle
    from deploytool.render import render_dockerfiles
    from deploytool.settings import load_settings, process

    program = _docker()
    settings = load_settings("local", PROJECT)
    dockerfiles = render_dockerfiles(settings, PROJECT / "templates")
    api = docker.APIClient(timeout=600)
    found = BaseImages(api, cache=PROJECT / ".chatbot/cache").ensure(settings.build.base_images)
    bases = {f"{name.upper()}_BASE": image.reference for name, image in found.items()}
    trusted = host_bundle(process.variables())
    rows = []
    images: set[str] = set()
    try:
        for service, (changed, comment, runs) in CHANGED.items():
            with tempfile.TemporaryDirectory(prefix="bench-build-") as scratch:
                context = Path(scratch) / service
                _copy(PROJECT / "service" / service, context)
                (context / ".build").mkdir()
                (context / ".build/ca.crt").write_bytes(trusted)
                dockerfile = Path(scratch) / "Dockerfile"
                dockerfile.write_bytes(dockerfiles[f"{service}.Dockerfile"])
                build = ImageBuild(
                    name=service,
                    tag=f"bench-build/{service}:ours",
                    dockerfile=dockerfile.read_text(),
                    context=context,
                    args=bases,
                    certificates=trusted,
                )

                def ours(build: ImageBuild = build) -> str:
                    return build_image(api, build)

                def theirs(service: str = service, context: Path = context, file: Path = dockerfile) -> str:
                    arguments = [f"--build-arg={name}={value}" for name, value in bases.items()]
                    tag = f"--tag=bench-build/{service}:theirs"
                    done = subprocess.run(
                        [program, "build", "--quiet", tag, f"--file={file}", *arguments, str(context)],
                        env={**os.environ, "DOCKER_BUILDKIT": "1"},
                        check=True,
                        capture_output=True,
                        text=True,
                    )
                    return done.stdout.strip()

                our_time, their_time, made = _in_turns(context / changed, comment, runs, ours, theirs)
                images |= made
                rows.append(
                    Row(
                        f"{service}, one line changed",
                        our_time,
                        "s",
                        1.1,
                        their_time,
                        "docker build (BuildKit)",
                    )
                )
    finally:
        for image in images:
            with suppress(docker.errors.APIError):
                api.remove_image(image, force=True)
        api.close()
    return rows


def nothing_changed() -> list[Row]:
    """What every deploy pays to know that no image needs building."""
    from deploytool.images.content import content_digest
    from tests.bench.report import median_seconds

    def digests() -> None:
        for service in ("backend", "frontend", "model"):
            content_digest(dockerfile="", context=PROJECT / "service" / service)

    return [Row("content addresses of three contexts", median_seconds(digests) * 1000, "ms", 50.0)]


def _in_turns(
    file: Path, comment: str, runs: int, ours: Callable[[], str], theirs: Callable[[], str]
) -> tuple[float, float, set[str]]:
    """The best of both and the images made; each run follows a change, one uncounted turn fills the caches.

    The best and not the median: the compiling step takes seconds either way, and what else the machine
    does meanwhile would decide which side wins.
    """
    original = file.read_text()
    taken: dict[int, list[float]] = {0: [], 1: []}
    made: set[str] = set()
    for turn in range(runs + 1):
        sides = ((0, ours), (1, theirs))
        for side, action in sides if turn % 2 else reversed(sides):
            file.write_text(f"{original}\n{comment.format(f'{time.time_ns()} {side}')}\n")
            began = time.perf_counter()
            made.add(action())
            if turn:
                taken[side].append(time.perf_counter() - began)
    return min(taken[0]), min(taken[1]), made


def _copy(source: Path, target: Path) -> None:
    """The files that a build sees, and the `.dockerignore` that the docker command reads."""
    from deploytool.images.files import walk

    target.mkdir()
    for entry in walk(source):
        place = target / entry.name
        if entry.kind == "folder":
            place.mkdir(exist_ok=True)
        elif entry.kind == "file":
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry.path, place)
    with suppress(FileNotFoundError):
        shutil.copy2(source / ".dockerignore", target / ".dockerignore")


def _docker() -> str:
    """A docker command that builds with BuildKit: newer ones need the buildx plug-in for it."""
    for program in ("docker", "/usr/bin/docker"):
        path = shutil.which(program)
        if path and ("20.10" in _answer(path, "--version") or "buildx" in _answer(path, "buildx", "version")):
            return path
    raise RuntimeError("there is no docker command here that can build with BuildKit")


def _answer(*arguments: str) -> str:
    return subprocess.run(arguments, capture_output=True, text=True, check=False).stdout


BENCHMARKS: list[Benchmark] = [rebuild_after_a_one_line_change, nothing_changed]
