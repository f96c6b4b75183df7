"""The whole way on the real engine, through the command: deploy, nothing to do, change, failure, down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from support.projects import CHATBOT, Project, wait_until

from deploytool.engines import registry
from deploytool.engines.protocol import KeepsState, LockHolder
from deploytool.settings.units import parse_bytes, parse_cpus

pytestmark = pytest.mark.docker


def answer(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env()
    yield made
    made.close()


def containers(client: docker.DockerClient, project: Project) -> dict[str, str]:
    """Container ids by name."""
    found = client.containers.list(all=True, filters={"label": f"com.docker.compose.project={project.stack}"})
    return {container.name: container.id for container in found}


def test_both_addresses_answer_and_a_second_deploy_touches_nothing(
    deployed_stack: Project, client: docker.DockerClient
):
    assert answer(f"{deployed_stack.frontend_url}/api/health") == 200
    assert answer(f"{deployed_stack.backend_url}/health") == 200
    before = containers(client, deployed_stack)
    again = deployed_stack.chatbot("deploy", "local")
    assert containers(client, deployed_stack) == before
    assert "nothing" in again.stdout.lower()
    assert deployed_stack.chatbot("plan", "local", "--detailed-exitcode").returncode == 0


def test_only_the_proxy_publishes_ports_and_on_loopback(deployed_stack: Project, client: docker.DockerClient):
    for name, identity in containers(client, deployed_stack).items():
        bindings = client.api.inspect_container(identity)["HostConfig"]["PortBindings"] or {}
        addresses = {entry["HostIp"] for entries in bindings.values() for entry in entries}
        assert addresses == ({"127.0.0.1"} if "-proxy-" in name else set()), name


def test_every_container_is_confined(deployed_stack: Project, client: docker.DockerClient):
    for name, identity in containers(client, deployed_stack).items():
        found = client.api.inspect_container(identity)
        host = found["HostConfig"]
        assert found["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]), name
        assert host["PidsLimit"] > 0, name
        assert host["Memory"] > 0, name
        assert host["NanoCpus"] > 0, name
        assert host["Init"], name
        assert host["LogConfig"]["Config"].get("max-size"), name
        assert not any("docker.sock" in mount["Source"] for mount in found["Mounts"]), name


def test_limits_in_force_are_those_of_the_settings(deployed_stack: Project, client: docker.DockerClient):
    services = deployed_stack.data("config", "show", "local")["services"]
    checked = 0
    for identity in containers(client, deployed_stack).values():
        found = client.api.inspect_container(identity)
        limits = services[found["Config"]["Labels"]["com.docker.compose.service"]]["limits"]
        wanted = (parse_bytes(limits["memory"]), parse_cpus(limits["cpus"]), limits["pids"])
        assert kernel_limits(found["State"]["Pid"]) == wanted
        checked += 1
    assert checked >= 3


def kernel_limits(pid: int) -> tuple[int, int, int]:
    """Memory in bytes, CPU in nano-CPUs and processes, from the kernel's own files; cgroup v1 and v2."""
    places = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            places[name] = path
    if "memory" in places:
        root = Path("/sys/fs/cgroup")
        memory = int((root / "memory" / places["memory"].lstrip("/") / "memory.limit_in_bytes").read_text())
        cpu = root / "cpu" / places["cpu"].lstrip("/")
        quota = int((cpu / "cpu.cfs_quota_us").read_text())
        period = int((cpu / "cpu.cfs_period_us").read_text())
        pids = int((root / "pids" / places["pids"].lstrip("/") / "pids.max").read_text())
    else:
        group = Path("/sys/fs/cgroup") / places[""].lstrip("/")
        memory = int((group / "memory.max").read_text())
        quota, period = map(int, (group / "cpu.max").read_text().split())
        pids = int((group / "pids.max").read_text())
    return memory, quota * 1_000_000_000 // period, pids


def test_no_secret_shows_anywhere(deployed_stack: Project, client: docker.DockerClient):
    text = (deployed_stack.directory / "environments" / "local.env.docker").read_text()
    values = [line.partition("=")[2] for line in text.splitlines() if "=" in line]
    assert values
    places = [
        deployed_stack.chatbot("plan", "local", "--json").stdout,
        deployed_stack.chatbot("status", "local", "--json").stdout,
        deployed_stack.chatbot("logs", "--env", "local").stdout,
        deployed_stack.chatbot("config", "show", "local", "--json").stdout,
    ]
    deployed_stack.chatbot("render", "local", "--out", str(deployed_stack.directory / "out"))
    places += [p.read_text() for p in (deployed_stack.directory / "out").rglob("*") if p.is_file()]
    for identity in containers(client, deployed_stack).values():
        found = client.api.inspect_container(identity)
        places.append(json.dumps(found))
        places.append(json.dumps(client.api.history(found["Image"])))
        places.append(json.dumps(client.api.inspect_image(found["Image"])))
        argv = Path(f"/proc/{found['State']['Pid']}/cmdline").read_bytes().decode()
        places.append(argv + Path(f"/proc/{found['State']['Pid']}/environ").read_bytes().decode())
    for value in values:
        assert not any(value in place for place in places)


def test_secret_files_are_readable_by_the_service_alone(deployed_stack: Project):
    shown = deployed_stack.chatbot("exec", "backend", "--", "stat", "-c", "%a %u", "/run/secrets/JWT_SECRET")
    assert shown.stdout.split() == ["400", "10001"]


def test_status_says_what_runs(deployed_stack: Project):
    data = deployed_stack.data("status", "local")
    by_name = {service["service"]: service for service in data["services"]}
    assert sorted(by_name) == ["backend", "frontend", "model", "proxy"]
    assert {(service["wanted"], service["healthy"]) for service in by_name.values()} == {(1, 1)}
    assert data["drift"] == []
    assert data["release"]["number"] == 1
    usage = by_name["backend"]["containers"][0]["usage"]
    assert 0 < usage["memory"] <= by_name["backend"]["memory_limit"]
    assert {volume["name"] for volume in data["volumes"]} >= {f"{deployed_stack.stack}_backend-data"}


def test_logs_and_exec(deployed_stack: Project):
    logs = deployed_stack.chatbot("logs", "backend", "--env", "local", "--tail", "5")
    assert "backend" in logs.stdout
    done = deployed_stack.chatbot(
        "exec", "backend", "--", "python", "-c", "print('in', 1); raise SystemExit(7)", check=7
    )
    assert done.stdout.strip() == "in 1"


# --- tests that change things have a project of their own ---------------------------------------------------

SMALL = """\
proxy: {host_ip: 127.0.0.1, entry_points: {frontend: {published: 3000}, backend: {published: 8000}}}
services:
  model: {enabled: false}
  frontend: {enabled: false}
"""


@pytest.fixture
def small(project: Project) -> Project:
    """Backend and proxy only, deployed."""
    project.variables["CHATBOT__SERVICES__BACKEND__ENVIRONMENT__OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    project.write("local", SMALL)
    project.chatbot("deploy", "local")
    return project


def test_a_changed_limit_replaces_start_first_without_a_failed_request(
    small: Project, client: docker.DockerClient
):
    before = containers(client, small)
    failures: list[str] = []
    count = 0
    stop = threading.Event()

    def traffic() -> None:
        nonlocal count
        while not stop.is_set():
            try:
                status = answer(f"{small.backend_url}/health")
                count += 1
                if status != 200:
                    failures.append(str(status))
            except OSError as error:
                failures.append(str(error))

    threads = [threading.Thread(target=traffic) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        small.chatbot("deploy", "local", variables={"CHATBOT__SERVICES__BACKEND__LIMITS__MEMORY": "384M"})
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    after = containers(client, small)
    assert f"{small.stack}-backend-2" in after
    assert f"{small.stack}-backend-1" not in after
    assert after[f"{small.stack}-proxy-1"] == before[f"{small.stack}-proxy-1"]
    assert (
        client.api.inspect_container(after[f"{small.stack}-backend-2"])["HostConfig"]["Memory"] == 384 << 20
    )
    assert failures == []
    assert count > 20


def test_a_failed_start_leaves_the_old_replica_serving_and_the_failed_one_to_look_at(
    small: Project, client: docker.DockerClient
):
    before = containers(client, small)
    failed = small.chatbot(
        "deploy",
        "local",
        check=4,
        variables={
            "CHATBOT__SERVICES__BACKEND__COMMAND": '["python", "-c", "raise SystemExit(\'no luck today\')"]'
        },
    )
    said = failed.stdout + failed.stderr
    assert "no luck today" in said
    assert "gate-failed" in said
    assert answer(f"{small.backend_url}/health") == 200
    after = containers(client, small)
    assert before.items() <= after.items()
    left = set(after) - set(before)
    assert len(left) == 1
    assert client.containers.get(left.pop()).status == "exited"
    small.chatbot("deploy", "local")
    assert set(containers(client, small)) == set(before)


def test_a_process_over_its_memory_limit_is_killed_and_status_says_so(
    project: Project, client: docker.DockerClient
):
    project.variables["CHATBOT__SERVICES__BACKEND__ENVIRONMENT__OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    project.write("local", SMALL + "  backend: {restart: 'no', limits: {memory: 128M}}\n")
    project.chatbot("deploy", "local")
    # A process in the container takes memory until the kernel ends it.
    eat = "data = []\nwhile True: data.append(bytearray(8 << 20))"
    name = f"{project.stack}-backend-1"
    process = client.api.exec_create(name, ["python", "-c", eat])["Id"]
    client.api.exec_start(process)
    assert client.api.exec_inspect(process)["ExitCode"] == 137
    data = project.data("status", "local")
    backend = next(service for service in data["services"] if service["service"] == "backend")
    assert [container["oom_killed"] for container in backend["containers"]] == [True]
    assert "memory" in project.chatbot("status", "local").stdout


def test_a_taken_port_is_named_with_its_holder_and_nothing_is_left_half_done(
    project: Project, client: docker.DockerClient
):
    import socket

    project.variables["CHATBOT__SERVICES__BACKEND__ENVIRONMENT__OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    project.write("local", SMALL)
    with socket.socket() as held:
        held.bind(("127.0.0.1", project.backend_port))
        held.listen()
        done = project.chatbot("deploy", "local", check=4)
    said = done.stdout + done.stderr
    assert str(project.backend_port) in said
    assert str(os.getpid()) in said
    assert [c for c in client.containers.list() if c.name.startswith(project.stack)] == []


def test_ctrl_c_takes_back_what_was_begun(small: Project, client: docker.DockerClient):
    before = containers(client, small)
    process = subprocess.Popen(
        [str(CHATBOT), "deploy", "local"],
        cwd=small.directory,
        env=small.environment(
            CHATBOT__SERVICES__BACKEND__COMMAND='["python", "-c", "import time; time.sleep(600)"]'
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: f"{small.stack}-backend-2" in containers(client, small))
    wait_until(lambda: client.containers.get(f"{small.stack}-backend-2").status == "running")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert answer(f"{small.backend_url}/health") == 200
    running = [c.name for c in client.containers.list() if c.name.startswith(small.stack)]
    assert sorted(running) == sorted(before)
    small.chatbot("deploy", "local")


def test_a_dry_run_writes_nothing(project: Project, client: docker.DockerClient):
    project.write("local", SMALL)
    done = project.chatbot("deploy", "local", "--dry-run")
    assert f"create {project.stack}-backend-1" in done.stdout
    assert containers(client, project) == {}
    assert client.networks.list(filters={"label": f"com.docker.compose.project={project.stack}"}) == []
    assert client.volumes.list(filters={"label": f"com.docker.compose.project={project.stack}"}) == []


def test_two_deploys_at_once_one_is_told_who_deploys(small: Project):
    engine = registry.create_engine("docker")
    assert isinstance(engine, KeepsState)
    engine.lock(small.stack, LockHolder(who="ana@laptop", purpose="deploy", since=time.time()))
    try:
        done = small.chatbot(
            "deploy", "local", check=8, variables={"CHATBOT__SERVICES__BACKEND__LIMITS__MEMORY": "400M"}
        )
    finally:
        engine.unlock(small.stack)
    assert "ana@laptop" in done.stdout + done.stderr


def test_down_keeps_volumes_unless_asked(small: Project, client: docker.DockerClient):
    refused = small.chatbot("down", "local", check=2)
    assert "--yes" in refused.stdout + refused.stderr
    small.chatbot("down", "local", "--yes")
    mine = {"label": f"com.docker.compose.project={small.stack}"}
    assert containers(client, small) == {}
    assert f"{small.stack}_backend-data" in {volume.name for volume in client.volumes.list(filters=mine)}
    small.chatbot("deploy", "local")
    small.chatbot("down", "local", "--volumes", "--yes")
    assert client.volumes.list(filters=mine) == []
    assert client.networks.list(filters=mine) == []


def test_a_service_of_ones_own_is_added_in_yaml_alone(small: Project, client: docker.DockerClient):
    image = next(i["reference"] for i in small.data("status", "local")["images"] if i["service"] == "backend")
    client.api.tag(image, f"{small.name}/own", "1")
    own = f"""\
  own:
    image: {small.name}/own:1
    command: [python, -c, "import time; time.sleep(3600)"]
    user: "1234:1234"
    volumes: ["own-data:/data"]
"""
    before = containers(client, small)
    small.write("local", SMALL + own)
    small.chatbot("deploy", "local")
    after = containers(client, small)
    assert set(after) - set(before) == {f"{small.stack}-own-1"}
    assert before.items() <= after.items()
    assert client.containers.get(f"{small.stack}-own-1").status == "running"


def test_the_staging_and_prod_bundles_are_refused_without_their_secrets(project: Project):
    for environment in ("staging", "prod"):
        done = project.chatbot("deploy", environment, "--yes", check=2)
        assert "JWT_SECRET" in done.stdout + done.stderr
