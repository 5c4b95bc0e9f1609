"""The stack of profiles: what wins is filled, each segment asks why, and the table beside it says the same."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from portal.pages.charts import day_of
from stations.models import Command
from tests.factories import make_staff, make_station
from tests.pages.visiting import sees, want

pytestmark = pytest.mark.django_db

LINK = re.compile(
    r'<a href="(?P<url>[^"]+)" aria-label="(?P<name>[^"]+)"(?P<stop> tabindex="-1")?>'
    r'<rect class="(?P<css>win|lose)"'
)


@pytest.fixture
def page() -> str:
    """Of a day on which level 7 wins from its begin until noon over level 5, which lasts all day."""
    station = make_station("S-1")
    start, end = day_of(timezone.now())
    day: dict[str, Any] = {"start_schedule": start, "requested_at": start - dt.timedelta(hours=2)}
    want(station, "Whole day", limit=12.0, duration_s=int((end - start).total_seconds()), **day)
    want(station, "Morning", limit=8.0, stack_level=7, duration_s=12 * 3600, **day)
    before = start - dt.timedelta(hours=1)
    Command.objects.update(sent_at=before, answered_at=before)  # both stood at midnight
    return sees(make_staff(), "/stations/S-1/")


def test_a_segment_leads_to_why_at_its_own_beginning(page: str) -> None:
    links = [match.groupdict() for match in LINK.finditer(page)]
    assert links
    for link in links:
        address = urlsplit(unescape(link["url"]))
        assert address.path == "/stations/S-1/waarom/"
        assert set(parse_qs(address.query)) == {"socket", "day", "time"}
    night = next(link for link in links if link["name"] == "Why 8 A from 00:00 to 12:00?")
    answer = sees(make_staff(), unescape(night["url"]))
    assert "Limit on" in answer
    assert "00:00" in answer
    assert "<strong>8<small>A</small></strong>" in answer


def test_the_keyboard_stops_at_what_is_in_force_and_the_table_has_the_rest(page: str) -> None:
    wide = page.split('aria-labelledby="stack-wide"')[1].split("</svg>", maxsplit=1)[0]
    stops = [match["name"] for match in LINK.finditer(wide) if not match["stop"]]
    assert stops == ["Why 8 A from 00:00 to 12:00?", "Why 12 A from 12:00 to 24:00?"]
    table = page.split('id="stack-table"')[1].split("</table>", maxsplit=1)[0]
    for link in LINK.finditer(wide):
        assert f'href="{link["url"]}"' in table


def test_what_wins_is_filled_and_what_applies_without_deciding_is_not(page: str) -> None:
    wide = page.split('aria-labelledby="stack-wide"')[1].split("</svg>", maxsplit=1)[0]
    named = {(match["css"], match["name"]) for match in LINK.finditer(wide)}
    assert ("win", "Why 12 A from 12:00 to 24:00?") in named
    assert ("win", "Why 12 A from 00:00 to 24:00?") not in named
    assert ("lose", "Why 12 A from 00:00 to 24:00?") in named


def test_the_table_says_who_decides_and_what_is_in_force(page: str) -> None:
    table = page.split('id="stack-table"')[1].split("</table>", maxsplit=1)[0]
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in table.split("</tr>")]
    assert any(row.startswith("7 Morning") and row.endswith("00:00–12:00 8 A yes") for row in rows)
    assert any(row.endswith("00:00–12:00 12 A no") for row in rows)
    assert any(row.endswith("12:00–24:00 12 A yes") for row in rows)
    assert any(row.startswith("In force") and row.endswith("00:00–12:00 8 A Morning") for row in rows)
    assert any(row.endswith("12:00–24:00 12 A Whole day") for row in rows)


def test_a_drawing_with_links_is_no_picture(page: str) -> None:
    assert 'role="group" aria-labelledby="stack-wide"' in page
    assert 'role="img" aria-labelledby="power-wide"' in page
