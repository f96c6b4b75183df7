"""`python -m app`: read the settings, then serve until told to stop."""

from __future__ import annotations

import resource
import signal
import sys

import uvicorn

from app.settings import SettingsError, check_database, load


def main() -> int:
    """Serve. Returns 2, with one line on stderr, when the settings cannot be used."""
    try:
        settings = load()
        check_database(settings)
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201
        return 2
    from app.main import create_app

    # Uvicorn hands a stop signal on once it has stopped; being told to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Each stream holds two sockets; the usual soft limit of 1,024 would end that at five hundred.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.graceful_timeout_seconds)),
        timeout_keep_alive=120,  # the proxy keeps idle connections for 90 s and should be the one to close
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
