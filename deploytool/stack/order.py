"""In which order services start: each after what it depends on; equals by name."""

from __future__ import annotations

from collections.abc import Sequence

from deploytool.stack.model import Service


def cycle(services: Sequence[Service]) -> tuple[str, ...]:
    """A circle of dependencies, first name repeated at the end; empty when there is none."""
    needs = {service.name: tuple(name for name, _ in service.depends_on) for service in services}
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> tuple[str, ...]:
        if name in done:
            return ()
        if name in path:
            return (*path[path.index(name) :], name)
        path.append(name)
        for needed in needs.get(name, ()):
            found = visit(needed)
            if found:
                return found
        path.pop()
        done.add(name)
        return ()

    for name in sorted(needs):
        found = visit(name)
        if found:
            return found
    return ()


def waves(services: Sequence[Service]) -> tuple[tuple[Service, ...], ...]:
    """Groups of services: everything a group depends on stands in an earlier one. No circle allowed."""
    left = {service.name: service for service in services}
    groups: list[tuple[Service, ...]] = []
    while left:
        group = tuple(
            service
            for _, service in sorted(left.items())
            if not any(name in left for name, _ in service.depends_on)
        )
        if not group:
            raise ValueError("services depend on each other in a circle")
        groups.append(group)
        for service in group:
            del left[service.name]
    return tuple(groups)
