"""The page of settings says what the registry holds, the same on every machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from portal import configuration, env

ROOT = Path("/srv/laadbewijs")


def variable(name: str, default: str = "") -> env.Variable:
    return env.Variable(name, "Services", default, "text", "Where it is kept.", str)


def pages(*variables: env.Variable) -> tuple[str, str]:
    made = configuration.pages({each.name: each for each in variables}, ROOT)
    return made[ROOT / "docs" / "configuration.md"], made[ROOT / ".env.example"]


def test_a_variable_is_shown_with_its_type_default_and_text() -> None:
    page, example = pages(variable("PLACE", "here"))
    assert "## Services" in page
    assert "| `PLACE` | text | `here` | Where it is kept. |" in page
    assert "# Where it is kept.\n#PLACE=here\n" in example


def test_a_default_below_the_checkout_does_not_tell_where_the_checkout_is() -> None:
    page, example = pages(variable("PLACE", f"sqlite:///{ROOT}/var/db.sqlite3"))
    assert "`sqlite:///var/db.sqlite3`" in page
    assert str(ROOT) not in page + example


def test_every_setting_of_the_portal_is_on_its_page() -> None:
    made = configuration.pages(env.REGISTRY, settings.BASE_DIR)
    page = made[settings.BASE_DIR / "docs" / "configuration.md"]
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= set(env.REGISTRY)
    assert all(f"| `{name}` |" in page for name in env.REGISTRY)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "", "set, but empty. Give it a value, or remove it."),
        ("DATABASE_URL", "db.example.org/hidden", "sqlite:///path"),
        ("SECRET_KEY", "", "set, but empty. Give it a value, or remove it."),
        ("REDIS_URL", "db.example.org/hidden", "redis://host:port/db"),
        ("PUBLIC_URL", " ", "set, but empty. Give it a value, or remove it."),
    ],
)
def test_a_value_that_got_lost_ends_the_process_with_one_line(name: str, value: str, says: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        cwd=settings.BASE_DIR,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{name}: ")
    assert says in line
    assert "docs/configuration.md" in line
    assert "hidden" not in line


def test_no_redis_may_be_said_as_nothing() -> None:
    """Who starts many kinds of installation from one environment can only empty it."""
    told = subprocess.run(
        [sys.executable, "-c", "from portal.settings import CELERY_BROKER_URL; print(CELERY_BROKER_URL)"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "memory://localhost/"
