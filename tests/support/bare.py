"""A bare machine: a fresh Debian of its own with its own network, disk for an engine, and nothing installed.

It is a container with the rights of a machine (as "Docker in Docker" has them), because a Docker Engine is to
be installed and started inside. Where not even root has all capabilities, it gets those that there are.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# What the README says is needed, and the certificates of whoever looks into TLS on the way.
PACKAGES = ("ca-certificates", "make", "python3")
# Linux' capabilities by number (linux/capability.h); the engine's API wants names.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT "
    "SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE "
    "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
)
# A machine may write to its control groups. In version 2 a group with processes of its own cannot hand
# controllers on, so the processes move into one below it.
BOOT = """
mount -o remount,rw /sys
mount -o remount,rw /sys/fs/cgroup
while read -r _ point kind _; do
  case $kind in cgroup*) mount -o remount,bind,rw "$point";; esac
done </proc/mounts
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/boot
  while read -r process; do
    echo "$process" >/sys/fs/cgroup/boot/cgroup.procs
  done </sys/fs/cgroup/cgroup.procs
  sed -e 's/ / +/g' -e 's/^/+/' </sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
fi
exec sleep infinity
"""


@dataclass
class BareMachine:
    """The machine, and how to work on it."""

    client: Any
    container: Any
    image: str
    volume: str

    def run(self, command: str, **variables: str) -> tuple[int, str]:
        """Run a shell command as root in the project's folder; exit code and output."""
        api = self.client.api
        made = api.exec_create(
            self.container.id, ["sh", "-c", command], workdir="/root/chatbot", environment=variables
        )
        output = b"".join(api.exec_start(made["Id"], stream=True))
        return api.exec_inspect(made["Id"])["ExitCode"], output.decode(errors="replace")

    def remove(self) -> None:
        self.container.remove(force=True, v=True)
        self.client.volumes.get(self.volume).remove(force=True)
        self.client.images.remove(self.image, force=True)
        self.client.close()


def make(directory: Path) -> BareMachine:
    """Install a minimal Debian, start it, and put the working tree's tracked files on it."""
    name = f"chatbottest-bare-{uuid.uuid4().hex[:8]}"
    tree = directory / "root.tar"
    subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            "bookworm",
            str(tree),
        ],
        check=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    client = docker.from_env(timeout=900)
    api = client.api
    with tree.open("rb") as content:
        # The SDK's import_image sends nothing when it is given a file.
        answer = api._post(
            api._url("/images/create"), params={"fromSrc": "-", "repo": name, "tag": "1"}, data=content
        )
    answer.raise_for_status()
    tree.unlink()
    rights = api.create_host_config(
        cap_add=available_capabilities(),
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        binds={name: {"bind": "/var/lib/docker", "mode": "rw"}},
        init=True,
    )
    rights |= {"MaskedPaths": [], "ReadonlyPaths": []}
    made = api.create_container(
        f"{name}:1",
        ["sh", "-c", BOOT],
        name=name,
        hostname="bare",
        host_config=rights,
        environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    machine = BareMachine(client, client.containers.get(made["Id"]), f"{name}:1", name)
    try:
        machine.container.start()
        machine.container.put_archive("/root", tracked_files("chatbot"))
        machine.container.put_archive(str(CERTIFICATES.parent), one_file(CERTIFICATES))
    except BaseException:
        machine.remove()
        raise
    return machine


def available_capabilities() -> list[str]:
    """Those that this very process could hand on."""
    status = Path("/proc/self/status").read_text()
    bounding = int(next(line for line in status.splitlines() if line.startswith("CapBnd:")).split()[1], 16)
    return [name for number, name in enumerate(CAPABILITIES.split()) if bounding >> number & 1]


def tracked_files(folder: str) -> bytes:
    """A tar of what git tracks, as it lies here: the change under test, committed or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True
    ).stdout.split("\0")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in listed:
            if name and (REPOSITORY / name).exists():
                archive.add(REPOSITORY / name, f"{folder}/{name}", filter=as_root)
    return buffer.getvalue()


def one_file(path: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(path.resolve(), path.name, filter=as_root)
    return buffer.getvalue()


def as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
