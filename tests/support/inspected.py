"""What the engine says of two containers, compared in all that Compose decides."""

from __future__ import annotations

from typing import Any


def containers_differ(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What differs in all that Compose decides; order and addresses left out."""
    one, two = comparable(first), comparable(second)
    return [
        f"{key}: {one.get(key)!r} != {two.get(key)!r}"
        for key in sorted(one.keys() | two.keys())
        if one.get(key) != two.get(key)
    ]


def comparable(inspected: dict[str, Any]) -> dict[str, Any]:
    config, host = dict(inspected["Config"]), dict(inspected["HostConfig"])
    identity = inspected["Id"][:12]
    found: dict[str, Any] = {f"Config.{key}": value for key, value in config.items()}
    found |= {f"HostConfig.{key}": value for key, value in host.items()}
    found["Config.Env"] = sorted(config["Env"])
    if config["Hostname"] == identity:
        del found["Config.Hostname"]
    # Labels name the tool and the release; those of the service itself must be equal.
    found["Config.Labels"] = {
        key: value
        for key, value in (config["Labels"] or {}).items()
        if not key.startswith(("com.docker.compose.", "io.chatbot."))
    }
    found["Mounts"] = sorted(
        ({k: v for k, v in mount.items() if k != "Id"} for mount in inspected["Mounts"]),
        key=lambda mount: mount["Destination"],
    )
    found["HostConfig.Binds"] = sorted(host["Binds"] or [])
    found["HostConfig.Ulimits"] = sorted(host["Ulimits"] or [], key=lambda limit: limit["Name"])
    if host["RestartPolicy"]["Name"] == "no":
        found["HostConfig.RestartPolicy"] = host["RestartPolicy"] | {"Name": ""}
    for key in ("HostConfig.Devices", "HostConfig.CapAdd", "HostConfig.DnsOptions", "HostConfig.DnsSearch"):
        found[key] = found.get(key) or None
    found["Networks"] = {
        name: sorted(alias for alias in network["Aliases"] if alias != identity)
        for name, network in inspected["NetworkSettings"]["Networks"].items()
    }
    found["Image"] = inspected["Image"]
    found["Path"], found["Args"] = inspected["Path"], inspected["Args"]
    return found
