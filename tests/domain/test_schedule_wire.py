"""Charging profiles as they come over the wire, in both versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.profiles import ChargingPeriod, Kind, Purpose, Recurrency
from smartcharging.domain.wire import parse_profile
from tests.domain.charging import NOW

SCHEDULE: dict[str, Any] = {
    "chargingRateUnit": "A",
    "startSchedule": "2026-03-02T11:00:00+01:00",
    "duration": 3600,
    "minChargingRate": 6,
    "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 16, "numberPhases": 3},
        {"startPeriod": 60, "limit": 9.5},
    ],
}
COMMON: dict[str, Any] = {
    "stackLevel": 2,
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Weekly",
    "validFrom": "2026-03-01T00:00:00.123456789Z",
    "validTo": "9999-12-31T23:59:59Z",
}
V16 = COMMON | {
    "chargingProfileId": 5,
    "chargingProfilePurpose": "ChargePointMaxProfile",
    "chargingSchedule": SCHEDULE,
}
V201 = COMMON | {
    "id": 5,
    "chargingProfilePurpose": "ChargingStationMaxProfile",
    "chargingSchedule": [SCHEDULE | {"id": 1, "salesTariff": {"id": 1}}],
    "customData": {"vendorId": "x"},
}


def test_a_profile_means_the_same_in_both_versions() -> None:
    profile = parse_profile(V16, "1.6")
    assert parse_profile(V201, "2.0.1") == profile
    assert (profile.id, profile.stack_level, profile.purpose) == (5, 2, Purpose.STATION_MAX)
    assert (profile.kind, profile.recurrency) == (Kind.RECURRING, Recurrency.WEEKLY)
    assert profile.schedule.start == NOW
    assert profile.schedule.periods == (ChargingPeriod(0, 16.0, 3), ChargingPeriod(60, 9.5, None))
    assert (profile.schedule.duration_s, profile.schedule.min_charging_rate) == (3600, 6.0)
    assert profile.valid_to == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_transactionid_is_a_number_in_16_and_text_in_201() -> None:
    assert parse_profile(V16 | {"transactionId": 7}, "1.6").transaction_id == 7
    assert parse_profile(V201 | {"transactionId": "7"}, "2.0.1").transaction_id == "7"
    with pytest.raises(MalformedProfile, match=r"^transactionId: must be text$"):
        parse_profile(V201 | {"transactionId": 7}, "2.0.1")


def test_a_schedule_is_an_object_in_16_and_a_list_of_one_in_201() -> None:
    with pytest.raises(MalformedProfile, match=r"^chargingSchedule: must be an object$"):
        parse_profile(V16 | {"chargingSchedule": [SCHEDULE]}, "1.6")
    with pytest.raises(MalformedProfile, match=r"^chargingSchedule: must be a list$"):
        parse_profile(V201 | {"chargingSchedule": SCHEDULE}, "2.0.1")
    with pytest.raises(MalformedProfile, match=r"^chargingSchedule: must hold one schedule, not 2"):
        parse_profile(V201 | {"chargingSchedule": [SCHEDULE, SCHEDULE]}, "2.0.1")


def test_startschedule_may_be_absent_in_16_only() -> None:
    """1.6 7.13 (D7), K01.FR.40; a Relative profile has none."""
    without = {name: value for name, value in SCHEDULE.items() if name != "startSchedule"}
    assert parse_profile(V16 | {"chargingSchedule": without}, "1.6").schedule.start is None
    with pytest.raises(MalformedProfile, match=r"^chargingSchedule\[0\]\.startSchedule: missing$"):
        parse_profile(V201 | {"chargingSchedule": [without]}, "2.0.1")
    relative = V201 | {"chargingProfileKind": "Relative", "chargingSchedule": [without]}
    assert parse_profile(relative, "2.0.1").schedule.start is None


def test_a_stray_recurrencykind_and_a_stray_startschedule_are_ignored() -> None:
    profile = parse_profile(V16 | {"chargingProfileKind": "Relative"}, "1.6")
    assert (profile.recurrency, profile.schedule.start) == (None, None)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"chargingProfilePurpose": "ChargingStationMaxProfile"}, "chargingProfilePurpose: must be one of "),
        ({"chargingProfilePurpose": ["TxProfile"]}, "chargingProfilePurpose: must be one of "),
        (
            {"chargingProfileKind": "Dynamic"},
            "chargingProfileKind: must be one of Absolute, Recurring, Relative",
        ),
        ({"stackLevel": -1}, "stackLevel: must be at least 0"),
        ({"validTo": "1969-01-01T00:00:00Z"}, "validTo: must be a time after 1970"),
        ({"validTo": "9999-12-31T23:59:59-10:00"}, "validTo: must be a time before the year 10000"),
        ({"chargingSchedule": SCHEDULE | {"duration": -1}}, "chargingSchedule.duration: must be at least 0"),
        (
            {"chargingSchedule": SCHEDULE | {"chargingSchedulePeriod": [{"startPeriod": 1, "limit": 1}]}},
            "chargingSchedule.chargingSchedulePeriod[0].startPeriod: must be 0 in the first period",
        ),
    ],
)
def test_what_the_standard_does_not_allow_is_named(change: dict[str, Any], line: str) -> None:
    with pytest.raises(MalformedProfile) as caught:
        parse_profile(V16 | change, "1.6")
    assert str(caught.value).startswith(line)
