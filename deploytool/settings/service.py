"""One service's settings. Field names are Compose's wherever it has a word."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from deploytool.settings import fields
from deploytool.settings.fields import Strict
from deploytool.settings.parts import (
    SHORT_DEPENDS_ON,
    SHORT_ULIMITS,
    Condition,
    Logging,
    Mount,
    PublishedPort,
    Ulimit,
    read_depends_on,
    read_mount,
    read_port,
    read_ulimits,
)
from deploytool.settings.units import NANO

MIB = 1024 * 1024


class Resources(Strict):
    """What a container may use, or is promised."""

    cpus: fields.Cpus | None = Field(default=None, description="CPUs, e.g. 1.5")
    memory: fields.Bytes | None = Field(
        default=None, description="Memory, e.g. 512M or 1G (M is MiB, as in Compose)"
    )


class Limits(Resources):
    """What a container may use at most; the kernel enforces it."""

    cpus: fields.Cpus = Field(default=NANO, description="CPUs at most, e.g. 1.5")
    memory: fields.Bytes = Field(
        default=512 * MIB, description="Memory at most, e.g. 512M; a process above it is killed"
    )
    pids: Annotated[int, Field(ge=1, le=4_194_304)] = Field(
        default=200, description="Processes and threads at most"
    )


class Healthcheck(Strict):
    """How the engine asks a container whether it is well: a path, or a command of one's own."""

    path: fields.UrlPath | None = Field(
        default=None, description="HTTP path that answers 200 when all is well, e.g. /health"
    )
    port: fields.Port | None = Field(
        default=None, description="Port of that path; default: the service's `port`"
    )
    tool: Literal["wget", "curl", "python", "node"] = Field(
        default="wget", description="The program in the image that asks: wget, curl, python or node"
    )
    command: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(lambda value: _health_command(value)),
        WithJsonSchema({"type": ["array", "string"], "items": {"type": "string"}}),
    ] = Field(
        default=None, description="A command instead of a path; a single text is run by the container's shell"
    )
    interval: fields.Duration = Field(default=30 * NANO, description="Time between two checks")
    timeout: fields.Duration = Field(default=10 * NANO, description="A check that takes longer has failed")
    retries: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Failures in a row that make it unhealthy"
    )
    start_period: fields.Duration = Field(
        default=0, description="Time to start in which failures do not count"
    )
    disable: bool = Field(default=False, description="true: no check, not even the image's own")


def _health_command(value: object) -> object:
    if isinstance(value, str):
        return ("CMD-SHELL", value)
    arguments = fields.as_arguments(value)
    if isinstance(arguments, tuple) and arguments and arguments[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        return ("CMD", *arguments)
    return arguments


class ServiceBuild(Strict):
    """How a service's image is made."""

    context: str = Field(description="Folder sent to the build, relative to the project, or bundle:<folder>")
    template: str | None = Field(
        default=None, description="Dockerfile template; default <service>.Dockerfile.j2"
    )
    args: dict[fields.VariableName, fields.PlainText] = Field(
        default_factory=dict, description="Build arguments"
    )
    target: str = Field(default="", description="Stage to build; default: the last")
    not_in_tag: fields.Texts = Field(
        default=(), description="Files of the context that only seed a volume and so do not rename the image"
    )


class UpdateConfig(Strict):
    """How replicas are replaced; Compose's words and meanings."""

    parallelism: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1, description="Replicas replaced at once; 0 means all"
    )
    delay: fields.Duration = Field(default=0, description="Pause between two replacements")
    monitor: fields.Duration = Field(default=5 * NANO, description="Time a new replica must stay well")
    order: Literal["start-first", "stop-first"] = Field(
        default="start-first", description="start-first: no gap; stop-first: never two at once"
    )
    failure_action: Literal["rollback", "pause", "continue"] = Field(
        default="rollback", description="What a replica that does not become healthy leads to"
    )
    max_failure_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="Part that may fail, 0 to 1"
    )


class ServiceSettings(Strict):
    """One service: what runs, with what, and how it is replaced."""

    enabled: Literal[True, False, "auto"] = Field(
        default=True,
        description="false: not started. auto (model only): started when nothing else answers chats",
    )
    image: fields.Reference | None = Field(default=None, description="Image to run; either this or `build`")
    build: ServiceBuild | None = Field(
        default=None, description="How the image is made; either this or `image`"
    )
    command: fields.Arguments | None = Field(default=None, description="Arguments instead of the image's own")
    entrypoint: fields.Arguments | None = Field(
        default=None, description="Program instead of the image's own"
    )
    environment: dict[fields.VariableName, fields.PlainText] = Field(
        default_factory=dict,
        description="Variables of the container. Never secrets: those go under `secrets`",
    )
    secrets: fields.SecretNames = Field(
        default=(),
        description="Names of secrets it needs; values stand in environments/<environment>.env.docker",
    )
    optional_secrets: fields.SecretNames = Field(
        default=(), description="Names of secrets it gets when they have a value"
    )
    port: fields.Port | None = Field(
        default=None, description="The container's port that the proxy sends traffic to"
    )
    healthcheck: Healthcheck | None = Field(default=None, description="How its health is found out")
    limits: Limits = Field(default=Limits(), description="What each container may use at most")
    reservations: Resources = Field(default=Resources(), description="What each container is promised")
    replicas: Annotated[int, Field(ge=0, le=100)] = Field(default=1, description="Containers of this service")
    update_config: UpdateConfig = Field(default=UpdateConfig(), description="How containers are replaced")
    depends_on: Annotated[
        dict[str, Condition], BeforeValidator(read_depends_on), fields.Also(SHORT_DEPENDS_ON)
    ] = Field(
        default_factory=dict, description="Services that start before it, with the condition to wait for"
    )
    release_command: fields.Arguments | None = Field(
        default=None, description="Run once in a new container before the first one is replaced (migrations)"
    )
    volumes: Annotated[
        tuple[Annotated[Mount, BeforeValidator(read_mount), fields.Also({"type": "string"})], ...],
        BeforeValidator(fields.as_tuple),
    ] = Field(default=(), description="Volumes: name, name:/target, name:/target:ro or a map")
    ports: Annotated[
        tuple[
            Annotated[
                PublishedPort, BeforeValidator(read_port), fields.Also({"type": ["string", "integer"]})
            ],
            ...,
        ],
        BeforeValidator(fields.as_tuple),
    ] = Field(
        default=(),
        description="Ports of the host that lead here past the proxy; on 127.0.0.1 unless said",
    )
    tmpfs: fields.Texts = Field(default=(), description="Folders in memory, e.g. /tmp or /tmp:size=64m")
    user: fields.User | None = Field(
        default=None, description="uid:gid that it runs as; needed unless run_as_root is true"
    )
    run_as_root: bool = Field(default=False, description="Loosens security: lets it run as root")
    writable_root: bool = Field(
        default=False, description="Loosens security: its root file system can be written"
    )
    cap_add: fields.Texts = Field(
        default=(), description="Loosens security: capabilities given back (all are dropped)"
    )
    allow_new_privileges: bool = Field(default=False, description="Loosens security: setuid programs work")
    init: bool = Field(default=True, description="A tiny init reaps processes and passes signals on")
    restart: fields.Restart = Field(
        default="unless-stopped", description="no, always, unless-stopped or on-failure[:times]"
    )
    stop_grace_period: fields.Duration = Field(
        default=30 * NANO, description="Time between asking it to stop and killing it"
    )
    stop_signal: str = Field(
        default="", description="Signal that asks it to stop; default: the image's, else SIGTERM"
    )
    logging: Logging = Field(default=Logging(), description="Where its output goes")
    labels: dict[str, fields.PlainText] = Field(default_factory=dict, description="Labels of its containers")
    working_dir: str = Field(default="", description="Working folder in the container")
    hostname: str = Field(default="", description="Host name in the container")
    group_add: fields.Texts = Field(default=(), description="More groups for its user")
    shm_size: fields.Bytes = Field(default=0, description="Size of /dev/shm; 0: the engine's default")
    ulimits: Annotated[dict[str, Ulimit], BeforeValidator(read_ulimits), fields.Also(SHORT_ULIMITS)] = Field(
        default_factory=dict, description="Limits of the process table: number, or soft and hard"
    )
    sysctls: dict[str, fields.PlainText] = Field(
        default_factory=dict, description="Kernel settings of its namespace"
    )
    extra_hosts: fields.Texts = Field(default=(), description="Lines for /etc/hosts: name:address")
    dns: fields.Texts = Field(default=(), description="Name servers instead of the engine's")
