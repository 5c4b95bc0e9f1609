"""What people and stations may write as text is text: on no page HTML, in no spreadsheet a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.utils.html import escape

from stations.models import AuditEntry, Command
from tests.factories import NOW
from tests.pages.test_access import World
from tests.security.asking import asked, lines, path_of, roles_that
from tests.security.nasty import fill

pytestmark = pytest.mark.django_db

HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
# Told apart however much of it a column took.
ACTIVE = re.compile(r"<script>al|<img src=x|<script>\s*$", re.IGNORECASE)
SHORT = "'><b>x</b>"
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1")


def is_number(cell: str) -> bool:
    """A minus before a figure is none."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _text(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode("utf-8-sig"))


def make_log(world: World, text: str) -> None:
    site = world.station.site
    about: dict[str, Any] = {"operator": site.operator, "municipality": site.concession.municipality}
    AuditEntry.objects.create(
        at=NOW,
        who=text,
        party=text,
        role="administrator",
        door="page",
        action="changed",
        model="stations.station",
        key="1",
        label=text,
        station=world.station,
        changes={"name": [text, text]},
        request_id="0",
        **about,
    )


@pytest.mark.parametrize("text", [HTML, SHORT])
def test_no_text_is_html_on_any_page(world: World, text: str) -> None:
    make_log(world, text)
    Command.objects.update(payload={"a": text, text: "a"}, response={"status": text}, error=text)
    assert fill(text) > 80
    wrong, shown = [], 0
    for line in lines(writing=False):
        for role in dict.fromkeys((roles_that(line, "200") or [""])[:1] + roles_that(line, "200")[-1:]):
            if not role:
                continue
            with asked(line, world, role) as answer:
                if answer.status_code != 200:
                    wrong.append(f"{line}: {role} gets {answer.status_code}")
                elif answer.headers.get("Content-Type", "").startswith("text/html"):
                    body = answer.content.decode()
                    shown += escape(text)[:12] in body
                    if text in body or ACTIVE.search(body):
                        wrong.append(f"{line}: {role} gets it as HTML")
    assert wrong == []
    assert shown


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_in_any_file(world: World, text: str) -> None:
    make_log(world, text)
    fill(text)
    files = [line for line in lines(writing=False) if line.address.endswith(".csv")]
    assert len(files) >= 8
    seen = 0
    for line in files:
        for role in roles_that(line, "200"):
            with asked(line, world, role) as answer:
                assert answer.status_code == 200, path_of(line, world)
                rows = list(csv.reader(io.StringIO(_text(answer), newline="")))
            cells = [cell for row in rows for cell in row]
            seen += sum(text in cell for cell in cells)
            active = [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
            assert [cell for cell in active if not is_number(cell)] == [], line
    assert seen
