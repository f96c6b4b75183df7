"""Rules about the proxy."""

from __future__ import annotations

import pytest

from .conftest import Project

PROXY = """
services:
  proxy: {image: traefik, user: "1000:1000", update_config: {order: stop-first}}
  web: {image: example/web, user: "1:1", port: 8000}
  cache: {image: example/cache, user: "1:1"}
"""


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("proxy: {entry_points: {wbe: {published: 1}}}", "proxy.entry_points.wbe", "`wbe` is no service"),
        ("proxy: {entry_points: {cache: {published: 1}}}", "proxy.entry_points.cache", "has no `port`"),
        ("proxy: {https: true, email: a@b.example}", "proxy.https", "needs `proxy.domain`"),
        ("proxy: {https: true, domain: a.example}", "proxy.https", "needs `proxy.email`"),
        ("proxy: {domain: 'https://a.example'}", "proxy.domain", "without https:// or a path"),
        ("proxy: {domain: 'a..example'}", "proxy.domain", "wants a domain"),
        ("proxy: {email: me}", "proxy.email", "has the wrong form"),
        ("proxy: {host_ip: localhost}", "proxy.host_ip", "wants an IP address"),
        (
            "proxy: {entry_points: {web: {port: 8082}}}",
            "proxy.entry_points.web.port",
            "taken by the proxy's own",
        ),
        ("services: {web: {port: 8082}}", "services.web.port", "taken by the proxy's own"),
        ("services: {two: {image: x, user: '1:1', port: 8000}}", "services.web.port", "taken by `two`"),
        (
            "services: {http: {image: x, user: '1:1', port: 81}}",
            "services.http.port",
            "cannot be called `http`",
        ),
        (
            "services: {proxy: {replicas: 2}}\nproxy: {entry_points: {web: {published: 1}}}",
            "services.proxy.replicas",
            "only one container",
        ),
        (
            "proxy: {entry_points: {web: {published: 1}}}\n"
            "services: {proxy: {update_config: {order: start-first}}}",
            "services.proxy.update_config.order",
            "must stop first",
        ),
        ("services: {proxy: {stop_grace_period: 5s}}", "services.proxy.stop_grace_period", "killed after 5s"),
        (
            "services: {cache: {ports: ['8000:1'], update_config: {order: stop-first}}}\n"
            "proxy: {entry_points: {web: {published: 8000}}}",
            "proxy.entry_points.web.published",
            "`cache` and `proxy` both publish port 8000",
        ),
        ("proxy: {https: true, domain: a.example, email: a@b.c}", "proxy.domain", "it leads to `frontend`"),
    ],
)
def test_broken_rules(project: Project, text: str, path: str, message: str) -> None:
    project.write("base", PROXY)
    error = project.error(text)
    said = "\n".join([error.message, *error.details])
    assert message in said
    assert path in said


def test_two_services_on_one_port_get_entry_points_of_their_own(project: Project) -> None:
    project.write("base", PROXY)
    settings = project.load(
        "services: {two: {image: x, user: '1:1', port: 8000}}\nproxy: {entry_points: {two: {port: 8001}}}"
    )
    assert settings.proxy.entry_points["two"].port == 8001


def test_the_grace_time_of_the_proxy_follows_the_backends(project: Project) -> None:
    project.write("base", PROXY.replace("  cache", "  backend").replace("example/cache", "example/backend"))
    settings = project.load("services: {backend: {stop_grace_period: 5m}}")
    assert settings.show()["proxy"]["grace_period"] == "5m"
    assert settings.show()["services"]["proxy"]["stop_grace_period"] == "5m10s"
    assert settings.services["backend"].environment["GRACEFUL_TIMEOUT_SECONDS"] == "250"
