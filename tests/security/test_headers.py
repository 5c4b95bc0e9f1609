"""What every answer says to a browser; and what an installation for production says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.databases import Databases
from tests.pages.test_access import World
from tests.security.asking import BY_LINK, asked, lines, roles_that

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "no",
    "HTTPS": "yes",
    "TRUSTED_PROXY": "yes",
    "SECRET_KEY": "Aa1!" + "a-key-that-is-long-and-of-many-letters-0123456789-xyz",
    "ALLOWED_HOSTS": "laden.example",
    "PUBLIC_URL": "https://laden.example",
}
WANTED = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy_of(header: str) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in header.split(";"))
    return {name: value for name, _space, value in parts if name}


@pytest.mark.django_db
def test_every_answer_has_the_policy_and_none_lets_anything_unsafe_in(world: World) -> None:
    wrong = []
    for line in lines(writing=False):
        if line.address.startswith(BY_LINK):
            continue
        role = (roles_that(line, "200", "204", "->") or ["superuser"])[-1]
        with asked(line, world, role) as answer:
            said = answer.headers.get("Content-Security-Policy", "")
            policy = policy_of(said)
            if any(policy.get(name) != value for name, value in WANTED.items()) or "unsafe" in said:
                wrong.append(f"{line}: {said!r}")
            if answer.headers.get("X-Content-Type-Options") != "nosniff":
                wrong.append(f"{line}: may be sniffed")
            if answer.headers.get("X-Frame-Options") != "DENY":
                wrong.append(f"{line}: may be framed")
            if answer.headers.get("Referrer-Policy") != "same-origin":
                wrong.append(f"{line}: tells others where one comes from")
    assert wrong == []


@pytest.mark.django_db
def test_an_error_has_the_policy_too(world: World) -> None:
    for path in ("/no-such-page/", "/stations/NO-SUCH/", "/api/v1/stations/NO-SUCH/"):
        world.client.cookies = world.cookies["manager"]
        answer = world.client.get(path)
        assert answer.status_code == 404
        assert policy_of(answer.headers["Content-Security-Policy"])["default-src"] == "'none'"


# ---------------------------------------------------------------- in production


def as_in_production(*command: str, database: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: settings are read from the environment once."""
    environment = {**os.environ, **PRODUCTION, "DATABASE_URL": database}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_django_finds_nothing_to_say_of_a_production(tmp_path: Path) -> None:
    none = f"sqlite:///{tmp_path / 'none.sqlite3'}"
    checked = as_in_production("manage.py", "check", "--deploy", "--fail-level", "INFO", database=none)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


SEEN = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
client = Client(headers={"host": "laden.example"})
plain = client.get("/account/login/")
page = client.get("/account/login/", secure=True)
from portal.accounts.models import User
user = User.objects.create_user("a@example.test", "right-and-long-enough")
body = {"login": "a@example.test", "password": "right-and-long-enough"}
answer = client.post("/account/login/", body, secure=True, headers={"referer": "https://laden.example/"})
cookies = {**page.cookies, **answer.cookies}
print(json.dumps({
    "plain": [plain.status_code, plain["Location"]],
    "hsts": page.headers["Strict-Transport-Security"],
    "cookies": {name: {key: cookie[key] for key in ("secure", "httponly", "samesite")}
                for name, cookie in cookies.items()},
}))
"""


def test_a_production_speaks_tls_alone_and_its_cookies_leave_by_nothing_else(databases: Databases) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    seen = as_in_production("-c", SEEN, database=databases.url(databases.new()))
    assert seen.returncode == 0, seen.stderr
    said: dict[str, Any] = json.loads(seen.stdout.splitlines()[-1])
    assert said["plain"] == [301, "https://laden.example/account/login/"]
    assert said["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert {"sessionid", "csrftoken"} <= set(said["cookies"])
    for name, flags in said["cookies"].items():
        assert flags["secure"], name
        assert flags["samesite"] == "Lax", name
    assert said["cookies"]["sessionid"]["httponly"]
