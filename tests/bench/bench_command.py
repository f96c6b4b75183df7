"""The command beside Docker's own, on the same engine, the same images and the same bundle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import docker
from support import projects

from tests.bench.report import Row, median_seconds

COMPOSE = Path(sys.executable).with_name("docker-compose")
ARCHITECTURE_MEGABYTES = {"frontend": 150, "backend": 200}
"""What the architecture expects of the images, base included."""
ABOVE_BASE = {"frontend": ("NODE_BASE", 25.0), "backend": ("PYTHON_BASE", 75.0)}
MEGABYTE = 1_000_000


def execute(*command: str | Path, directory: Path, variables: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=directory,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def seconds(action: object) -> float:
    began = time.perf_counter()
    assert callable(action)
    action()
    return time.perf_counter() - began


@contextmanager
def project() -> Iterator[projects.Project]:
    """A throwaway project."""
    with tempfile.TemporaryDirectory(prefix="chatbot-bench-") as folder:
        made = projects.make(Path(folder), f"chatbotbench{os.getpid()}")
        try:
            yield made
        finally:
            made.remove()


def help_text() -> list[Row]:
    taken = median_seconds(
        lambda: execute(projects.CHATBOT, "--help", directory=projects.REPOSITORY), runs=15, warm_up=3
    )
    bare = median_seconds(
        lambda: execute(sys.executable, "-c", "", directory=projects.REPOSITORY), runs=15, warm_up=3
    )
    return [Row("chatbot --help", taken, "s", 0.15, note=f"bare interpreter {bare:.3f} s")]


def deploy_and_status() -> list[Row]:
    """Deploys and status on the real stack, first with `chatbot`, then with Compose on the same bundle."""
    with project() as made:
        made.chatbot("deploy", "local")
        nothing = median_seconds(lambda: made.chatbot("deploy", "local"))
        status = median_seconds(lambda: made.chatbot("status", "local"))
        images = image_sizes(made)
        made.chatbot("down", "local", "--yes")
        first = seconds(lambda: made.chatbot("deploy", "local"))
        made.chatbot("down", "local", "--yes")

        bundle = made.directory / "bundle"
        made.chatbot("render", "local", "--out", str(bundle))

        def compose(*words: str) -> str:
            return execute(COMPOSE, "-p", made.stack, "-f", "compose.yaml", *words, directory=bundle)

        def look() -> None:
            compose("ps")
            names = compose("ps", "--quiet").split()
            execute("docker", "stats", "--no-stream", *names, directory=bundle)

        try:
            other_first = seconds(lambda: compose("up", "-d", "--wait"))
            running = len(compose("ps", "--quiet").split())
            assert running == 4, f"{running} of 4 containers run under Compose: nothing to compare with"
            other_nothing = median_seconds(lambda: compose("up", "-d", "--wait"))
            other_status = median_seconds(look, runs=3)
        finally:
            compose("down")
    return [
        Row("deploy, nothing to do", nothing, "s", 1.0, other_nothing, "compose up -d --wait"),
        Row("first deploy to healthy (interval 30 s)", first, "s", 0.2, other_first, "compose up -d --wait"),
        Row("status", status, "s", 0.5, other_status, "compose ps + docker stats"),
        *images,
    ]


def image_sizes(made: projects.Project) -> list[Row]:
    client = docker.from_env()
    rows = []
    for service in ("frontend", "backend"):
        image = client.images.list(filters={"reference": f"{made.name}/{service}"})[0]
        argument, bound = ABOVE_BASE[service]
        base = client.images.get(image.labels[f"io.chatbot.base.{argument}"])
        whole = image.attrs["Size"] / MEGABYTE
        above = whole - base.attrs["Size"] / MEGABYTE
        rows.append(
            Row(
                f"image {service}, above its base",
                above,
                "MB",
                bound,
                note=f"{whole:.0f} MB in all; the architecture expects ~{ARCHITECTURE_MEGABYTES[service]} MB",
            )
        )
    client.close()
    return rows


def status_of_fifty() -> list[Row]:
    """One service of tiny containers, 3 and 50 of them."""
    client = docker.from_env()
    with tiny_image(client) as image, project() as made:

        def measured(replicas: int) -> float:
            made.write("local", tiny_environment(image, replicas))
            made.chatbot("deploy", "local", "--yes")
            return median_seconds(lambda: made.chatbot("status", "local"))

        three = measured(3)
        fifty = measured(50)
        made.chatbot("down", "local", "--yes")
    client.close()
    return [Row("status of 50 containers", fifty, "s", 2.0, three, "status of 3")]


def tiny_environment(image: str, replicas: int) -> str:
    off = "\n".join(f"  {name}: {{enabled: false}}" for name in ("frontend", "backend", "proxy", "model"))
    return f"""services:
{off}
  worker:
    image: {image}
    command: [/bin/busybox, sleep, "1000000"]
    user: "1000:1000"
    replicas: {replicas}
    limits: {{cpus: 0.1, memory: 16M}}
    stop_grace_period: 1s
    update_config: {{parallelism: 0, monitor: 0s}}
"""


@contextmanager
def tiny_image(client: docker.DockerClient) -> Iterator[str]:
    """An image of one static binary."""
    with tempfile.TemporaryDirectory(prefix="chatbot-bench-") as folder:
        (Path(folder) / "bin").mkdir()
        shutil.copy("/bin/busybox", Path(folder) / "bin" / "busybox")
        (Path(folder) / "Dockerfile").write_text("FROM scratch\nCOPY bin /bin\n")
        tag = f"chatbotbench{os.getpid()}-tiny:1"
        client.images.build(path=folder, tag=tag)
    try:
        yield tag
    finally:
        client.images.remove(tag)


BENCHMARKS = [help_text, deploy_and_status, status_of_fifty]
