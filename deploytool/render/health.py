"""Health checks as the command that runs in the container, for whichever tool its image has."""

from __future__ import annotations

from deploytool.settings.service import Healthcheck
from deploytool.settings.units import NANO


def health_test(check: Healthcheck, default_port: int | None) -> tuple[str, ...]:
    """Docker's form of the test. The rules of the settings see to it that there is a port for a path."""
    if check.command is not None:
        return check.command
    port, path = check.port or default_port, check.path
    # The command gives up a little before the engine does, so that the engine sees a failure and its output.
    seconds = max(check.timeout // NANO - 1, 1)
    address = f"http://127.0.0.1:{port}{path}"
    if check.tool == "curl":
        return (
            "CMD",
            "curl",
            "--fail",
            "--silent",
            "--show-error",
            "--output",
            "/dev/null",
            "--max-time",
            f"{seconds}",
            address,
        )
    if check.tool == "node":
        return (
            "CMD",
            "node",
            "-e",
            f"fetch({address!r}, {{signal: AbortSignal.timeout({seconds * 1000})}})"
            ".then(answer => process.exit(answer.ok ? 0 : 1), "
            "error => { console.error(`${error}`); process.exit(1) })",
        )
    if check.tool == "python":
        # http.client alone imports in half the time of urllib.request; -I -S skips site-packages.
        return (
            "CMD",
            "python3",
            "-I",
            "-S",
            "-c",
            f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout={seconds}); "
            f"c.request('GET', {path!r}); s = c.getresponse().status; "
            "raise SystemExit(0 if s == 200 else f'status {s}')",
        )
    return ("CMD", "wget", "-q", "-O", "/dev/null", "-T", f"{seconds}", address)
