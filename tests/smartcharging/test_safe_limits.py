"""The low limit that an operator keeps under all others: wanted, sent, read back, put back, and gone when it is off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from portal.simulator.schedules import Running
from smartcharging import dispatch, safe_limits, services
from smartcharging.models import DesiredProfile, Drift
from smartcharging.policies import SafeLimit
from smartcharging.services import SAFE_ID
from smartcharging.tasks import keep_safe_limits
from stations.models import Command, Station
from tests.factories import make_capabilities, make_operator, make_session, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.station import FakeStation as Line
from tests.fakes.until import until
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation, fresh

State = DesiredProfile.State


def policy(station: Station, limit_a: int | None = 6, *, own: bool = False) -> SafeLimit:
    return SafeLimit.objects.create(
        operator=station.site.operator, station=station if own else None, limit_a=limit_a
    )


def keep(station: FakeStation) -> DesiredProfile | None:
    """The round looks at the station, and both go on until they are quiet."""
    for key in list(safe_limits.to_keep()):
        safe_limits.keep(key, station.now)
    station.works()
    return services.safe_default_of(station.row)


def session_gets(station: FakeStation) -> float:
    """What the station itself says that a session on EVSE 1 may have now, in A."""
    evse = "connectorId" if station.is_16 else "evseId"
    answer = station.composite({evse: 1, "duration": 60, "chargingRateUnit": "A"})
    schedule = answer["chargingSchedule"] if station.is_16 else answer["schedule"]
    return float(schedule["chargingSchedulePeriod"][0]["limit"])


def test_nothing_is_kept_unless_an_operator_wants_it(station: FakeStation) -> None:
    SafeLimit.objects.create(operator=make_operator("beta"))
    assert keep(station) is None
    assert station.holds() == []


def test_it_is_sent_read_back_and_stands_for_ever_under_what_ends(station: FakeStation) -> None:
    policy(station.row)
    row = keep(station)
    assert row is not None
    assert (row.state, row.purpose, row.stack_level, row.evse_number) == (State.CONFIRMED, "tx_default", 0, 0)
    assert (row.duration_s, row.valid_to) == (None, None)
    assert station.holds() == [SAFE_ID]
    wants(station, 14, purpose="tx_default", duration_s=3600)
    station.works()
    assert session_gets(station) == 14
    station.disconnects()  # the back office is gone, and the limit ends by itself
    station.later(3700)
    assert session_gets(station) == 6
    station.later(86_400 * 400)
    assert session_gets(station) == 6


def test_a_station_that_lost_it_gets_it_back(station: FakeStation) -> None:
    """An idle station of 1.6 shows no default; it can be seen to miss while a car charges."""
    policy(station.row)
    row = keep(station)
    assert row is not None
    station.later(3600)
    station.reboots(forgetting=True)
    make_session(station.row, started_at=station.now, transaction_id="17")
    station.running[1] = Running("17", station.now)
    station.works(seconds=120)
    assert (fresh(row).state, station.holds()) == (State.CONFIRMED, [SAFE_ID])
    assert Drift.objects.get().end == "repaired"


def test_another_value_replaces_it_and_without_a_policy_it_is_cleared(station: FakeStation) -> None:
    wanted = policy(station.row)
    first = keep(station)
    assert keep(station) == first, "nothing changed, nothing is wanted anew"
    wanted.limit_a = 8
    wanted.save()
    second = keep(station)
    assert first is not None
    assert second is not None
    assert (second.version, second.state, fresh(first).state) == (2, State.CONFIRMED, State.CLEARED)
    assert (station.holds(), session_gets(station)) == ([SAFE_ID], 8)
    wanted.delete()
    assert keep(station) is None
    assert (station.holds(), fresh(second).state) == ([], State.CLEARED)
    policy(station.row)
    third = keep(station)
    assert third is not None
    assert (third.version, third.state, station.holds()) == (3, State.CONFIRMED, [SAFE_ID])


def test_a_station_may_have_its_own_or_none(station: FakeStation) -> None:
    policy(station.row)
    own = policy(station.row, 10, own=True)
    row = keep(station)
    assert row is not None
    assert row.periods[0]["limit"] == 10
    own.limit_a = None
    own.save()
    assert keep(station) is None


def test_never_more_than_the_stations_share_of_its_connection(station: FakeStation) -> None:
    policy(station.row, 16)
    row = keep(station)
    assert row is not None
    assert (row.periods[0]["limit"], row.state) == (12, State.CONFIRMED), "25 A for two sockets"
    assert list(safe_limits.to_keep()) == []


def test_in_watts_where_the_station_takes_no_amperes(station: FakeStation) -> None:
    station.row.capabilities.delete()
    make_capabilities(station.row, rate_units=["W"], phases=3)
    policy(station.row)
    row = keep(station)
    assert row is not None
    assert (row.unit, row.periods[0]["limit"], row.state) == ("W", 4140, State.CONFIRMED)
    assert session_gets(station) == 6


def test_what_the_station_has_against_it_is_seen(station: FakeStation) -> None:
    station.row.capabilities.delete()
    make_capabilities(station.row, smart_charging=False)
    policy(station.row)
    row = keep(station)
    assert row is not None
    with translation.override("en"):
        assert (row.state, "no smart charging" in row.reason) == (State.UNSUPPORTED, True)


def test_a_default_of_somebodys_own_on_its_place_stays(station: FakeStation) -> None:
    theirs = wants(station, 10, purpose="tx_default", stack_level=0, duration_s=3600)
    policy(station.row)
    assert keep(station) is None
    assert fresh(theirs).state == State.CONFIRMED
    services.withdraw(theirs, requested_by=None, now=station.now)
    station.works()
    row = keep(station)
    assert row is not None
    assert (row.state, station.holds()) == (State.CONFIRMED, [SAFE_ID])


def test_its_place_is_taken_while_it_is_wanted_and_numbers_go_on_below_it(station: FakeStation) -> None:
    policy(station.row)
    keep(station)
    with pytest.raises(services.CannotSet) as refused, translation.override("en"):
        wants(station, 10, purpose="tx_default", stack_level=0)
    assert (refused.value.field, "profile 899999" in str(refused.value)) == ("stack_level", True)
    assert [wants(station, 10, stack_level=level).profile_id for level in (3, 4)] == [1000, 1001]


@pytest.mark.django_db
def test_a_station_of_another_operator_is_no_choice() -> None:
    other = make_station(operator=make_operator("beta"))
    with translation.override("en"), pytest.raises(ValidationError, match="another operator"):
        SafeLimit(operator=make_operator(), station=other).full_clean()


@pytest.mark.django_db
def test_the_round_takes_as_many_questions_for_many_stations(django_assert_num_queries: Any) -> None:
    stations = [make_station() for _ in range(20)]
    policy(stations[0])
    keep_safe_limits()
    with django_assert_num_queries(2):
        assert list(safe_limits.to_keep()) == []


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_over_the_socket_a_station_gets_it_by_its_number(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD, operator=make_operator(f"safe-{version}"))
    make_capabilities(station)
    with Line(portal.port, station.identity, version=version) as line:
        line.call("Heartbeat", {})
        policy(station)
        keep_safe_limits(station.site.operator_id)
        dispatch.reconcile(station.pk, timezone.now())
        question = line.question("SetChargingProfile")
        profile = question.payload.get("csChargingProfiles") or question.payload["chargingProfile"]
        assert profile.get("chargingProfileId", profile.get("id")) == SAFE_ID
        assert (profile["chargingProfilePurpose"], profile["stackLevel"]) == ("TxDefaultProfile", 0)
        schedule = profile["chargingSchedule"]
        schedule = schedule if version == "1.6" else schedule[0]
        assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == [6]
        assert "duration" not in schedule
        assert "validTo" not in profile
        begins = datetime.fromisoformat(schedule["startSchedule"])
        assert begins <= datetime.now(UTC) - timedelta(hours=23), "whatever its clock says"
        line.answer(question, {"status": "Accepted"})
        commands = Command.objects.filter(station=station, action="SetChargingProfile")
        until(lambda: commands.filter(state="accepted").exists())
        dispatch.reconcile(station.pk, timezone.now())
        assert line.question("GetCompositeSchedule").payload["duration"], "it is read back"
