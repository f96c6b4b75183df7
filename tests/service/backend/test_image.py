"""What the image is made from: the locked requirements, and the slimming of what they install."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pydantic_core
from backend_support.servers import BACKEND

_ROOT = BACKEND.parents[1]


def test_the_locked_requirements_are_those_of_the_project() -> None:
    uv = Path(sys.executable).with_name("uv")
    exported = subprocess.run(
        [
            *(str(uv), "export", "--only-group", "service", "--frozen", "--no-header"),
            *("--format", "requirements-txt", "--offline"),
        ],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    locked = (BACKEND / "requirements.lock").read_text()
    assert locked == exported
    packages = [line for line in locked.splitlines() if "==" in line]
    assert len(packages) > 30
    assert locked.count("--hash=sha256:") >= len(packages)


def test_a_slimmed_tree_is_smaller_and_still_works(tmp_path: Path) -> None:
    installed = Path(pydantic_core.__file__).parent
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    shutil.copytree(installed, packages / "pydantic_core")
    shutil.copy2(Path(sys.modules["typing_extensions"].__file__ or ""), packages)
    (packages / "cffi").mkdir()
    (packages / "cffi" / "api.py").write_text("unused = True\n")
    (packages / "pydantic_core" / "source.pyx").write_text("not needed\n")
    spec = importlib.util.spec_from_file_location("slim", BACKEND / "build" / "slim.py")
    assert spec is not None
    assert spec.loader is not None
    slim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(slim)
    before = slim.size_of(tmp_path)
    slim.main(tmp_path)
    assert slim.size_of(tmp_path) < before
    assert not (packages / "cffi").exists()
    assert not list(packages.rglob("*.pyx"))
    program = "import pydantic_core; print(pydantic_core.to_json([1]), pydantic_core.__file__)"
    told = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:] = [{str(packages)!r}, *sys.path]; {program}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert told.startswith("b'[1]'")
    assert str(tmp_path) in told
