"""The API against its own description: schemathesis asks a real server everything that the description offers.

Whatever it asks is answered with a status, a type and a body that the description has, and never with a 500.
`make nightly` gives it ten minutes instead of less than one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from portal.notices.webhooks import services as webhooks
from stations.models.access import Role
from tests.factories import (
    make_api_key,
    make_operator,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_tariff,
    make_token,
)
from tests.fakes.portal import Portal

pytestmark = pytest.mark.xdist_group("portal")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
IDENTITY = "NL-OPEN-0001"
# Names that lead to a row now and then, so that not all ends as "not found".
CONFIG = f"""\
[parameters]
"path.id" = "{IDENTITY}"
"query.station" = "{IDENTITY}"
"""


def key_to_rows() -> str:
    """A station of an operator with what can be asked of it, and a program that may do it all."""
    operator, now = make_operator("open"), timezone.now()
    station = make_station(IDENTITY, operator=operator)
    session = make_session(station, token=make_token("OPEN-1", operator=operator), started_at=now)
    make_reading(station, transaction_id=session.transaction_id, sampled_at=now, import_wh=1200.0)
    make_tariff(operator=operator)
    webhooks.make(operator=operator, name="x", url="http://127.0.0.1:9/", events=["deadline"], now=now)
    return make_api_key(make_staff(operator=operator, role=Role.ADMINISTRATOR))


def asked_by_schemathesis(portal: Portal, folder: Path, *, seconds: int, examples: int) -> str:
    """What it found, in its own words; empty: nothing."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            f"http://127.0.0.1:{portal.port}/api/v1/schema/?format=json",
            *("--header", f"Authorization: Token {key_to_rows()}"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(examples), "--max-time", str(seconds), "--continue-on-failure"),
            *("--suppress-health-check", "all", "--no-color", "--request-timeout", "20", "--warnings", "off"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds + 300,
        check=False,
    )
    told = re.sub(r"Authorization: \S+ \S+", "Authorization: ...", ran.stdout + ran.stderr)
    return "" if ran.returncode == 0 else told


def test_whatever_is_asked_is_answered_as_described(portal: Portal, tmp_path: Path) -> None:
    found = asked_by_schemathesis(portal, tmp_path, seconds=40, examples=10)
    assert not found, found[-20_000:]


@pytest.mark.nightly
def test_whatever_is_asked_for_ten_minutes_is_answered_as_described(portal: Portal, tmp_path: Path) -> None:
    found = asked_by_schemathesis(portal, tmp_path, seconds=600, examples=500)
    assert not found, found[-20_000:]
