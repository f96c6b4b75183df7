"""The model's tiny image, built by the tool's own parts, and containers of it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from openai import OpenAI

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

REPOSITORY = Path(__file__).parents[3]
MEMORY = 512 * 1024**2
# Generous: the engine may be busy with other builds and stacks.
PATIENCE = 180.0


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    import docker

    client = docker.from_env(timeout=120)
    yield client
    client.close()


def dockerfile() -> str:
    """The Dockerfile as the tool renders it."""
    from deploytool.images.base_images import DEFAULTS
    from deploytool.render.templates import Templates

    context = {"base_images": dict(DEFAULTS), "service": {}}
    return Templates(REPOSITORY / "templates").render("model.Dockerfile.j2", context).decode()


@pytest.fixture(scope="session")
def image(engine: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tiny image, built by the tool's own BuildKit client on the tool's own base image."""
    from deploytool.images.base_images import DEFAULTS, BaseImages
    from deploytool.images.buildkit import ImageBuild, build_image
    from deploytool.images.certificates import host_bundle
    from deploytool.images.proxies import network_mode, proxy_arguments

    bases = BaseImages(engine.api, cache=tmp_path_factory.mktemp("base-images"))
    base = bases.ensure({"python": DEFAULTS["python"]})["python"].reference
    tag = f"model-test-{uuid.uuid4().hex[:8]}:tiny"
    build = ImageBuild(
        name="model",
        tag=tag,
        dockerfile=dockerfile(),
        context=REPOSITORY / "service" / "model",
        args={**proxy_arguments(os.environ), "MODEL_SIZE": "tiny", "PYTHON_BASE": base},
        network_mode=network_mode(os.environ),
        certificates=host_bundle(os.environ),
    )
    build_image(engine.api, build)
    yield tag
    engine.images.remove(tag, force=True)


@pytest.fixture
def run(engine: DockerClient, image: str) -> Iterator[object]:
    """Start containers as the stack does: no rights, nothing writable but /tmp, the smallest memory."""
    started = []

    def start(**environment: str) -> Container:
        container = engine.containers.run(
            image,
            detach=True,
            name=f"model-test-{uuid.uuid4().hex[:8]}",
            user="10001:10001",
            read_only=True,
            tmpfs={"/tmp": "size=64m"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            pids_limit=256,
            mem_limit=MEMORY,
            init=True,
            environment=environment,
            ports={"8080/tcp": ("127.0.0.1", None)},
        )
        started.append(container)
        return container

    yield start
    for container in started:
        container.remove(force=True)


def address(container: Container) -> str:
    """Wait until the container is healthy, as the stack's health check sees it; returns its base address."""
    container.reload()
    published = container.ports["8080/tcp"][0]["HostPort"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{published}/health", timeout=5).status_code == 200:
                return f"http://127.0.0.1:{published}"
        except httpx.TransportError:
            container.reload()
            assert container.status == "running", container.logs().decode()
        assert time.monotonic() < deadline, container.logs().decode()
        time.sleep(0.1)


def client(container: Container) -> OpenAI:
    return OpenAI(base_url=f"{address(container)}/v1", api_key="unused", max_retries=0, timeout=PATIENCE)
