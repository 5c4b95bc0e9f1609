"""The sessions of a fleet: found by station, place, card, state and day; with power, cost and the limits that stood."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from stations.models import ChargingSession, QuarterHour
from tests.factories import (
    make_driver,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_site,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.test_tables import client_of, rows_of_csv
from tests.pages.visiting import queries_of, sees, want

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
START = dt.datetime(2026, 7, 1, 10, 0, tzinfo=dt.UTC)


def ended(
    station: Any, *, start: dt.datetime = START, hours: float = 2, wh: float = 8000, **fields: Any
) -> Any:
    said = {
        "started_at": start,
        "ended_at": start + hours * HOUR,
        "state": "ended",
        "start_import_wh": 1000.0,
        "end_import_wh": 1000.0 + wh,
    }
    return make_session(station, **{**said, **fields})


def found(user: Any, **query: str) -> list[str]:
    """The transactions of the list, in its order."""
    answer = client_of(user).get("/sessies/", {"export": "csv", "columns": "start,transaction", **query})
    _head, *lines = rows_of_csv(answer)
    return [line[1] for line in lines]


def test_a_line_has_energy_both_ways_time_power_and_cost() -> None:
    station = make_station("S-1", name="Museumplein 12")
    session = ended(
        station,
        token=make_token(label="Bus 7"),
        start_export_wh=0.0,
        end_export_wh=1500.0,
        cost_at=START,
        cost_incl_tax=Decimal("3.36"),
        cost_excl_tax=Decimal("2.78"),
        cost_currency="EUR",
    )
    make_reading(station, sampled_at=START + HOUR, import_w=7400.0, transaction_id=session.transaction_id)
    make_reading(station, sampled_at=START + 3 * HOUR, import_w=22000.0)  # after it
    page = sees(make_staff(), "/sessies/")
    for words in ("Museumplein 12", "Bus 7", "8.00 kWh", "1.50 kWh", "2 h", "4.0 kW", "7.4 kW", "€ 3.36"):
        assert words in page, words
    assert f"/stations/S-1/sessies/{session.pk}/" in page


def test_the_highest_power_of_a_long_session_is_that_of_its_quarters() -> None:
    station = make_station()
    ended(station, hours=8)
    common: dict[str, Any] = {"station": station, "evse_number": 1, "samples": 60}
    common |= {"import_reads": 60, "export_reads": 0}
    QuarterHour.objects.create(**common, starts_at=START + HOUR, max_import_w=11000.0)
    QuarterHour.objects.create(**common, starts_at=START + 9 * HOUR, max_import_w=22000.0)  # another's
    assert "11.0 kW" in sees(make_staff(), "/sessies/")


def test_what_is_not_known_is_said_and_never_zero() -> None:
    make_session(make_station(), start_import_wh=None, started_at=timezone.now() - HOUR)
    page = sees(make_staff(), "/sessies/")
    assert "not reckoned yet" in page
    assert "0.00 kWh" not in page
    assert "0.0 kW" not in page


def test_limits_that_stood_at_its_station_while_it_ran() -> None:
    now = timezone.now()
    station = make_station("S-1")
    first = ended(station, start=now - 5 * HOUR, hours=1)
    second = ended(station, start=now - HOUR, hours=0.5)
    other = ended(make_station("S-2"), start=now - HOUR, hours=0.5)
    want(station, "Evening peak", confirmed_at=now - 2 * HOUR, requested_at=now - 2 * HOUR)
    staff = make_staff()
    assert found(staff, state="limited") == [second.transaction_id]
    assert {*found(staff)} == {row.transaction_id for row in (first, second, other)}
    answer = client_of(staff).get("/sessies/?export=csv&columns=limits,transaction")
    told = {line[2]: line[1] for line in rows_of_csv(answer)[1:]}
    assert told == {first.transaction_id: "", second.transaction_id: "Evening peak", other.transaction_id: ""}


def test_found_by_station_place_card_state_and_transaction() -> None:
    here = make_station("S-1", site=make_site(name="Plein", address="Kade 4"))
    there = make_station("S-2", site=make_site(name="Elders"))
    bus = ended(here, token=make_token("BUS", label="Bus 7"))
    car = ended(there, token=make_token("CAR", label="Car"))
    running = make_session(there, started_at=START + HOUR, evse_number=2)
    orphan = make_session(there, started_at=None, state="orphan", start_import_wh=None)
    staff = make_staff()
    assert found(staff, q="s-1") == [bus.transaction_id]
    assert found(staff, place="kade") == [bus.transaction_id]
    assert found(staff, card="bus") == [bus.transaction_id]
    assert found(staff, state="active") == [running.transaction_id]
    assert found(staff, transaction=car.transaction_id) == [car.transaction_id]
    assert found(staff, state="orphan") == [orphan.transaction_id]
    assert orphan.transaction_id not in found(staff)


def test_days_are_those_of_here_also_when_the_clock_changes() -> None:
    """25 October 2026 has 25 hours: it ends at 23:00 in UTC, and began at 22:00."""
    station = make_station()
    at = {
        name: ended(station, start=dt.datetime(2026, 10, day, hour, minute, tzinfo=dt.UTC)).transaction_id
        for name, (day, hour, minute) in {
            "before": (24, 21, 59),
            "first": (24, 22, 0),
            "last": (25, 22, 59),
            "after": (25, 23, 0),
        }.items()
    }
    assert found(make_staff(), since="25-10-2026", until="25-10-2026") == [at["last"], at["first"]]


def test_only_who_works_for_the_operator_sees_them() -> None:
    mine = ended(make_station("S-1"))
    ended(make_station("S-2", operator=make_operator("beta")))
    assert found(make_staff()) == [mine.transaction_id]
    for user in (make_official(), make_driver()):
        sees(user, "/sessies/", status=404)
        assert client_of(user).get("/sessies/?export=csv").status_code == 404


def test_queries_do_not_grow_with_sessions() -> None:
    station, staff = make_station(), make_staff()
    ended(station)
    make_session(station, started_at=START + 3 * HOUR)
    few = queries_of(staff, "/sessies/")
    for number in range(20):
        ended(make_station(), token=make_token(f"T{number}"))
    assert ChargingSession.objects.count() == 22
    assert queries_of(staff, "/sessies/") == few
