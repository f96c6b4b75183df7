"""One container of the fake engine: what it is made of, and its state as a function of the clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from deploytool.engines.fake import programs
from deploytool.engines.protocol import LogLine
from deploytool.plan.observed import ObservedContainer
from deploytool.stack import labels
from deploytool.stack.model import Resources, Service

_NANO = 1_000_000_000
_RESTART_PAUSE = 0.1


@dataclass(slots=True)
class Container:
    """Mutable; `settle` brings it up to a moment of the engine's clock."""

    id: str
    name: str
    service: Service
    image_id: str
    marks: dict[str, str]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    created_at: float
    limits: Resources
    read_file: programs.ReadFile
    command: tuple[str, ...]
    state: str = "created"
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    restarts: int = 0
    lines: list[LogLine] = field(default_factory=list)
    ends_at: float | None = None
    ending: tuple[int, bool] = (0, False)

    def start(self, now: float) -> None:
        """Run the command from now on."""
        done = programs.run(self.command, self.read_file)
        self.state, self.started_at = "running", now
        killed = done.hungry and bool(self.limits.memory)
        endless = done.endless or (done.hungry and not killed)
        self.ends_at = None if endless else now + done.seconds
        self.ending = (137, True) if killed else (done.code, False)
        self.lines += [
            LogLine(self.service.name, self.name, stamp(now + after), stream, text)
            for after, stream, text in done.output
        ]

    def stop(self, now: float, code: int = 143) -> None:
        """End it by hand: restart policies do not bring it back."""
        self.settle(now)
        if self.state in ("running", "paused", "restarting"):
            self.state, self.finished_at, self.exit_code, self.ends_at = "exited", now, code, None

    def crash(self, now: float, code: int = 1, *, oom_killed: bool = False) -> None:
        """End it by itself, as if the program had."""
        self.ends_at, self.ending = now, (code, oom_killed)
        self.settle(now)

    def settle(self, now: float) -> None:
        """What has happened by now: it ended, or its restart policy started it again."""
        while self.state == "running" and self.ends_at is not None and self.ends_at <= now:
            self.exit_code, self.oom_killed = self.ending
            self.finished_at = self.ends_at
            policy = self.service.restart
            again = policy in ("always", "unless-stopped") or (
                policy.startswith("on-failure") and self.exit_code != 0
            )
            if not again:
                self.state = "exited"
                return
            self.restarts += 1
            self.start(self.ends_at + _RESTART_PAUSE * 2 ** min(self.restarts, 8))

    def health(self, now: float, *, can_be_healthy: bool) -> str:
        """What the engine itself says: nothing but "starting" before the first interval has passed."""
        check = self.service.healthcheck
        if check is None or check.test[:1] == ("NONE",):
            return ""
        if self.state != "running":
            return "unhealthy" if self.started_at else "starting"
        if now - self.started_at < check.interval / _NANO:
            return "starting"
        return "healthy" if can_be_healthy and self.check() else "unhealthy"

    def check(self) -> bool:
        """Run the health command."""
        assert self.service.healthcheck is not None  # noqa: S101 - callers ask only those that have one
        kind, *words = self.service.healthcheck.test
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        return programs.run(command, self.read_file).code == 0

    def observed(self, now: float, *, can_be_healthy: bool) -> ObservedContainer:
        """As an engine reports it."""
        return ObservedContainer(
            id=self.id,
            name=self.name,
            service=self.marks[labels.SERVICE],
            number=int(self.marks[labels.NUMBER]),
            image=self.service.image,
            image_id=self.image_id,
            state=self.state,
            health=self.health(now, can_be_healthy=can_be_healthy),
            one_off=self.marks[labels.ONE_OFF].lower() == "true",
            exit_code=self.exit_code,
            oom_killed=self.oom_killed,
            restarts=self.restarts,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            fingerprint=self.marks[labels.FINGERPRINT],
            configuration=self.marks[labels.CONFIGURATION],
            release=int(self.marks[labels.RELEASE]),
            secrets_version=self.marks[labels.SECRETS_VERSION],
            limits=self.limits,
            networks=tuple(sorted(self.networks)),
            ports=tuple((p.host_ip, p.published, p.target, p.protocol) for p in self.service.ports),
        )

    def as_release_step(self) -> Container:
        """The same, as the release step runs it: its own command, nothing published, no restarts."""
        once = replace(
            self.service,
            command=self.service.release_command,
            healthcheck=None,
            ports=(),
            expose=(),
            restart="no",
        )
        self.service, self.command = once, self.service.release_command
        return self


def stamp(moment: float) -> str:
    """RFC 3339 with nanoseconds, as engines write it."""
    whole = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{round((moment % 1) * 1e9) % 10**9:09d}Z"
