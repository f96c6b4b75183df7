"""All settings of one environment. Frozen; holds the names of secrets, never a value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from deploytool.settings import fields
from deploytool.settings.fields import Strict
from deploytool.settings.service import ServiceSettings
from deploytool.settings.units import NANO

# What the bundled services name (see docs/settings.md, "Bundled services").
PROXY = "proxy"
MODEL = "model"
CHAT_SERVICE = "backend"
PAGE_SERVICE = "frontend"

HTTP_PORT, HTTPS_PORT, INTERNAL_PORT = 8080, 8443, 8082
"""Ports inside the proxy's container: for redirects and ACME, for HTTPS, and for its health and metrics."""

BASE_IMAGES = {
    "python": "python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7",
    "node": "node:20-alpine@sha256:fb4cd12c85ee03686f6af5362a0b0d56d50c58a04632e6c0fb8363f609372293",
    "traefik": "traefik:v3.6.2@sha256:c025135278d10f0fb6e54cb2b2dbadb3c3f0381a2c508cd74c06a74cb5a0e828",
}


def _with_default_images(value: object) -> object:
    return {**BASE_IMAGES, **value} if isinstance(value, dict) else value


class BuildSettings(Strict):
    """What images are made from."""

    base_images: Annotated[dict[fields.Name, fields.Reference], BeforeValidator(_with_default_images)] = (
        Field(
            default_factory=lambda: dict(BASE_IMAGES),
            description="Base images by name (python, node, traefik); NAME_BASE in a Dockerfile",
        )
    )


class EntryPoint(Strict):
    """A port on which the proxy listens for one service."""

    port: fields.Port | None = Field(
        default=None, description="Port inside the stack's network; default: the service's own"
    )
    published: fields.PublishedPort | None = Field(
        default=None,
        description="Port of the host; none: only reachable inside the stack; 0: the engine chooses",
    )


class ProxySettings(Strict):
    """How the outside reaches the stack."""

    host_ip: fields.HostAddress = Field(
        default="127.0.0.1", description="Address of the host for published ports; empty: every address"
    )
    entry_points: dict[fields.Name, EntryPoint] = Field(
        default_factory=dict, description="Ports by service; every service with a `port` has one"
    )
    https: bool = Field(default=False, description="Automatic HTTPS: certificates by ACME (Let's Encrypt)")
    domain: fields.Domain = Field(default="", description="Domain of the page, e.g. chat.example.com")
    api_domain: fields.Domain = Field(
        default="", description="Domain that leads straight to the backend; empty: none"
    )
    email: str = Field(
        default="",
        description="Address that the certificate authority writes to",
        pattern=r"^([^\s@]+@[^\s@]+)?$",
    )
    acme_server: str = Field(
        default="", description="ACME directory; empty: Let's Encrypt", pattern=r"^(https://\S+)?$"
    )
    http_published: fields.PublishedPort = Field(
        default=80, description="Port of the host for HTTP, which leads to HTTPS"
    )
    https_published: fields.PublishedPort = Field(default=443, description="Port of the host for HTTPS")
    access_log: bool = Field(default=False, description="One JSON line per request in the proxy's log")
    grace_period: fields.Duration = Field(
        default=60 * NANO, description="Time that open requests get when the proxy stops"
    )
    arguments: fields.Texts = Field(
        default=(), description="More of Traefik's own arguments, e.g. --log.level=DEBUG"
    )


class ModelSettings(Strict):
    """The local model that answers when no other does."""

    size: Literal["standard", "tiny", "auto"] = Field(
        default="auto",
        description="standard: usable (2G); tiny: for tests; auto: standard where it can be had, else tiny",
    )


class VolumeSettings(Strict):
    """A volume of the stack; only needed where the defaults do not do."""

    purpose: Literal["data", "config"] = Field(
        default="data", description="data: backed up; config: rendered, made anew"
    )
    name: str = Field(
        default="", description="Full name on the engine; default <project>-<environment>_<volume>"
    )
    external: bool = Field(default=False, description="true: exists already and is never made or removed")
    driver: str = Field(default="local", description="The engine's volume driver")
    driver_opts: dict[str, fields.PlainText] = Field(default_factory=dict, description="The driver's options")
    labels: dict[str, fields.PlainText] = Field(default_factory=dict, description="Labels of the volume")


class Settings(Strict):
    """Everything that an environment's bundle is rendered from."""

    project: fields.Name = Field(
        default="chatbot", description="Name of the project; the stack is <project>-<environment>"
    )
    environment: fields.Name = Field(description="The environment's name: that of its file")
    build: BuildSettings = Field(default=BuildSettings(), description="What images are made from")
    engine: fields.Name = Field(default="docker", description="The platform that runs the stack")
    network: fields.Name = Field(
        default="app-network", description="The bridge network that joins the services"
    )
    proxy: ProxySettings = Field(default=ProxySettings(), description="How the outside reaches the stack")
    model: ModelSettings = Field(default=ModelSettings(), description="The local model")
    volumes: dict[fields.Name, VolumeSettings] = Field(
        default_factory=dict, description="Volumes that need more than a name"
    )
    services: dict[fields.Name, ServiceSettings] = Field(
        default_factory=dict, description="The services by name"
    )

    @property
    def stack_name(self) -> str:
        """Compose's project name: <project>-<environment>."""
        return f"{self.project}-{self.environment}"

    @property
    def enabled_services(self) -> dict[str, ServiceSettings]:
        """The services that run, by name."""
        return {name: service for name, service in self.services.items() if service.enabled is True}

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of every secret that an enabled service gets, sorted."""
        return tuple(sorted({name for service in self.enabled_services.values() for name in service.secrets}))

    @property
    def public_urls(self) -> dict[str, str]:
        """Address of each service that can be reached from outside, by service name."""
        if self.proxy.https:
            urls = (
                {PAGE_SERVICE: _https_url(self.proxy.domain, self.proxy.https_published)}
                if self.proxy.domain
                else {}
            )
            if self.proxy.api_domain:
                urls[CHAT_SERVICE] = _https_url(self.proxy.api_domain, self.proxy.https_published)
        else:
            urls = {}
        for name, entry in self.proxy.entry_points.items():
            if entry.published and name not in urls:
                urls[name] = f"http://{self._url_host()}:{entry.published}"
        return {name: url for name, url in urls.items() if name in self.enabled_services}

    def _url_host(self) -> str:
        host = self.proxy.host_ip
        if host in {"", "0.0.0.0", "::", "127.0.0.1", "::1"}:  # noqa: S104
            return "localhost"
        return f"[{host}]" if ":" in host else host

    def show(self) -> dict[str, Any]:
        """The effective settings as plain data with canonical units, for `config show`."""
        shown: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return shown


def _https_url(domain: str, port: int) -> str:
    return f"https://{domain}" if port == 443 else f"https://{domain}:{port}"
