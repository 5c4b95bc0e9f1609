"""Why this limit: the page that names every source of a limit at a moment, and over its day."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from smartcharging.models import ExternalLimit
from tests.factories import make_official, make_staff, make_station
from tests.pages.visiting import queries_of, sees, want

pytestmark = pytest.mark.django_db


def claims(page: str) -> list[list[str]]:
    """The rows of the first table, as texts."""
    table = page[page.index('id="claims-h"') : page.index('id="why-day-h"')]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]
    return [
        [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def test_every_source_is_named_with_its_limit_and_what_came_of_it() -> None:
    station = make_station("S-1", connection_a=25)
    want(station, "Base", limit=20, stack_level=0)
    want(station, "Grid-aware", limit=12)
    page = sees(make_staff(), "/stations/S-1/waarom/")
    assert "Wins: Grid-aware (level 5)" in page
    rows = claims(page)
    assert rows[0] == ["Grid-aware", "5", "limit of the whole station", "12 A", "decides"]
    assert ["Base", "0", "limit of the whole station", "20 A", "a higher level goes first"] in rows
    assert ["Connection", "–", "hardware", "25 A", "leaves as much room or more"] in rows


def test_one_socket_has_an_answer_of_its_own() -> None:
    station = make_station("S-1", connection_a=63)
    want(station, "Whole", limit=40)
    page = sees(make_official(), "/stations/S-1/waarom/?socket=1")
    assert "No profile limits this socket, only the connection and the socket itself" in page
    assert claims(page)[0] == ["Socket A", "–", "hardware", "16 A", "decides"]
    assert ["Whole", "5", "limit of the whole station", "40 A", "leaves as much room or more"] in claims(page)


def test_a_default_of_the_station_is_named_for_each_socket() -> None:
    station = make_station("S-1", connection_a=63)
    want(station, "Low", limit=8, purpose="tx_default", evse_number=0)
    rows = claims(sees(make_staff(), "/stations/S-1/waarom/"))
    assert [row[0] for row in rows if row[4] == "decides"] == ["Low, socket A", "Low, socket B"]


def test_another_moment_of_the_day_has_another_winner() -> None:
    station = make_station("S-1", connection_a=25)
    later = timezone.now() + timedelta(days=1)
    want(station, "Tomorrow", limit=8, start_schedule=later, duration_s=3600)
    local = timezone.localtime(later + timedelta(minutes=5))
    page = sees(make_staff(), f"/stations/S-1/waarom/?day={local:%Y-%m-%d}&time={local:%H:%M}")
    assert claims(page)[0][0] == "Tomorrow"
    assert claims(sees(make_staff(), "/stations/S-1/waarom/"))[0][0] == "Connection"


@pytest.mark.parametrize("query", ["day=1999-01-01", "day=soon", "socket=9", "time=25:00"])
def test_what_cannot_be_asked_is_said_and_now_is_shown(query: str) -> None:
    make_station("S-1", connection_a=25)
    page = sees(make_staff(), f"/stations/S-1/waarom/?{query}")
    assert "laad-field--invalid" in page
    assert claims(page)[0][0] == "Connection"


def test_the_day_stands_in_a_table_beside_the_picture() -> None:
    station = make_station("S-1", connection_a=25)
    # Ends ten minutes from now: a part of this day, also just before or after midnight.
    want(station, "Grid-aware", limit=12, start_schedule=timezone.now(), duration_s=600)
    page = sees(make_staff(), "/stations/S-1/waarom/")
    table = page[page.index('id="why-table-h"') :]
    assert table.count("<tr") >= 3
    assert "<svg" in page
    assert "Grid-aware" in table


@pytest.mark.parametrize("address", ["/stations/S-1/waarom/", "/stations/S-1/"])
def test_twelve_profiles_cost_no_more_queries_than_one(address: str) -> None:
    station = make_station("S-1")
    want(station, "One", stack_level=0)
    staff = make_staff()
    few = queries_of(staff, address)
    for level in range(1, 12):
        want(station, f"Level {level}", stack_level=level)
    assert queries_of(staff, address) == few <= 15


def test_what_others_set_counts_and_is_named() -> None:
    station = make_station("S-1", connection_a=25, version="2.0.1")
    want(station, "Ours", limit=20)
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9}]}
    limit = ExternalLimit.objects.create(
        station=station,
        evse_number=0,
        source="SO",
        schedules=[schedule],
        since=timezone.now() - timedelta(hours=1),
        event_id=1,
    )
    page = sees(make_staff(), "/stations/S-1/waarom/")
    assert claims(page)[0] == ["the grid operator (SO)", "–", "limit of others", "9 A", "decides"]
    assert "Wins: the grid operator (SO)" in page
    assert "Wins: the grid operator (SO)" in sees(make_staff(), "/stations/S-1/")

    limit.cleared_at = timezone.now()
    limit.save()
    assert claims(sees(make_staff(), "/stations/S-1/waarom/"))[0][0] == "Ours"
