"""Identity lives in labels: Compose's own, so that `docker compose` sees our stack, and ours.

Source of the Compose names: the Compose reference implementation's `pkg/api/labels.go`. `docker compose ps`
lists only containers that carry a config-hash.
"""

from __future__ import annotations

from deploytool.stack.fingerprint import configuration, fingerprint
from deploytool.stack.model import Network, Service, Stack, Volume

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
CONFIG_HASH = "com.docker.compose.config-hash"
COMPOSE_NETWORK = "com.docker.compose.network"
COMPOSE_VOLUME = "com.docker.compose.volume"
COMPOSE_DEPENDS_ON = "com.docker.compose.depends_on"

ENVIRONMENT = "io.chatbot.environment"
FINGERPRINT = "io.chatbot.fingerprint"
CONFIGURATION = "io.chatbot.configuration"
RELEASE = "io.chatbot.release"
SECRETS_VERSION = "io.chatbot.secrets-version"
PURPOSE = "io.chatbot.purpose"
ROLE = "io.chatbot.role"
STATE_PROJECT = "io.chatbot.state-of"

_COMPOSE_CONDITION_REQUIRED = ":true"


def container_labels(
    stack: Stack,
    service: Service,
    *,
    number: int,
    release: int,
    secrets_version: str = "",
    one_off: bool = False,
) -> dict[str, str]:
    """All labels of one container: the service's own, Compose's and ours."""
    mark = fingerprint(service)
    labels = dict(service.labels)
    labels.update(
        {
            PROJECT: stack.project,
            SERVICE: service.name,
            NUMBER: str(number),
            ONE_OFF: str(one_off),
            CONFIG_HASH: mark,
            ENVIRONMENT: stack.environment,
            FINGERPRINT: mark,
            CONFIGURATION: configuration(service),
            RELEASE: str(release),
            SECRETS_VERSION: secrets_version,
        }
    )
    if service.depends_on:
        labels[COMPOSE_DEPENDS_ON] = ",".join(
            f"{name}:{condition}{_COMPOSE_CONDITION_REQUIRED}" for name, condition in service.depends_on
        )
    return labels


def network_labels(stack: Stack, network: Network) -> dict[str, str]:
    """Labels of a network as Compose sets them, so that its `down` removes it."""
    return {**dict(network.labels), PROJECT: stack.project, COMPOSE_NETWORK: network.key}


def volume_labels(stack: Stack, volume: Volume) -> dict[str, str]:
    """Labels of a volume as Compose sets them, and what it is for."""
    return {
        **dict(volume.labels),
        PROJECT: stack.project,
        COMPOSE_VOLUME: volume.key,
        PURPOSE: volume.purpose,
    }
