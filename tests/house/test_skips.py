"""In CI a skip fails, unless it is one that this run cannot help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import NOT_REPRODUCED, ONLY_ON_POSTGRESQL, ONLY_ON_SQLITE, ONLY_WITH_REDIS

TESTS = """\
import pytest

def test_skips():
    pytest.skip("{reason}")

@pytest.mark.xfail(strict=True, reason="known")
def test_expected_failure():
    assert False
"""
ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(text)
    clean = {
        name: value for name, value in os.environ.items() if name not in {"CI", "DATABASE_URL", "REDIS_URL"}
    }
    plugins = ["-p", "tests.skips", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(folder), *plugins, str(folder)],
        env={**clean, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_outside_ci_a_skip_is_a_skip(tmp_path: Path) -> None:
    result = run(tmp_path, TESTS.format(reason="no browser here"))
    assert result.returncode == 0, result.stdout
    assert "1 skipped, 1 xfailed" in result.stdout


def test_in_ci_a_skip_fails_and_says_why(tmp_path: Path) -> None:
    result = run(tmp_path, TESTS.format(reason="no browser here"), CI="true")
    assert result.returncode == 1
    assert "skipped, which CI does not allow: no browser here" in result.stdout
    assert "1 failed, 1 xfailed" in result.stdout


def test_in_ci_a_file_that_skips_itself_fails_too(tmp_path: Path) -> None:
    result = run(tmp_path, 'import pytest\npytest.skip("no data", allow_module_level=True)\n', CI="true")
    assert result.returncode != 0
    assert "skipped, which CI does not allow: no data" in result.stdout


@pytest.mark.parametrize(
    ("reason", "environment", "allowed"),
    [
        (ONLY_ON_POSTGRESQL, {}, True),
        (ONLY_WITH_REDIS, {}, True),
        (NOT_REPRODUCED, {}, True),
        (ONLY_ON_SQLITE, {}, False),
        (ONLY_ON_SQLITE, {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://r/0"}, True),
        (ONLY_ON_POSTGRESQL, {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://r/0"}, False),
        (ONLY_WITH_REDIS, {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://r/0"}, False),
    ],
)
def test_a_test_of_the_other_database_may_be_skipped(
    tmp_path: Path, reason: str, environment: dict[str, str], allowed: bool
) -> None:
    result = run(tmp_path, TESTS.format(reason=reason), CI="true", **environment)
    assert (result.returncode == 0) is allowed, result.stdout
