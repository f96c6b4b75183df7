"""An image small enough to import in a moment: busybox, a folder or two, and nothing to be pulled."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import urllib.parse
from pathlib import Path
from typing import Any

TAG = "chatbot-test/tiny:2"
BUSYBOX = Path("/bin/busybox")
PROGRAMS = (
    *("sh", "sleep", "cat", "echo", "nc", "wget", "httpd", "head", "tail", "dd", "yes", "id", "env", "true"),
    *("false", "touch", "test", "ls", "date", "ps", "kill", "stty", "seq", "printf", "mkdir", "rm", "stat"),
    *("wc", "tty", "sync", "tr"),
)
USER = 10001


def ensure(client: Any) -> str:
    """Import the image unless the engine has it; its tag. `client` is the Docker engine's client."""
    if client.find(f"/images/{TAG}/json") is None:
        repository, _, tag = TAG.partition(":")
        query = urllib.parse.urlencode({"fromSrc": "-", "repo": repository, "tag": tag}) + "".join(
            "&" + urllib.parse.urlencode({"changes": change})
            for change in ("ENV PATH=/bin", 'CMD ["sleep","1000000"]')
        )
        answer = client.call(
            "POST", f"/images/create?{query}", data=_archive(), headers={"Content-Type": "application/x-tar"}
        )
        for line in answer.text.splitlines():
            assert "error" not in json.loads(line), line
    return TAG


def _archive() -> bytes:
    busybox = BUSYBOX if BUSYBOX.exists() else Path(shutil.which("busybox") or BUSYBOX)
    assert busybox.exists(), "apt-get install busybox-static (tests/packages.txt)"
    assert b"ld-linux" not in busybox.read_bytes()[:4096], "busybox must be the static one: busybox-static"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("data", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        archive.add(busybox, "bin/busybox", recursive=False)
        for program in PROGRAMS:
            entry = tarfile.TarInfo(f"bin/{program}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
        for name, content in (
            ("etc/passwd", f"root:x:0:0:root:/:/bin/sh\napp:x:{USER}:{USER}::/:/bin/sh\n"),
            ("etc/group", f"root:x:0:\napp:x:{USER}:\n"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content.encode()))
    return raw.getvalue()
