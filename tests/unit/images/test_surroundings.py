"""What a build takes over from the machine: certificates, proxies, and the labels of its image."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from deploytool.images.certificates import host_bundle
from deploytool.images.labels import image_labels
from deploytool.images.proxies import network_mode, proxy_arguments


def certificate(name: str) -> bytes:
    """Something in the form of a certificate, a different one for each name."""
    body = base64.encodebytes(name.encode() * 20)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    put(tmp_path / "usr/share/ca-certificates/mozilla/public.crt", certificate("public"))
    put(tmp_path / "etc/ssl/certs/ca-certificates.crt", certificate("public"))
    return tmp_path


def test_an_ordinary_machine_hands_on_nothing(machine: Path) -> None:
    system = str(machine / "etc/ssl/certs/ca-certificates.crt")
    assert host_bundle({"SSL_CERT_FILE": system, "PIP_CERT": system}, root=machine) == b""
    assert host_bundle({"PIP_CERT": "/nowhere"}, root=machine) == b""


@pytest.mark.parametrize(
    "place",
    [
        "usr/local/share/ca-certificates/company.crt",
        "usr/local/share/ca-certificates/sub/company.crt",
        "etc/pki/ca-trust/source/anchors/company.pem",
        "etc/pki/trust/anchors/company.pem",
    ],
)
def test_an_added_authority_comes_with_the_whole_bundle_and_once(machine: Path, place: str) -> None:
    put(machine / place, certificate("company"))
    before = host_bundle({}, root=machine)
    assert before.count(b"BEGIN CERTIFICATE") == 2
    system = machine / "etc/ssl/certs/ca-certificates.crt"
    system.write_bytes(system.read_bytes() + certificate("company"))
    assert host_bundle({}, root=machine) == before, "merged or not is the same"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
def test_a_variable_that_names_another_file_counts(machine: Path, name: str) -> None:
    other = put(machine / "home/company.pem", certificate("company"))
    assert host_bundle({name: str(other)}, root=machine).count(b"BEGIN CERTIFICATE") == 2


def test_what_is_no_certificate_is_not_handed_on(machine: Path) -> None:
    put(machine / "usr/local/share/ca-certificates/notes.crt", b"remember to add one")
    assert host_bundle({}, root=machine) == b""


def test_proxies_go_under_both_spellings_and_only_when_set() -> None:
    assert proxy_arguments({"HTTP_PROXY": "", "PATH": "/bin"}) == {}
    found = proxy_arguments({"HTTPS_PROXY": "http://p:3128", "no_proxy": "a,b", "NO_PROXY": "c"})
    assert found == {
        "HTTPS_PROXY": "http://p:3128",
        "https_proxy": "http://p:3128",
        "NO_PROXY": "a,b",
        "no_proxy": "a,b",
    }


@pytest.mark.parametrize(
    ("variables", "mode"),
    [
        ({}, ""),
        ({"http_proxy": "http://proxy.example:3128"}, ""),
        ({"NO_PROXY": "localhost"}, ""),
        ({"http_proxy": "http://127.0.0.1:3128"}, "host"),
        ({"HTTPS_PROXY": "localhost:3128"}, "host"),
        ({"ALL_PROXY": "http://user:word@[::1]:3128"}, "host"),
    ],
)
def test_a_proxy_on_this_machines_loopback_needs_its_network(variables: dict[str, str], mode: str) -> None:
    assert network_mode(variables) == mode


OCI = "org.opencontainers.image."


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-05-06T07:08:09+02:00")
    put(tmp_path / "app/main.py", b"print()")
    put(tmp_path / "README.md", b"x")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "https://user:secret@git.example/team/chatbot.git")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def labels(folder: Path, **environment: str) -> dict[str, str]:
    return image_labels(
        project_dir=folder,
        version="1.2.3",
        title="chatbot/backend",
        environment=environment,
        context=folder / "app",
        base_images={"PYTHON_BASE": "python:3.11"},
    )


def test_labels_of_a_commit(project: Path) -> None:
    found = labels(project)
    assert len(found.pop(f"{OCI}revision")) == 40
    assert found == {
        f"{OCI}title": "chatbot/backend",
        f"{OCI}version": "1.2.3",
        f"{OCI}created": "2024-05-06T05:08:09Z",
        f"{OCI}source": "https://git.example/team/chatbot.git",
        "io.chatbot.base.PYTHON_BASE": "python:3.11",
    }


def test_only_a_change_in_the_context_makes_a_revision_dirty(project: Path) -> None:
    (project / "README.md").write_text("changed")
    assert not labels(project)[f"{OCI}revision"].endswith("-dirty")
    (project / "app/main.py").write_text("changed")
    assert labels(project)[f"{OCI}revision"].endswith("-dirty")


def test_the_time_is_the_sources(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert labels(project, SOURCE_DATE_EPOCH="86400")[f"{OCI}created"] == "1970-01-02T00:00:00Z"
    plain = tmp_path_factory.mktemp("plain")
    file = put(plain / "app/main.py", b"x")
    import os

    os.utime(file, (1_000_000_000, 1_000_000_000))
    found = labels(plain)
    assert found[f"{OCI}created"] == "2001-09-09T01:46:40Z"
    assert f"{OCI}revision" not in found
    assert f"{OCI}source" not in found
