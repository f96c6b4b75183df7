"""Wrong settings: what is said, where, and what to do about it."""

from __future__ import annotations

import pytest

from .conftest import Project

WEB = "services:\n  web:\n    {}\n"

# One wrong line each, under services.web: the line, its path, words of the message, words of the hint.
WRONG_VALUES = [
    ("limits: {memroy: 1G}", "limits.memroy", "unknown setting `memroy`", "did you mean `memory`?"),
    ("limit: {memory: 1G}", "limit", "unknown setting `limit`", "did you mean `limits`?"),
    ("zzzzz: 1", "zzzzz", "unknown setting `zzzzz`", "config schema"),
    ("limits: {memory: 512X}", "limits.memory", "wants a size such as 512M or 1.5G", ""),
    ("limits: {memory: [1]}", "limits.memory", "not a list", ""),
    ("limits: {memory: 512}", "limits.memory", "512 bytes of memory are too few", "did you mean `512M`?"),
    ("limits: {memory: 1K}", "limits.memory", "at least 6M", ""),
    ("limits: {cpus: lots}", "limits.cpus", "wants a number of CPUs such as 1.5", ""),
    ("limits: {cpus: 500m}", "limits.cpus", "write 0.5", ""),
    ("limits: {cpus: 0}", "limits.cpus", "is at least 0.01", ""),
    ("limits: {pids: 0}", "limits.pids", "is at least 1, not the number 0", ""),
    ("limits: 5", "limits", "wants a map of settings, not the number 5", ""),
    ("replicas: -1", "replicas", "is at least 0", ""),
    ("replicas: 1.5", "replicas", "wants a whole number, not the number 1.5", ""),
    ('replicas: "2"', "replicas", "wants a whole number, not the text `2`", ""),
    ("replicas: yes", "replicas", "wants a whole number, not `true`", ""),
    ("restart: sometimes", "restart", "wants no, always, unless-stopped or on-failure[:times]", ""),
    ("enabled: maybe", "enabled", "is one of true, false, auto", ""),
    ("enabled: auto", "enabled", "only `model` can be `auto`", ""),
    ("read_only: true", "read_only", "unknown setting `read_only`", "`writable_root: true` loosens it"),
    ("mem_limit: 1G", "mem_limit", "unknown setting `mem_limit`", "limits: {memory"),
    ("deploy: {replicas: 2}", "deploy", "unknown setting `deploy`", "straight under the service"),
    ("privileged: true", "privileged", "unknown setting `privileged`", "`cap_add`"),
    ("healthcheck: {interval: 30}", "healthcheck.interval", "such as 30s, not the bare number 30", ""),
    ("healthcheck: {timeout: 30s}", "healthcheck.timeout", "must be shorter than the interval (30s)", ""),
    (
        "healthcheck: {tool: wgte}",
        "healthcheck.tool",
        "is one of wget, curl, python, node",
        "did you mean `wget`?",
    ),
    ("healthcheck: {path: health}", "healthcheck.path", "wants a path such as /health", ""),
    ("healthcheck: {command: [true]}", "healthcheck.command", "wants a list of texts", ""),
    ("healthcheck: {command: [a]}", "healthcheck", "`path` or `command`, not both", ""),
    ("port: 70000", "port", "is at most 65535", ""),
    ("user: root", "user", 'wants numbers, such as "1000:1000"', ""),
    ("user: 0", "user", "`user` is root", "run_as_root: true"),
    ("image: Not An Image", "image", "wants an image reference", ""),
    ("build: {context: .}", "", "wants `image` or `build`, not both", ""),
    ("command: 'a \"b'", "command", "is not a command line", ""),
    ("command: {a: b}", "command", "wants a list of arguments, not a map", ""),
    ("tmpfs: /tmp", "tmpfs", "wants a list, such as [/tmp]", ""),
    ("tmpfs: [tmp]", "tmpfs.0", "wants an absolute path", ""),
    ("volumes: data", "volumes", "wants a list", ""),
    ("volumes: ['data:/a:rx']", "volumes.0", "knows only ro and rw", ""),
    ("volumes: ['a:b:c:d']", "volumes.0", "wants name:/target", ""),
    ("volumes: ['./here:/data']", "volumes.0", "neither a volume's name nor an absolute path", ""),
    ("volumes: ['data:relative']", "volumes.0.target", "wants an absolute path", ""),
    ("volumes: ['a:/x', 'b:/x/']", "volumes.1", "two volumes stand at /x", ""),
    ("volumes: ['/var/run/docker.sock:/s']", "volumes.0", "would hand over the machine", ""),
    ("volumes: ['/run/../:/s']", "volumes.0", "would hand over the machine", ""),
    ("volumes: ['web-secrets:/s']", "volumes.0", "is kept for chatbot", ""),
    ("volumes: ['x:/run/secrets']", "volumes.0", "secrets stand in /run/secrets", ""),
    (
        "volumes: [{source: a, taget: /b}]",
        "volumes.0.taget",
        "unknown setting `taget`",
        "did you mean `target`?",
    ),
    ("ports: ['http']", "ports.0", "wants published:target", ""),
    ("ports: [{target: 80, published: 80, host_ip: here}]", "ports.0.host_ip", "wants an IP address", ""),
    (
        "ports: ['80:8000'], replicas: 2, update_config: {order: stop-first}",
        "replicas",
        "only one container can hold",
        "",
    ),
    ("ports: ['80:8000']", "update_config.order", "must stop first", "stop-first"),
    ("secrets: JWT_SECRET", "secrets", "wants a list", ""),
    ("secrets: ['JWT SECRET']", "secrets.0", "wants a secret's name", ""),
    ("secrets: [A, A]", "secrets", "`A` stands twice", ""),
    ("depends_on: [wbe]", "depends_on.wbe", "`wbe` is no service", "did you mean `web`?"),
    ("depends_on: [web]", "depends_on.web", "cannot wait for itself", ""),
    ("depends_on: {web: healthy}", "depends_on.web", "is one of service_started", ""),
    ("depends_on: web", "depends_on", "wants a map", ""),
    ("labels: {com.docker.compose.project: x}", "labels.com.docker.compose.project", "kept for chatbot", ""),
    ("update_config: {order: fast}", "update_config.order", "is one of start-first, stop-first", ""),
    ("update_config: {max_failure_ratio: 2}", "update_config.max_failure_ratio", "is at most 1", ""),
    (
        "reservations: {memory: 1G}",
        "reservations.memory",
        "1G of memory are reserved, and the limit is 512M",
        "",
    ),
    ("reservations: {cpus: 1.5}", "reservations.cpus", "1.5 CPUs are reserved, and the limit is 1", ""),
    ("stop_grace_period: soon", "stop_grace_period", "wants a duration", ""),
    ("ulimits: {nofile: {soft: 9, hard: 1}}", "ulimits.nofile", "above the hard limit", ""),
    ("environment: [A=1]", "environment", "wants a map", ""),
    ("environment: {A: [1]}", "environment.A", "wants a text", ""),
    ("environment: {'A B': 1}", "environment.A B", "wants a variable's name", ""),
]


@pytest.mark.parametrize(
    ("line", "path", "message", "hint"), WRONG_VALUES, ids=[case[0] for case in WRONG_VALUES]
)
def test_a_wrong_value(project: Project, line: str, path: str, message: str, hint: str) -> None:
    block = line.replace("], ", "]\n    ").replace("2, update", "2\n    update")
    error = project.error(f"services:\n  web:\n    {block}\n")
    assert message in error.message
    assert error.details[0] == f"services.web.{path}".rstrip(".")
    assert hint in error.hint
    assert error.hint
    assert error.where.startswith("environments/")
    assert error.exit_code == 2


def test_the_line_is_that_of_the_setting(project: Project) -> None:
    error = project.error(
        "# first\nservices:\n  web:\n    replicas: 1\n    limits:\n      cpus: 1\n      memroy: 2G\n"
    )
    assert error.where == "environments/test.yaml:7"


def test_a_broken_rule_points_at_the_layer_that_counts(project: Project) -> None:
    error = project.error("services:\n  web:\n    reservations:\n      memory: 1G\n")
    assert error.where == "environments/test.yaml:4"


def test_several_errors_are_all_listed(project: Project) -> None:
    error = project.error(
        "netwrok: a\nservices:\n  web:\n    replicas: x\n    limits: {memory: 5Q}\n",
        {"CHATBOT__PROJECT": "Not Good"},
    )
    assert error.message == "4 settings are wrong"
    assert [detail.split("  ")[0] for detail in sorted(error.details)] == [
        "CHATBOT__PROJECT",
        "environments/test.yaml:1",
        "environments/test.yaml:4",
        "environments/test.yaml:5",
    ]
    assert "did you mean `network`?" in "\n".join(error.details)


def test_several_broken_rules_are_all_listed(project: Project) -> None:
    error = project.error('services: {a: {image: x}, b: {user: "1:1"}, c: {image: x, user: "0:1"}}')
    assert [detail.split(": ")[0].split("  ")[1] for detail in error.details] == [
        "services.a",
        "services.b",
        "services.c.user",
    ]


SECRETS_IN_THE_WRONG_PLACE = [
    "services: {web: {secrets: [API_KEY], environment: {API_KEY: hunter2-hunter2}}}",
    "services: {web: {environment: {DB: 'postgresql://me:hunter2-hunter2@host/db'}}}",
    "services: {web: {image: null, secrets: [API_KEY], build: {context: a, args: {API_KEY: hunter2}}}}",
]


@pytest.mark.parametrize("text", SECRETS_IN_THE_WRONG_PLACE)
def test_a_secret_among_the_variables_is_refused_and_not_repeated(project: Project, text: str) -> None:
    error = project.error(text)
    assert "hunter2" not in f"{error.message}{error.hint}{error.details}"
    assert "secret" in f"{error.message}{error.hint}"


def test_a_value_among_the_names_of_secrets_is_not_repeated(project: Project) -> None:
    error = project.error("services: {web: {secrets: [API_KEY=hunter2]}}")
    assert "wants a secret's name" in error.message
    assert "hunter2" not in f"{error.message}{error.hint}{error.details}"


def test_a_wrong_value_of_a_variable_is_not_repeated(project: Project) -> None:
    error = project.error("services: {web: {environment: {KEY: {hunter2: hunter2}}}}")
    assert "hunter2" not in f"{error.message}{error.details}"


def test_a_circle_of_dependencies(project: Project) -> None:
    error = project.error(
        """
        services:
          a: {image: x, user: "1:1", depends_on: [b]}
          b: {image: x, user: "1:1", depends_on: [c]}
          c: {image: x, user: "1:1", depends_on: [a]}
        """
    )
    assert error.code == "dependency-cycle"
    assert {"a", "b", "c"} <= set(error.message.replace("→", " ").split())


def test_waiting_for_what_never_comes(project: Project) -> None:
    unhealthy = project.error(
        'services: {job: {image: x, user: "1:1"}, web: {depends_on: {job: service_healthy}}}'
    )
    assert "has no health check" in unhealthy.message
    endless = project.error(
        'services: {job: {image: x, user: "1:1"}, web: {depends_on: {job: service_completed_successfully}}}'
    )
    assert "never completes" in endless.message


def test_a_service_needs_a_user(project: Project) -> None:
    error = project.error("services: {redis: {image: redis:7-alpine}}")
    assert "do not run as root" in error.message
    assert "run_as_root: true" in error.hint


def test_two_services_publish_one_port(project: Project) -> None:
    service = '{image: x, user: "1:1", update_config: {order: stop-first}, ports: ["9000:1"]}'
    error = project.error(f"services: {{a: {service}, b: {service}}}")
    assert error.message == "`a` and `b` both publish port 9000"
    other = service.replace('"9000:1"', '"127.0.0.2:9000:1"')
    assert (
        project.load(f"services: {{a: {service}, b: {other}}}").services["b"].ports[0].host_ip == "127.0.0.2"
    )
    everywhere = service.replace('"9000:1"', '"0.0.0.0:9000:1"')
    assert "both publish" in project.error(f"services: {{a: {service}, b: {everywhere}}}").message
