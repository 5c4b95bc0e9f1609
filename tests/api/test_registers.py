"""What a script sees of the registers: the last ones of each EVSE, and why a session's energy is not known."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from stations.models import Station
from tests.api.conftest import Signed
from tests.factories import make_reading, make_session, make_staff, make_station

API = "/api/v1"
DAY = dt.timedelta(days=1)


@pytest.fixture
def station(db: None) -> Station:
    return make_station("NL-ALF-E1*1")


@pytest.fixture
def alice(station: Station, signed: Signed) -> APIClient:
    """Works for the operator of the station."""
    return signed(make_staff())


def test_the_last_registers_of_a_station_that_stood_idle_for_a_month(
    alice: APIClient, station: Station
) -> None:
    """Also where the export comes in a message of its own."""
    then = timezone.now() - 30 * DAY
    make_reading(station, sampled_at=then - dt.timedelta(minutes=1), import_wh=4_000.0, export_wh=90.0)
    make_reading(station, sampled_at=then, import_wh=5_000.0)
    make_station("NL-ALF-E1*2", evses=1)

    answer = alice.get(f"{API}/registers/?station={station.identity}").json()

    first, second = answer["results"]
    assert (first["station"], first["evse"], first["import_wh"], first["export_wh"]) == (
        "NL-ALF-E1*1",
        1,
        5_000.0,
        90.0,
    )
    assert first["export_at"] < first["import_at"]
    assert (second["evse"], second["import_wh"], second["export_at"]) == (2, None, None)


def test_what_was_read_too_long_ago_is_not_the_register_of_now(alice: APIClient, station: Station) -> None:
    make_reading(station, sampled_at=timezone.now() - 100 * DAY, import_wh=5_000.0)
    assert alice.get(f"{API}/registers/").json()["results"][0]["import_wh"] is None


def test_a_session_whose_register_fell_says_so(alice: APIClient, station: Station) -> None:
    make_session(station, state="ended", import_fall="reset", start_export_wh=5.0, end_export_wh=9.0)
    (session,) = alice.get(f"{API}/sessions/").json()["results"]
    assert (session["energy_wh"], session["import_fall"]) == (None, "reset")
    assert (session["exported_wh"], session["export_fall"]) == (4.0, "")


# ---------------------------------------------------------------- over time


def test_the_series_tells_both_registers_as_they_came_with_what_stands_out(
    alice: APIClient, station: Station
) -> None:
    since = timezone.now().replace(microsecond=0) - DAY / 2
    for minute, import_wh, export_wh in ((0, 5_000_003.0, 3.0), (1, 20.0, 103.0), (2, 120.0, 203.0)):
        at = since + dt.timedelta(minutes=minute)
        make_reading(station, sampled_at=at, import_wh=import_wh, export_wh=export_wh, export_w=6_000.0)

    answer = alice.get(f"{API}/registers/{station.identity}/?limit=2").json()

    assert (answer["count"], answer["evse"], len(answer["results"])) == (3, 1, 2)
    assert answer["results"][1]["import_wh"] == 20.0
    assert answer["results"][1]["export_w"] == 6_000.0
    assert answer["registers"]["import"] == {"first_wh": 5_000_003.0, "last_wh": 120.0, "rise_wh": None}
    assert answer["registers"]["export"]["rise_wh"] == 200.0
    (mark,) = answer["marks"]
    assert (mark["what"], mark["register"], mark["before_wh"], mark["after_wh"]) == (
        "reset",
        "import",
        5_000_003.0,
        20.0,
    )
    (last,) = alice.get(answer["next"]).json()["results"]
    assert last["import_wh"] == 120.0


def test_a_window_is_asked_for_with_from_and_to(alice: APIClient, station: Station) -> None:
    for hour in range(5):
        make_reading(
            station, sampled_at=dt.datetime(2026, 7, 1, hour, tzinfo=dt.UTC), import_wh=5_000.0 + hour
        )
    url = f"{API}/registers/{station.identity}/"
    window = {"from": "2026-07-01T01:00:00Z", "to": "2026-07-01T03:00:00Z"}
    assert alice.get(url, window).json()["count"] == 2
    assert alice.get(url, {"from": window["from"]}).json()["count"] == 4, "a day, if not said"
    assert alice.get(url, {**window, "evse": "2"}).json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-07-01T00:00:00Z", "to": "2026-07-09T00:00:00Z"}, "from"),
        ({"from": "2026-07-02T00:00:00Z", "to": "2026-07-01T00:00:00Z"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"evse": -1}, "evse"),
    ],
)
def test_a_window_that_is_none_names_its_field(
    alice: APIClient, station: Station, query: dict[str, str], field: str
) -> None:
    answer = alice.get(f"{API}/registers/{station.identity}/", query)
    assert (answer.status_code, list(answer.json())) == (400, [field])
