"""A limit that was confirmed, and then was lost without a word: it is found by reading back, and repaired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smartcharging import dispatch
from smartcharging.freshness import LOOK_AGAIN
from smartcharging.models import DesiredProfile
from smartcharging.services import CannotSet, LimitPeriod
from stations import commands
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation, fresh

State = DesiredProfile.State


def clear_of_somebody_else(station: FakeStation, profile_id: int, origin: str) -> None:
    one = {"id": profile_id} if station.is_16 else {"chargingProfileId": profile_id}
    commands.request(
        station=station.row, action="ClearChargingProfile", payload=one, origin=origin, now=station.now
    )


@pytest.mark.parametrize("answer", [None, {"status": "Accepted"}])
def test_what_another_program_takes_off_is_missed_at_once_and_put_back(
    station: FakeStation, answer: dict[str, Any] | None
) -> None:
    """Also where its answer is lost: it may have happened."""
    row = wants(station, 14)
    station.works()
    assert fresh(row).state == State.CONFIRMED

    def obey(payload: dict[str, Any]) -> dict[str, Any] | None:
        station.clear_profile(payload)
        return answer

    station.answers["ClearChargingProfile"] = obey
    station.later(1)
    clear_of_somebody_else(station, row.profile_id, "api")
    station.works()

    assert station.holds() == [row.profile_id]
    assert fresh(row).state == State.CONFIRMED
    assert station.times("SetChargingProfile") == 2


def test_what_a_probe_takes_off_is_left_to_the_probe(station: FakeStation) -> None:
    row = wants(station, 14)
    station.works()

    station.later(1)
    clear_of_somebody_else(station, row.profile_id, "probe 1")
    station.works(seconds=120)

    assert station.holds() == []
    assert station.times("GetCompositeSchedule") == 1


def test_what_a_station_loses_without_a_word_is_found_within_hours(station: FakeStation) -> None:
    row = wants(station, *[14] * 12)
    station.works()
    station.schedules.profiles = []
    station.works(seconds=60)
    assert station.times("GetCompositeSchedule") == 1

    assert station.row.pk not in dispatch.unfinished(station.now)
    station.later(LOOK_AGAIN / timedelta(seconds=1))
    assert station.row.pk in dispatch.unfinished(station.now)
    station.works()

    assert station.holds() == [row.profile_id]
    assert fresh(row).state == State.CONFIRMED
    # and it is quiet again
    assert station.row.pk not in dispatch.unfinished(station.now)
    asked = len(station.seen)
    station.works(seconds=300)
    assert len(station.seen) == asked


def test_a_look_at_what_still_stands_changes_nothing(station: FakeStation) -> None:
    row = wants(station, *[14] * 12)
    station.works()

    station.later(LOOK_AGAIN / timedelta(seconds=1))
    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert [action for action, _ in station.seen] == [
        "SetChargingProfile",
        "GetCompositeSchedule",
        "GetCompositeSchedule",
    ]


def test_a_look_waits_while_a_probe_is_at_work(station: FakeStation) -> None:
    wants(station, *[14] * 12)
    station.works()

    station.later(LOOK_AGAIN / timedelta(seconds=1))
    commands.request(
        station=station.row,
        action="GetCompositeSchedule",
        payload={"connectorId" if station.is_16 else "evseId": 0, "duration": 60, "chargingRateUnit": "A"},
        origin="probe 1",
        now=station.now,
    )
    station.works(seconds=60)
    assert station.times("GetCompositeSchedule") == 2  # ours at the start, and the probe's

    station.works(seconds=600)
    assert station.times("GetCompositeSchedule") == 3


def test_a_period_ten_years_from_now_is_refused_by_name(station: FakeStation) -> None:
    with pytest.raises(CannotSet) as refused:
        wants(station, 14, periods=[LimitPeriod(0, 14), LimitPeriod(10**12, 6)])
    assert refused.value.field == "periods[1].start_s"
