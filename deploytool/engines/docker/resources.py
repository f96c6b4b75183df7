"""Images, networks and volumes: pulled, created, removed. Each may be done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.engines.docker.client import Client, explanation, lines_of_json, refusal, segment
from deploytool.errors import DiskFull, ImageMissing, StepFailed
from deploytool.stack import labels
from deploytool.stack.model import Network, Stack, Volume


def pull_image(client: Client, reference: str, report: Callable[[str], None]) -> None:
    """Fetch an image with the operator's own registry login. Raises ImageMissing, DiskFull."""
    name, tag = _name_and_tag(reference)
    answer = client.call(
        "POST",
        "/images/create",
        parameters={"fromImage": name, "tag": tag},
        headers=_login(client, reference),
        stream=True,
        timeout=(10.0, None),
        expect=(400, 401, 403, 404, 500),
    )
    problem = ""
    if answer.status_code >= 400:
        problem = explanation(answer)
    else:
        with client.reading():
            for message in lines_of_json(answer):
                if "error" in message:
                    problem = str(message["error"])
                elif message.get("id") and message.get("status") in ("Pull complete", "Already exists"):
                    report(f"layer {message['id']}: {str(message['status']).lower()}")
    if not problem:
        return
    error = refusal(problem)
    if isinstance(error, DiskFull):
        raise error
    raise ImageMissing(
        f"cannot pull {reference}",
        hint="chatbot doctor says which registries can be reached",
        details=(problem,),
    )


def create_network(client: Client, stack: Stack, network: Network) -> None:
    """Create a network as Compose does. Raises StepFailed when the name belongs to another project."""
    body = {
        "Name": network.name,
        "CheckDuplicate": True,  # names of networks are not unique unless one asks for it
        "Driver": network.driver,
        "Internal": network.internal,
        "Options": dict(network.driver_opts),
        "Labels": labels.network_labels(stack, network),
    }
    present = client.find(f"/networks/{segment(network.name)}")
    if present is None:
        answer = client.call("POST", "/networks/create", body=body, expect=(403, 404, 409, 500))
        if answer.status_code == 409:
            present = client.find(f"/networks/{segment(network.name)}")
        elif answer.status_code >= 400:
            raise StepFailed(
                f"cannot create network {network.name}",
                hint="docker network prune frees address ranges of unused networks",
                details=(explanation(answer),),
            )
    if present is not None:
        _must_be_ours(present, stack, f"network {network.name}")


def create_volume(client: Client, stack: Stack, volume: Volume) -> None:
    """Create a volume as Compose does; an external one must be there already."""
    present = client.find(f"/volumes/{segment(volume.name)}")
    if present is not None:
        if not volume.external:
            _must_be_ours(present, stack, f"volume {volume.name}")
        return
    if volume.external:
        raise StepFailed(
            f"volume {volume.name} is external and does not exist",
            hint=f"docker volume create {volume.name}",
        )
    body = {
        "Name": volume.name,
        "Driver": volume.driver,
        "DriverOpts": dict(volume.driver_opts),
        "Labels": labels.volume_labels(stack, volume),
    }
    answer = client.call("POST", "/volumes/create", body=body, expect=(400, 404, 409, 500))
    if answer.status_code >= 400:
        raise StepFailed(f"cannot create volume {volume.name}", details=(explanation(answer),))


def remove_network(client: Client, name: str) -> None:
    """Remove a network; none of that name is fine."""
    answer = client.call("DELETE", f"/networks/{segment(name)}", expect=(403, 404, 409))
    if answer.status_code in (403, 409):
        present = client.find(f"/networks/{segment(name)}") or {}
        users = ", ".join(sorted(entry["Name"] for entry in (present.get("Containers") or {}).values()))
        raise StepFailed(
            f"network {name} is in use" + (f" by {users}" if users else ""), details=(explanation(answer),)
        )


def remove_volume(client: Client, name: str) -> None:
    """Remove a volume and its data; none of that name is fine."""
    answer = client.call("DELETE", f"/volumes/{segment(name)}", expect=(404, 409))
    if answer.status_code == 409 and _remove_forgotten_helpers(client, name):
        answer = client.call("DELETE", f"/volumes/{segment(name)}", expect=(404, 409))
    if answer.status_code == 409:
        users = users_of_volume(client, name)
        shown = ", ".join(sorted(shown_name(entry) for entry in users))
        raise StepFailed(
            f"volume {name} is in use" + (f" by {shown}" if shown else ""), details=(explanation(answer),)
        )


def users_of_volume(client: Client, name: str) -> list[dict[str, Any]]:
    """Containers that mount a volume, running or not."""
    found = client.get("/containers/json", all=True, filters={"volume": [name]})
    # The filter also takes mount paths and prefixes; only the exact name is meant.
    return [c for c in found if any(mount.get("Name") == name for mount in c.get("Mounts") or [])]


def shown_name(entry: Mapping[str, Any]) -> str:
    """A listed container's name; a short id while it has none (it is being removed)."""
    names = entry.get("Names") or []
    return str(names[0]).removeprefix("/") if names else str(entry["Id"])[:12]


def _remove_forgotten_helpers(client: Client, volume: str) -> bool:
    """Remove helper containers that an interrupted command left on a volume; True when there were any."""
    left = [c for c in users_of_volume(client, volume) if c["Labels"].get(labels.ROLE) == "files"]
    for container in left:
        client.call("DELETE", f"/containers/{container['Id']}", expect=(404, 409))
    return bool(left)


def _must_be_ours(present: Mapping[str, Any], stack: Stack, what: str) -> None:
    project = (present.get("Labels") or {}).get(labels.PROJECT, "")
    if project not in ("", stack.project):
        raise StepFailed(
            f"{what} belongs to the project {project}",
            hint="choose another name in the settings",
        )


def _name_and_tag(reference: str) -> tuple[str, str]:
    """The two parameters of a pull; a digest goes where the tag goes and wins over it."""
    before, at, digest = reference.partition("@")
    last = before.rsplit("/", 1)[-1]
    name, colon, tag = last.partition(":")
    base = before[: len(before) - len(last)] + name
    if at:
        return base, digest
    return base, tag if colon else "latest"


def _login(client: Client, reference: str) -> dict[str, str]:
    """The header with the registry login that the docker command would use."""
    from docker import auth

    registry, _ = auth.resolve_repository_name(reference.partition("@")[0])
    header = auth.get_config_header(client.session, registry)
    if not header:
        return {}
    return {"X-Registry-Auth": header.decode() if isinstance(header, bytes) else str(header)}
