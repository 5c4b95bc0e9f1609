"""What a script reads of the quarter-hours of a station."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from rest_framework.test import APIClient

from stations.models import Station
from stations.rollups import roll_up_new
from tests.api.conftest import Signed
from tests.factories import NOW, make_reading, make_staff, make_station

QUARTER = dt.timedelta(minutes=15)


@pytest.fixture
def station(db: None) -> Station:
    station = make_station("NL-ALF-E1*1")
    for number in range(5):
        make_reading(station, sampled_at=NOW + number * QUARTER, import_wh=1000.0 + 500 * number)
    make_reading(station, sampled_at=NOW, evse_number=2, import_w=3000.0)
    roll_up_new(now=NOW)
    return station


@pytest.fixture
def alice(station: Station, signed: Signed) -> APIClient:
    return signed(make_staff())


def ask(client: APIClient, station: Station, **query: Any) -> dict[str, object]:
    path = f"/api/v1/stations/{station.identity}/quarter-hours/"
    answer: dict[str, object] = client.get(path, query).json()
    return answer


def test_quarters_of_one_evse_page_by_page(alice: APIClient, station: Station) -> None:
    start, end = NOW.isoformat(), (NOW + 4 * QUARTER).isoformat()
    answer = ask(alice, station, start=start, end=end, evse=1, limit=3)
    assert answer["count"] == 4
    assert [row["import_wh"] for row in answer["results"]] == [500.0, 500.0, 500.0]  # type: ignore[attr-defined]
    answer = ask(alice, station, start=start, end=end, evse=1, limit=3, offset=3)
    (last,) = answer["results"]  # type: ignore[misc]
    assert last["starts_at"].startswith("2026-07-01T14:45")  # type: ignore[has-type]


def test_a_quarter_without_registers_has_a_power_and_no_energy(alice: APIClient, station: Station) -> None:
    (row,) = ask(alice, station, start=NOW.isoformat(), evse=2)["results"]  # type: ignore[misc]
    assert (row["import_wh"], row["mean_import_w"], row["samples"]) == (None, 3000.0, 1)  # type: ignore[has-type]


def test_too_long_and_upside_down_are_refused(alice: APIClient, station: Station) -> None:
    assert "start" in ask(alice, station, start="2020-01-01T00:00:00Z", end="2026-01-01T00:00:00Z")
    assert "start" in ask(alice, station, start="2026-01-02T00:00:00Z", end="2026-01-01T00:00:00Z")
