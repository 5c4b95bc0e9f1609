"""What OCPP or the station has against a profile keeps it from being sent, also where that came after it was set."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from smartcharging.domain.rules import Rule
from smartcharging.models import DesiredProfile, ProfileReport
from smartcharging.services import CannotSet
from stations.models import Capabilities, Evse
from tests.factories import make_command, make_session
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation


def sends(station: FakeStation, row: DesiredProfile) -> tuple[str, str, int]:
    """Reconciled: its state, why, and how many profiles the station was sent."""
    station.works()
    row.refresh_from_db()
    with translation.override("en"):
        return row.state, str(row.reason), station.times("SetChargingProfile")


@pytest.mark.parametrize(
    ("said", "clause"),
    [
        ({"max_periods": 1}, "ChargingScheduleMaxPeriods"),
        ({"rate_units": ["W"]}, "ChargingScheduleAllowedChargingRateUnit"),
        ({"max_stack_level": 0}, "ChargeProfileMaxStackLevel"),
        ({"smart_charging": False}, "5.16"),
    ],
)
def test_a_station_that_takes_less_than_it_said_is_not_asked(
    station: FakeStation, said: dict[str, Any], clause: str
) -> None:
    row = wants(station, 10, 12)
    Capabilities.objects.filter(station=station.row).update(**said)

    state, reason, sent = sends(station, row)

    assert (state, sent) == ("unsupported", 0)
    version = station.row.ocpp_version
    assert f"(OCPP {version} " in reason
    assert version != "1.6" or clause in reason

    full = {"max_periods": 24, "rate_units": ["A", "W"], "max_stack_level": 10, "smart_charging": True}
    Capabilities.objects.filter(station=station.row).update(**full)
    assert sends(station, row)[2] == 1  # there is room after all


def test_an_evse_that_is_gone_is_not_asked_for_a_limit(station: FakeStation) -> None:
    row = wants(station, 10, purpose="tx_default", evse_number=2)
    Evse.objects.filter(station=station.row, number=2).delete()

    state, reason, sent = sends(station, row)

    assert (state, sent) == ("unsupported", 0)
    assert reason.startswith("The station has no EVSE 2. (OCPP ")


def test_a_session_that_ends_meanwhile_is_no_obstacle(station: FakeStation) -> None:
    """Its limit is withdrawn, and not called impossible."""
    session = make_session(station.row, transaction_id="7")
    row = wants(station, 10, purpose="tx", evse_number=1, transaction_id="7")
    type(session).objects.update(state="ended", ended_at=station.now)

    assert sends(station, row)[0] == "cleared"


def test_more_wishes_than_fit_are_refused_beforehand(station: FakeStation) -> None:
    Capabilities.objects.filter(station=station.row).update(max_profiles=1)
    first = wants(station, 10)

    with pytest.raises(ValueError, match=r"\(OCPP "):
        wants(station, 12, stack_level=2)

    assert sends(station, first)[2] == 1


def test_a_profile_of_others_that_the_station_lists_counts_beforehand(db: None) -> None:
    """K01.FR.53: a default that somebody else left on every EVSE."""
    station = FakeStation("2.0.1", capabilities={})
    station.connects()
    schedule = {"id": 1, "startSchedule": "2026-01-01T00:00:00Z", "chargingRateUnit": "A"}
    theirs = {
        "id": 12,
        "stackLevel": 3,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}],
    }
    report = ProfileReport.objects.create(
        station=station.row,
        command=make_command(station.row, "GetChargingProfiles"),
        request_id=1,
        asked_at=station.now,
        read_at=station.now,
        state="complete",
    )
    report.profiles.create(evse_number=0, source="CSO", profile_id=12, profile=theirs)

    with pytest.raises(CannotSet) as refused:
        wants(station, 10, purpose="tx_default", evse_number=1, stack_level=3)

    assert refused.value.problem.rule is Rule.SAME_LEVEL
    assert wants(station, 10, purpose="tx_default", evse_number=1, stack_level=4).state == "pending"
