"""Limits that others set on a 2.x station: they count in what we expect, and are no drift of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smartcharging.domain.profiles import Purpose
from smartcharging.external_limits import RECENT_EVENTS, take_external_limits
from smartcharging.in_force import others_over
from smartcharging.models import Comparison, DesiredProfile, Drift, ExternalLimit
from smartcharging.standing import MOST_EXTERNAL, beside
from stations.events import Kind
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation, fresh

State = DesiredProfile.State


@pytest.fixture(params=["2.0.1", "2.1"])
def station(request: pytest.FixtureRequest, db: None) -> FakeStation:
    fake = FakeStation(request.param, capabilities={})
    fake.connects()
    return fake


def limited_to(
    station: FakeStation, limit: float | None, *, source: str = "EMS", evse: int = 0, **more: Any
) -> None:
    """The station tells of a limit; None: that there is one."""
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    schedules = [] if limit is None else [schedule]
    data = {"evse": evse, "source": source, "is_grid_critical": None, "schedules": schedules, "left_out": 0}
    station.tells(Kind.EXTERNAL_LIMIT_SET, **{**data, **more})
    take_external_limits(station.row.pk)


def keeps_below(station: FakeStation, limit: float) -> None:
    def composite(payload: dict[str, Any]) -> dict[str, Any]:
        answer = station.composite(payload)
        for period in answer["schedule"]["chargingSchedulePeriod"]:
            period["limit"] = min(limit, period["limit"])
        return answer

    station.answers["GetCompositeSchedule"] = composite


def test_a_limit_of_others_is_part_of_what_is_expected(station: FakeStation) -> None:
    limited_to(station, 12)
    keeps_below(station, 12)
    row = wants(station, 14, 10, duration_s=86_400)

    station.works()

    assert fresh(row).state == State.CONFIRMED, row.reason
    comparison = Comparison.objects.get()
    assert comparison.verdict == "equal"
    assert [period["limit"] for period in comparison.expected] == [12, 10]
    assert not Drift.objects.exists()


def test_the_lowest_of_several_sources_counts(station: FakeStation) -> None:
    limited_to(station, 12)
    limited_to(station, 9, source="SO")
    keeps_below(station, 9)
    row = wants(station, 14, 8, duration_s=86_400)

    station.works()

    assert [period["limit"] for period in Comparison.objects.get().expected] == [9, 8]
    assert fresh(row).state == State.CONFIRMED


def test_a_station_that_leaves_it_out_of_its_composite_has_not_lost_ours(station: FakeStation) -> None:
    limited_to(station, 12)
    row = wants(station, 14, 10, duration_s=86_400)

    station.works()

    assert fresh(row).state == State.CONFIRMED, row.reason
    assert Comparison.objects.get().reason_code == "no_external"


def test_how_low_it_did_not_say_so_nothing_is_concluded(station: FakeStation) -> None:
    limited_to(station, None)
    keeps_below(station, 6)
    station.answers["GetChargingProfiles"] = lambda payload: {"status": "Rejected"}
    row = wants(station, 14, duration_s=86_400)

    station.works(seconds=3600)

    assert fresh(row).state == State.ACCEPTED
    assert Comparison.objects.latest("pk").reason_code == "external_unknown"
    assert station.times("SetChargingProfile") == 1
    assert not Drift.objects.exists()


def test_what_a_station_tells_is_taken_in_once_and_in_its_order(station: FakeStation) -> None:
    limited_to(station, 12)
    limited_to(station, 10)
    limited_to(station, 8, evse=1)
    assert list(ExternalLimit.objects.in_force().values_list("evse_number", flat=True)) == [1, 0]

    station.later(60)
    station.tells(Kind.EXTERNAL_LIMIT_CLEARED, evse=1, source="EMS")
    station.tells(Kind.EXTERNAL_LIMIT_CLEARED, evse=0, source="SO")  # another source: nothing of its
    for _ in range(2):
        take_external_limits(station.row.pk)

    assert ExternalLimit.objects.count() == 3
    left = ExternalLimit.objects.in_force().get()
    assert left.schedules[0]["chargingSchedulePeriod"][0]["limit"] == 10

    station.tells(Kind.EXTERNAL_LIMIT_CLEARED, evse=0, source="EMS")
    take_external_limits(station.row.pk)
    assert not ExternalLimit.objects.in_force().exists()
    assert beside(station.row, station.now).installed == ()


def test_local_generation_comes_on_top(station: FakeStation) -> None:
    if station.row.ocpp_version != "2.1":
        return
    limited_to(station, 12, is_local_generation=True)

    found = beside(station.row, station.now)
    assert [item.profile.purpose for item in found.installed] == [Purpose.LOCAL_GENERATION]


def test_a_schedule_that_cannot_be_read_makes_the_limit_unknown(station: FakeStation) -> None:
    limited_to(station, 12)
    ExternalLimit.objects.update(schedules=[{"chargingRateUnit": "Power"}, "x"])

    found = beside(station.row, station.now)
    assert (found.installed, found.is_whole) == ((), False)


def test_a_station_that_tells_often_costs_a_few_questions_each_time(station: FakeStation) -> None:
    """An energy manager that regulates tells of a limit every few seconds."""
    limited_to(station, 9, source="SO")
    for number in range(100):
        station.later(1)
        told = {"evse": 0, "source": "EMS", "is_grid_critical": None, "schedules": [], "left_out": 0}
        station.tells(Kind.EXTERNAL_LIMIT_SET, **told)
        if number % 2:
            station.tells(Kind.EXTERNAL_LIMIT_CLEARED, evse=0, source="EMS")
    take_external_limits(station.row.pk)
    limited_to(station, 12)
    assert set(ExternalLimit.objects.in_force().values_list("source", flat=True)) == {"SO", "EMS"}
    assert ExternalLimit.objects.count() == 102

    with CaptureQueriesContext(connection) as captured:
        limited_to(station, 13)
    assert len(captured) < 20


def test_a_notice_of_long_ago_is_taken_in_all_the_same(station: FakeStation) -> None:
    """Behind hundreds of other events, where no process was there to look."""
    limited_to(station, 9, source="SO")
    station.tells(Kind.EXTERNAL_LIMIT_CLEARED, evse=0, source="SO")
    for _ in range(RECENT_EVENTS):
        station.tells(Kind.BAD_FRAME)
    take_external_limits(station.row.pk)
    assert not ExternalLimit.objects.in_force().exists()


def test_of_hundreds_of_sources_the_newest_count_and_not_all_is_known(station: FakeStation) -> None:
    """2.1 allows any text as a source; thousands of them must not hold up a page."""
    for number in range(MOST_EXTERNAL + 1):
        limited_to(station, 6 + number % 9, source=f"S{number}")
    found = beside(station.row, station.now)
    assert (len(found.installed), found.is_whole) == (MOST_EXTERNAL, False)
    assert found.installed[-1].profile.id == -ExternalLimit.objects.latest("pk").pk
    assert len(others_over(station.row, station.now, station.now)) == MOST_EXTERNAL
