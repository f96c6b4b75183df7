"""The stack as canonical values.

Units: memory and sizes in bytes, CPU in nano-CPUs (1 CPU = 1_000_000_000, the engine API's own unit),
durations in nanoseconds (likewise). Collections are sorted tuples so that equal stacks are equal values.
Field names are those of the Compose specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """`healthcheck`: test is Docker's form, ("CMD", …) or ("CMD-SHELL", "…") or ("NONE",)."""

    test: tuple[str, ...]
    interval: int = 30_000_000_000
    timeout: int = 10_000_000_000
    retries: int = 3
    start_period: int = 0


@dataclass(frozen=True, slots=True)
class Resources:
    """`deploy.resources.limits` or `.reservations`; 0 means not given."""

    cpus: int = 0
    memory: int = 0
    pids: int = 0


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    """`deploy.update_config`, with Compose's defaults."""

    parallelism: int = 1
    delay: int = 0
    monitor: int = 0
    order: str = "stop-first"
    failure_action: str = "pause"
    max_failure_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Mount:
    """One entry of `volumes`: kind is "volume" (source: key of the stack's volumes) or "bind"."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """One published port. host_ip "" means every address; published 0 means: the engine chooses."""

    target: int
    published: int
    host_ip: str = ""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Logging:
    """`logging`: driver and its options."""

    driver: str
    options: Pairs = ()


@dataclass(frozen=True, slots=True)
class Build:
    """How a service's image is made (x-chatbot.build): context is relative to the project directory,
    or "bundle:<folder>" for a folder of the bundle itself; dockerfile is a file of the bundle.

    `base_images` maps a build argument to the pinned reference of the base image it names.
    `not_in_tag` are context paths that only seed a volume and must not rename the image (see ADR 3).
    """

    context: str
    dockerfile: str
    args: Pairs = ()
    base_images: Pairs = ()
    target: str = ""
    not_in_tag: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One service. Everything but the fields in `fingerprint.EXEMPT` is part of its fingerprint."""

    name: str
    image: str
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: Pairs = ()
    user: str = ""
    working_dir: str = ""
    hostname: str = ""
    init: bool = False
    read_only: bool = False
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    group_add: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    shm_size: int = 0
    ulimits: tuple[tuple[str, int, int], ...] = ()
    sysctls: Pairs = ()
    extra_hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    limits: Resources = Resources()
    reservations: Resources = Resources()
    networks: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    restart: str = "no"
    stop_signal: str = ""
    stop_grace_period: int = 10_000_000_000
    labels: Pairs = ()
    logging: Logging | None = None
    # --- how it is run, not what is run: see fingerprint.EXEMPT
    replicas: int = 1
    update: UpdateConfig = UpdateConfig()
    depends_on: Pairs = ()
    """Pairs of service name and condition (service_started, _healthy or _completed_successfully)."""
    build: Build | None = None
    secrets: tuple[str, ...] = ()
    """Names of the secrets that stand as files under /run/secrets (x-chatbot.secrets)."""
    secrets_volume: str = ""
    """Key of the volume that carries them (x-chatbot.secrets_volume)."""
    proxied_port: int = 0
    """The container port that the proxy sends traffic to; 0: not proxied (x-chatbot.proxied_port)."""
    release_command: tuple[str, ...] = ()
    """Run once in a new container before the first replica is replaced (x-chatbot.release_command)."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the stack; `name` is the full name on the engine."""

    key: str
    name: str
    driver: str = "bridge"
    internal: bool = False
    labels: Pairs = ()
    driver_opts: Pairs = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume of the stack; `name` is the full name on the engine; purpose is data|secrets|config."""

    key: str
    name: str
    driver: str = "local"
    labels: Pairs = ()
    driver_opts: Pairs = ()
    external: bool = False
    purpose: str = "data"


@dataclass(frozen=True, slots=True)
class Stack:
    """A parsed bundle."""

    project: str
    environment: str
    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    proxy_service: str = ""
    """The service that holds the published ports, "" when there is none."""
    routes_path: str = ""
    """The routes file inside the proxy's container (x-chatbot.routes_path)."""
    routes: str = field(default="", repr=False)
    """The rendered routes file: the file provider's configuration, upstreams named by service."""

    def service(self, name: str) -> Service | None:
        """The service of that name, or None."""
        return next((service for service in self.services if service.name == name), None)

    def volume(self, key: str) -> Volume | None:
        """The volume of that key, or None."""
        return next((volume for volume in self.volumes if volume.key == key), None)
