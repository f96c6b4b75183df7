"""The fake engine's waiting: health, completion, a steady while."""

from __future__ import annotations

from deploytool.engines.fake.container import Container
from deploytool.errors import NotHealthy, StepFailed
from deploytool.plan.observed import ObservedContainer
from deploytool.stack.model import Service

_STEP = 0.1
_LOOPING = 2


class Gates:
    """The part of the fake engine that waits; waiting moves its clock."""

    now: float
    containers: dict[str, Container]
    never_healthy: set[str]
    healthy_after: dict[str, float]

    def pass_time(self, seconds: float) -> None:
        """Move the clock on."""
        raise NotImplementedError

    def is_healthy(self, container: Container) -> bool:
        """Whether its health command would succeed now."""
        names = {container.name, container.service.name}
        if names & self.never_healthy:
            return False
        wait = max((self.healthy_after.get(name, 0.0) for name in names), default=0.0)
        return self.now - container.started_at >= wait and container.check()

    def seen(self, container: Container) -> ObservedContainer:
        """As observe reports it."""
        check = container.service.healthcheck
        can = bool(check) and container.state == "running" and self.is_healthy(container)
        return container.observed(self.now, can_be_healthy=can)

    def _await_healthy(self, name: str, timeout: float) -> None:
        began = self.now
        settled = without_check(self._existing(name).service)
        while True:
            container = self._existing(name)
            container.settle(self.now)
            self._must_live(container)
            if settled and self.now - began >= 1.0:
                return
            if not settled and self.is_healthy(container):
                return
            if self.now - began >= timeout:
                raise NotHealthy(
                    f"{name} did not become healthy within {timeout:.3g} s", details=self._said(container)
                )
            self.pass_time(_STEP)

    def _must_live(self, container: Container) -> None:
        if container.state == "created":
            raise NotHealthy(f"{container.name} was never started")
        if container.state == "exited":
            how = (
                "was killed: it used more memory than its limit"
                if container.oom_killed
                else f"ended with exit code {container.exit_code}"
            )
            raise NotHealthy(f"{container.name} {how}", details=self._said(container))
        if container.restarts >= _LOOPING:
            raise NotHealthy(
                f"{container.name} restarts in a loop ({container.restarts} times)",
                details=self._said(container),
            )

    def _await_completed(self, name: str, timeout: float) -> None:
        container = self._existing(name)
        container.settle(self.now)
        if container.state == "running":
            left = None if container.ends_at is None else container.ends_at - self.now
            if left is None or left > timeout:
                self.pass_time(timeout)
                raise StepFailed(f"{name} did not end within {timeout:.3g} s", details=self._said(container))
            self.pass_time(left)
        if container.state != "exited":
            raise StepFailed(f"{name} did not end within {timeout:.3g} s", details=self._said(container))
        if container.exit_code:
            raise StepFailed(
                f"{name} ended with exit code {container.exit_code}", details=self._said(container)
            )

    def _watch(self, name: str, duration: float) -> None:
        container = self._existing(name)
        restarts = container.restarts
        self.pass_time(duration)
        self._must_live(container)
        if container.restarts > restarts:
            raise NotHealthy(f"{name} ended and was restarted", details=self._said(container))
        if self.seen(container).health == "unhealthy":
            raise NotHealthy(f"{name} turned unhealthy", details=self._said(container))

    def _existing(self, name: str) -> Container:
        if name not in self.containers:
            raise StepFailed(f"there is no container {name}")
        return self.containers[name]

    def _said(self, container: Container) -> tuple[str, ...]:
        return tuple(line.text for line in container.lines[-20:])


def without_check(service: Service) -> bool:
    """True when the service has no health check that could be run."""
    return service.healthcheck is None or service.healthcheck.test[:1] == ("NONE",)
