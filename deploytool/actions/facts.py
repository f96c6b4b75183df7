"""What actions need to know of the settings, as plain data that can be kept from one run to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploytool.settings import Settings


@dataclass(frozen=True)
class Facts:
    """The settings' part of a prepared environment; names of secrets, never values."""

    environment: str
    engine: str
    public_urls: dict[str, str]
    base_images: dict[str, str]
    secrets: dict[str, list[str]]
    """Names that each service needs."""
    optional_secrets: dict[str, list[str]]
    """Names that each service gets when they have a value."""

    @property
    def secret_names(self) -> list[str]:
        """Every name that some service needs, sorted."""
        return sorted({name for names in self.secrets.values() for name in names})


@dataclass(frozen=True)
class BuildInput:
    """What an image's tag is made of, beside the rendered Dockerfile."""

    service: str
    context: str
    args: dict[str, str]
    target: str
    ignore: list[str]
    name: str
    """The image's name without its tag."""


def facts_of(settings: Settings) -> Facts:
    """The facts of an environment's settings."""
    services = settings.enabled_services
    return Facts(
        environment=settings.environment,
        engine=settings.engine,
        public_urls=dict(settings.public_urls),
        base_images=dict(settings.build.base_images),
        secrets={name: list(service.secrets) for name, service in services.items()},
        optional_secrets={name: list(service.optional_secrets) for name, service in services.items()},
    )


def build_inputs(settings: Settings) -> list[BuildInput]:
    """One for each image that is built."""
    return [
        BuildInput(
            service=name,
            context=service.build.context,
            args=dict(service.build.args),
            target=service.build.target,
            ignore=list(service.build.not_in_tag),
            name=f"{settings.project}/{name}",
        )
        for name, service in settings.enabled_services.items()
        if service.build is not None
    ]
