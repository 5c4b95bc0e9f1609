"""The sessions of a fleet: found by station, place, card, state and day; with power, cost and the limits that stood."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from smartcharging.models import ExternalLimit, ProfileReport, ReportedProfile
from stations.models import ChargingSession, Command, QuarterHour
from tests.factories import (
    make_command,
    make_driver,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_site,
    make_staff,
    make_station,
    make_superuser,
    make_tariff,
    make_token,
)
from tests.pages.test_tables import client_of, rows_of_csv
from tests.pages.visiting import MOST_QUERIES, queries_of, sees, want

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


def told_limits(user: Any) -> dict[str, tuple[str, str]]:
    """By transaction: which limits stood, and what decided."""
    answer = client_of(user).get("/sessies/?export=csv&columns=limits,transaction")
    head, *lines = rows_of_csv(answer)
    assert head[1:3] == ["Limits that stood", "What decided"]
    return {line[3]: (line[1], line[2]) for line in lines}


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
    station = make_station()
    make_session(station, start_import_wh=None, started_at=timezone.now() - HOUR)
    ended(station)  # and its cost was not written down
    page = sees(make_staff(), "/sessies/")
    assert page.count("not reckoned yet") == 1
    assert "The operator gave no price for this session." in page
    assert "0.00 kWh" not in page
    assert "0.0 kW" not in page


def test_limits_that_stood_at_its_station_while_it_ran() -> None:
    now = timezone.now()
    station = make_station("S-1")
    first = ended(station, start=now - 5 * HOUR, hours=1)
    second = ended(station, start=now - HOUR, hours=0.5)
    other = ended(make_station("S-2"), start=now - HOUR, hours=0.5)
    before = now - 2 * HOUR
    want(station, "Evening peak", confirmed_at=before, requested_at=before, start_schedule=before)
    staff = make_staff()
    assert found(staff, state="limited") == [second.transaction_id]
    assert {*found(staff)} == {row.transaction_id for row in (first, second, other)}
    assert told_limits(staff) == {
        first.transaction_id: ("", ""),
        second.transaction_id: ("Evening peak", "Evening peak"),
        other.transaction_id: ("", ""),
    }


# ---------------------------------------------------------------- what it costs so far
def running(station: Any, *, wh: float | None, ago: dt.timedelta = HOUR, **fields: Any) -> Any:
    """A session of `ago`, of which the register told how much it took so far."""
    now = timezone.now()
    session = make_session(station, started_at=now - ago, received_at=now - ago, **fields)
    if wh is not None:
        make_reading(
            station,
            evse_number=fields.get("evse_number", 1),
            sampled_at=now - dt.timedelta(minutes=1),
            import_wh=1000.0 + wh,
        )
    return session


def costs(user: Any) -> dict[str, list[str]]:
    """By transaction: with and without taxes, and the currency, as the file has them."""
    answer = client_of(user).get("/sessies/?export=csv&columns=cost,transaction")
    return {line[4]: line[1:4] for line in rows_of_csv(answer)[1:]}


def test_a_running_session_costs_what_its_driver_sees_it_cost_so_far() -> None:
    driver = make_driver()
    make_tariff(price_per_kwh="0.4000")
    session = running(make_station("S-1"), wh=5000.0, token=make_token(user=driver))
    page = sees(make_staff(), "/sessies/")
    assert "€ 2.00" in page
    assert "so far" in page
    assert "not reckoned yet" not in page
    assert "€ 2.00" in sees(driver, "/mijn/laden/")
    told = costs(make_staff())[session.transaction_id]
    assert (float(told[0]), told[2]) == (2.0, "EUR")


def test_each_costs_by_the_tariff_of_its_own_station_and_by_its_own_readings() -> None:
    make_tariff(price_per_kwh="0.4000")
    other = make_operator("beta")
    make_tariff(operator=other, price_per_kwh="1.0000")
    station = make_station("S-1")
    first, second = running(station, wh=5000.0), running(station, wh=2500.0, evse_number=2)
    third = running(make_station("S-2", operator=other), wh=1000.0)
    both = make_superuser()
    told = {key: float(cost[0]) for key, cost in costs(both).items()}
    assert told == {first.transaction_id: 2, second.transaction_id: 1, third.transaction_id: 1}


NIGHT = [
    {"price_components": [{"type": "ENERGY", "price": 0.2, "step_size": 1}], "restrictions": {"max_kwh": 2}},
    {"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]},
]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 2.0),  # one price: 5 kWh at 0.40
        ({"elements": NIGHT}, 1.9),  # two prices: 2 kWh at 0.20, 3 kWh at 0.50
        ({"credits_export": True}, 1.6),  # what was given back is taken off: 4 kWh
    ],
)
def test_whatever_the_tariff_the_list_says_what_the_page_of_the_session_says(
    fields: dict[str, Any], expected: float
) -> None:
    make_tariff(price_per_kwh="0.4000", **fields)
    session = running(make_station("S-1"), wh=None)
    for minutes, (taken, given) in enumerate([(0.0, 0.0), (2000.0, 1000.0), (5000.0, 1000.0)], start=1):
        make_reading(
            session.station,
            sampled_at=session.started_at + dt.timedelta(minutes=minutes),
            import_wh=1000.0 + taken,
            export_wh=given,
        )
    staff = make_staff()
    assert float(costs(staff)[session.transaction_id][0]) == expected
    assert f"€ {expected:.2f}" in sees(staff, "/sessies/")
    assert f"€ {expected:.2f}" in sees(staff, f"/stations/S-1/sessies/{session.pk}/")


def test_what_is_not_measured_yet_has_no_cost_and_says_why() -> None:
    make_tariff()
    session = running(make_station(), wh=None)
    page = sees(make_staff(), "/sessies/")
    assert "The energy of this session is not known." in page
    assert costs(make_staff())[session.transaction_id] == ["", "", "EUR"]


# ---------------------------------------------------------------- which limit decided
def limited(**fields: Any) -> Any:
    """A session of two hours that has ended an hour ago, at a station of 3 x 25 A with sockets of 16 A."""
    station = make_station(f"S-{ChargingSession.objects.count()}", **fields)
    return ended(station, start=timezone.now() - 3 * HOUR)


def stands(session: Any, name: str, **fields: Any) -> Any:
    """A limit that the station had since long before the session; it outlives it, unless it is said otherwise."""
    before = session.started_at - HOUR
    said = {
        "start_schedule": before,
        "duration_s": 86_400,
        "requested_at": before,
        "confirmed_at": before,
        "settled_at": before,
    }
    row = want(session.station, name, **{**said, **fields})
    Command.objects.filter(delivery__desired=row).update(answered_at=before)
    return row


def test_the_lowest_of_the_limits_that_stood_decided() -> None:
    session = limited()
    stands(session, "Evening", limit=12.0, stack_level=1)
    stands(session, "Grid", limit=8.0, purpose="tx_default", stack_level=3)
    assert told_limits(make_staff()) == {session.transaction_id: ("Grid, Evening", "Grid")}
    assert "decided: Grid" in sees(make_staff(), "/sessies/")


def test_a_limit_above_what_the_socket_can_do_decided_nothing() -> None:
    session = limited()
    stands(session, "Wide", limit=20.0)
    assert told_limits(make_staff()) == {session.transaction_id: ("Wide", "the socket")}


def test_what_decided_one_after_the_other_is_told_in_order_of_time() -> None:
    session = limited()
    stands(session, "First", limit=10.0, stack_level=1, valid_to=session.started_at + HOUR)
    stands(session, "Later", limit=12.0, purpose="tx_default", stack_level=2)
    assert told_limits(make_staff()) == {session.transaction_id: ("Later, First", "First, Later")}


@pytest.mark.parametrize("limit", [6.0, 12.0, 20.0])
def test_it_is_what_the_page_of_why_says_of_that_moment(limit: float) -> None:
    session = limited(version="2.0.1")
    stands(session, "Evening", limit=limit, purpose="tx_default")
    stands(session, "Street", limit=11.0)
    (_stood, decided), *_ = told_limits(make_staff()).values()
    middle = timezone.localtime(session.started_at + HOUR)
    page = sees(
        make_staff(),
        f"/stations/{session.station.identity}/waarom/",
        socket=1,
        day=f"{middle:%d-%m-%Y}",
        time=f"{middle:%H:%M}",
    )
    (winner,) = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*?decides(?:(?!</tr>).)*</tr>", page)
    assert decided in winner or decided.removeprefix("the ").capitalize() in winner


def test_where_others_set_a_limit_too_the_list_says_so_and_decides_nothing() -> None:
    session = limited(version="2.0.1")
    stands(session, "Evening", limit=12.0)
    at = session.started_at + HOUR
    row = ExternalLimit.objects.create(
        station=session.station, evse_number=0, source="EMS", since=at, event_id=1
    )
    assert told_limits(make_staff()) == {session.transaction_id: ("Evening", "")}
    page = sees(make_staff(), "/sessies/")
    assert "others set a limit too; see the session" in page
    assert "decided:" not in page
    row.since = timezone.now() - HOUR / 2  # after it
    row.save()
    assert told_limits(make_staff()) == {session.transaction_id: ("Evening", "Evening")}


def test_a_profile_of_others_on_the_last_list_of_the_station_counts_as_theirs() -> None:
    session = limited(version="2.0.1")
    ours = stands(session, "Evening", limit=12.0)
    report = ProfileReport.objects.create(
        station=session.station,
        command=make_command(session.station, "GetChargingProfiles", state="accepted"),
        request_id=1,
        asked_at=session.started_at,
        state="complete",
    )
    listed = {"report": report, "evse_number": 0, "profile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    ReportedProfile.objects.create(**listed, source="CSO", profile_id=ours.profile_id)
    assert told_limits(make_staff()) == {session.transaction_id: ("Evening", "Evening")}
    ReportedProfile.objects.create(**listed, source="SO", profile_id=77)
    assert told_limits(make_staff()) == {session.transaction_id: ("Evening", "")}


def test_a_session_of_many_days_is_not_gone_through() -> None:
    station, now = make_station(), timezone.now()
    session = ended(station, start=now - 100 * HOUR, hours=99)
    stands(session, "Evening", limit=12.0, duration_s=10 * 86_400)
    assert told_limits(make_staff()) == {session.transaction_id: ("Evening", "")}


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
    make_tariff()
    stands(ended(station), "Evening")
    running(station, wh=5000.0)
    few = queries_of(staff, "/sessies/")
    for number in range(10):
        session = ended(make_station(), token=make_token(f"T{number}"))
        stands(session, "Evening")
        running(session.station, wh=5000.0, token=make_token(f"R{number}"))
    assert ChargingSession.objects.count() == 22
    assert queries_of(staff, "/sessies/") == few <= MOST_QUERIES
