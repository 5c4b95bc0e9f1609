"""Tests of one group share a worker, whatever the newest pytest and pytest-xdist make of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = """\
import pytest

@pytest.mark.parametrize("n", range(8))
def test_alone(n):
    pass

@pytest.mark.xdist_group("few")
@pytest.mark.parametrize("n", range(8))
def test_few(n):
    pass

@pytest.mark.xdist_group("many")
@pytest.mark.parametrize("n", range(20))
def test_many(n):
    pass
"""


def test_a_group_goes_to_one_worker_and_the_largest_begins(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    plugins = ("xdist.plugin", "tests.groups", "no:cacheprovider")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path)),
            *(argument for plugin in plugins for argument in ("-p", plugin)),
            *("-v", "--numprocesses", "2", "--dist", "loadgroup", str(tmp_path)),
        ],
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "36 passed" in ran.stdout, ran.stdout + ran.stderr
    said = re.findall(r"^\[(gw\d)\].* PASSED test_it.py::test_(\w+)\[", ran.stdout, re.MULTILINE)
    workers = {group: {worker for worker, of in said if of == group} for group in ("many", "few", "alone")}
    assert len(workers["many"]) == len(workers["few"]) == 1
    assert workers["many"] != workers["few"]
    assert {group for _, group in said[:2]} <= {"many", "few"}
