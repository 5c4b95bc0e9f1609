"""`make` on a machine that lacks something says what; the lock files pin everything and name no host."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD = """#!/bin/sh
case "$1" in --version) echo "Python 3.9.2"; exit 0;; esac
exit 1
"""
WITHOUT_VENV = """#!/bin/sh
case "$1 $2" in
    --version*) echo "Python 3.12.3"; exit 0;;
    *ensurepip*) exit 1;;
esac
exit 0
"""
WITHOUT_NETWORK = """#!/bin/sh
case "$*" in *"pip install"*) echo "no route to the index"; exit 1;; esac
exit 0
"""


def make(folder: Path, target: str, *, python3: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make in a copy of the house's files on a machine whose only Python is the script `python3`."""
    tools = folder / "bin"
    tools.mkdir()
    for tool in ("make", "sh", "mkdir", "touch", "tail", "npm", "find"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    if python3:
        (tools / "python3").write_text(python3)
        (tools / "python3").chmod(0o755)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(
        ["make", target],
        cwd=folder,
        env={"PATH": str(tools), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", ["demo", "test"])
def test_without_python_it_asks_for_python(tmp_path: Path, target: str) -> None:
    result = make(tmp_path, target)
    assert result.returncode != 0
    assert "Laadbewijs needs Python 3.11 to 3.14" in result.stdout
    assert "apt install python3 python3-venv" in result.stdout


def test_an_old_python_is_named(tmp_path: Path) -> None:
    result = make(tmp_path, "demo", python3=OLD)
    assert result.returncode != 0
    assert "Laadbewijs needs Python 3.11 to 3.14, found: Python 3.9.2" in result.stdout


def test_without_the_venv_module_it_names_the_package(tmp_path: Path) -> None:
    result = make(tmp_path, "demo", python3=WITHOUT_VENV)
    assert result.returncode != 0
    assert "Python 3.12.3 is here, but without its venv module" in result.stdout
    assert "apt install python3-venv" in result.stdout


def test_without_network_it_shows_the_end_of_the_report_and_says_where_the_rest_is(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(WITHOUT_NETWORK)
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    result = make(tmp_path, ".venv/.runtime")
    assert result.returncode != 0
    assert "no route to the index" in result.stdout
    assert "The Python packages could not be installed" in result.stdout
    assert "var/setup.log" in result.stdout
    assert not (tmp_path / ".venv" / ".runtime").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-node.txt"])
def test_every_requirement_is_pinned_with_hashes_and_no_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    requirements = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    assert requirements
    assert len(requirements) == len(
        re.findall(r"^\S", re.sub(r"^#.*$", "", text, flags=re.MULTILINE), re.MULTILINE)
    )
    assert len(re.findall(r"\\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(requirements)
    assert "://" not in text


def test_the_front_end_is_pinned_with_checksums_and_no_registry_is_named() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert {"node_modules/htmx.org", "node_modules/uplot"} <= set(installed)
    assert all(package["integrity"].startswith("sha512-") for package in installed.values())
    assert not any("resolved" in package for package in installed.values())


def test_every_front_end_package_is_asked_for_in_one_exact_version() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
