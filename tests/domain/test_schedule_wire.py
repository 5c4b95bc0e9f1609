"""Charging profiles as they come over the wire, in each version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    Kind,
    Operation,
    OperationMode,
    Purpose,
    Recurrency,
    rules_of,
)
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


@pytest.mark.parametrize(
    ("version", "rules"),
    [("1.6", "1.6"), ("2.0.1", "2.0.1"), ("2.1", "2.1"), ("", "2.0.1"), ("3.0", "2.0.1")],
)
def test_each_version_has_its_rules_and_an_unknown_one_those_of_201(version: str, rules: str) -> None:
    assert rules_of(version) == rules


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


# ------------------------------------------------------------------------------------------ what 2.1 adds

PERIOD: dict[str, Any] = {
    "startPeriod": 0,
    "limit": 11000,
    "limit_L2": 10000,
    "limit_L3": 9000,
    "dischargeLimit": -8000,
    "dischargeLimit_L2": -7000,
    "dischargeLimit_L3": -6000,
    "setpoint": 5000,
    "setpoint_L2": -4000,
    "setpoint_L3": 3000,
    "setpointReactive": -2000,
    "operationMode": "CentralSetpoint",
    "phaseToUse": 2,
    "evseSleep": False,
    "v2xBaseline": -100,
    "v2xFreqWattCurve": [{"frequency": 49.8, "power": 2000}, {"frequency": 50.2, "power": -2000}],
    "v2xSignalWattCurve": [{"signal": -1, "power": -500}],
    "preconditioningRequest": True,
}
SCHEDULE_21: dict[str, Any] = {
    "id": 1,
    "chargingRateUnit": "W",
    "startSchedule": "2026-03-29T02:30:00+05:00",
    "useLocalTime": True,
    "randomizedDelay": 30,
    "limitAtSoC": {"soc": 80, "limit": 3700},
    "chargingSchedulePeriod": [PERIOD],
}
V21: dict[str, Any] = {
    "id": 5,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Absolute",
    "dynUpdateTime": "2026-03-02T10:00:00Z",
    "dynUpdateInterval": 60,
    "maxOfflineDuration": 0,
    "invalidAfterOfflineDuration": True,
    "chargingSchedule": [SCHEDULE_21],
}


def v21(**changes: Any) -> dict[str, Any]:
    """The profile of 2.1 with members of its schedule changed, or taken away where None."""
    schedule = {name: value for name, value in (SCHEDULE_21 | changes).items() if value is not None}
    return V21 | {"chargingSchedule": [schedule]}


def test_a_profile_of_21_has_all_that_21_adds() -> None:
    profile = parse_profile(V21, "2.1")
    assert (profile.dynamic_updated_at, profile.dynamic_interval_s) == (NOW, 60)
    assert (profile.max_offline_s, profile.invalid_after_offline) == (0, True)
    schedule = profile.schedule
    assert (schedule.use_local_time, schedule.randomized_delay_s) == (True, 30)
    assert schedule.limit_at_soc == (80, 3700.0)
    (period,) = schedule.periods
    assert (period.limit, period.phases) == (11000.0, None)
    assert period.operation == Operation(
        mode=OperationMode.CENTRAL_SETPOINT,
        limit_l2=10000.0,
        limit_l3=9000.0,
        discharge_limit=-8000.0,
        discharge_limit_l2=-7000.0,
        discharge_limit_l3=-6000.0,
        setpoint=5000.0,
        setpoint_l2=-4000.0,
        setpoint_l3=3000.0,
        setpoint_reactive=-2000.0,
        phase_to_use=2,
        evse_sleep=False,
        baseline_w=-100.0,
        frequency_curve=((49.8, 2000.0), (50.2, -2000.0)),
        signal_curve=((-1, -500.0),),
    )


def test_a_profile_of_21_without_any_of_it_is_that_of_201() -> None:
    plain = parse_profile(V201, "2.1")
    assert plain == parse_profile(V201, "2.0.1")
    assert (plain.max_offline_s, plain.invalid_after_offline, plain.dynamic_updated_at) == (None, False, None)
    assert plain.schedule.is_plain


def test_in_201_a_period_may_name_the_phase_to_use_and_nothing_else() -> None:
    named = V201 | {"chargingSchedule": [SCHEDULE | {"chargingSchedulePeriod": [PERIOD]}]}
    assert parse_profile(named, "2.0.1").schedule.periods[0].operation == Operation(phase_to_use=2)
    in_16 = V16 | {"chargingSchedule": SCHEDULE | {"chargingSchedulePeriod": [PERIOD]}}
    assert parse_profile(in_16, "1.6").schedule.periods[0].operation is None
    assert (
        parse_profile(V201 | V21 | {"chargingSchedule": V201["chargingSchedule"]}, "2.0.1").max_offline_s
        is None
    )


def test_with_uselocaltime_the_offset_of_startschedule_is_disregarded() -> None:
    """Also where there is none."""
    for text in ("2026-03-29T02:30:00+05:00", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00"):
        start = parse_profile(v21(startSchedule=text), "2.1").schedule.start
        assert start == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)


def test_without_it_a_time_of_21_without_an_offset_is_in_utc() -> None:
    """1.6 and 2.0.1 refuse it."""
    naive = v21(startSchedule="2026-03-02T10:00:00", useLocalTime=None) | {"validFrom": "2026-03-02T10:00:00"}
    profile = parse_profile(naive, "2.1")
    assert (profile.schedule.start, profile.valid_from) == (NOW, NOW)
    assert not profile.schedule.use_local_time
    assert parse_profile(v21(useLocalTime=False), "2.1").schedule.start == datetime(
        2026, 3, 28, 21, 30, tzinfo=UTC
    )
    with pytest.raises(MalformedProfile, match=r"^validFrom: must be a time with an offset"):
        parse_profile(V201 | {"validFrom": "2026-03-02T10:00:00"}, "2.0.1")


def test_a_dynamic_profile_has_no_start_of_its_own() -> None:
    """K28.FR.01/.02: even where one is sent."""
    for profile in (V21, v21(startSchedule=None, useLocalTime=None)):
        read = parse_profile(profile | {"chargingProfileKind": "Dynamic"}, "2.1")
        assert (read.kind, read.schedule.start) == (Kind.DYNAMIC, None)
    with pytest.raises(MalformedProfile, match=r"startSchedule: missing$"):
        parse_profile(v21(startSchedule=None), "2.1")
    with pytest.raises(MalformedProfile, match=r"^chargingProfileKind: must be one of"):
        parse_profile(V201 | {"chargingProfileKind": "Dynamic"}, "2.0.1")


def test_a_limit_may_be_absent_or_negative_in_21_only() -> None:
    bare = {"startPeriod": 0, "operationMode": "Idle"}
    assert parse_profile(v21(chargingSchedulePeriod=[bare]), "2.1").schedule.periods[0].limit == NOTHING
    old = {"startPeriod": 0, "limit": -11000}
    period = parse_profile(v21(chargingSchedulePeriod=[old]), "2.1").schedule.periods[0]
    assert period == ChargingPeriod(0, -11000.0)
    for version, profile in (("2.0.1", V201), ("1.6", V16)):
        for wrong in ({"startPeriod": 0}, old):
            schedule: Any = SCHEDULE | {"chargingSchedulePeriod": [wrong]}
            sent = profile | {"chargingSchedule": schedule if version == "1.6" else [schedule]}
            with pytest.raises(MalformedProfile, match=r"\.limit: (missing|must be at least 0)$"):
                parse_profile(sent, "1.6" if version == "1.6" else "2.0.1")


@pytest.mark.parametrize(
    ("period", "line"),
    [
        ({"dischargeLimit": 1}, "dischargeLimit: must be at most 0"),
        ({"dischargeLimit_L2": 0.1}, "dischargeLimit_L2: must be at most 0"),
        ({"dischargeLimit_L3": 5}, "dischargeLimit_L3: must be at most 0"),
        ({"setpoint": 1e300}, "setpoint: must be at most 1e+08"),
        ({"setpoint_L2": -1e300}, "setpoint_L2: must be at least -1e+08"),
        ({"limit": -1e300}, "limit: must be at least -1e+08"),
        ({"operationMode": "Fast"}, "operationMode: must be one of"),
        ({"phaseToUse": 0}, "phaseToUse: must be at least 1"),
        ({"phaseToUse": 4}, "phaseToUse: must be at most 3"),
        ({"evseSleep": 1}, "evseSleep: must be true or false"),
        ({"v2xFreqWattCurve": [{"power": 1}]}, "v2xFreqWattCurve[0].frequency: missing"),
        (
            {"v2xFreqWattCurve": [{"frequency": -1, "power": 1}]},
            "v2xFreqWattCurve[0].frequency: must be at least 0",
        ),
        (
            {"v2xSignalWattCurve": [{"signal": 1.5, "power": 1}]},
            "v2xSignalWattCurve[0].signal: must be a whole",
        ),
        ({"v2xSignalWattCurve": [{"signal": 1}]}, "v2xSignalWattCurve[0].power: missing"),
    ],
)
def test_what_is_malformed_in_a_period_of_21_is_named(period: dict[str, Any], line: str) -> None:
    with pytest.raises(MalformedProfile) as caught:
        parse_profile(v21(chargingSchedulePeriod=[PERIOD | period]), "2.1")
    assert f"{caught.value.field}: {caught.value.problem}".startswith(
        f"chargingSchedule[0].chargingSchedulePeriod[0].{line}"
    )


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        (V21 | {"dynUpdateInterval": -1}, "dynUpdateInterval: must be at least 0"),
        (V21 | {"maxOfflineDuration": -1}, "maxOfflineDuration: must be at least 0"),
        (V21 | {"invalidAfterOfflineDuration": "yes"}, "invalidAfterOfflineDuration: must be true or false"),
        (v21(useLocalTime="yes"), "chargingSchedule[0].useLocalTime: must be true or false"),
        (v21(randomizedDelay=-1), "chargingSchedule[0].randomizedDelay: must be at least 0"),
        (v21(limitAtSoC={"soc": 101, "limit": 1}), "chargingSchedule[0].limitAtSoC.soc: must be at most 100"),
        (v21(limitAtSoC={"soc": -1, "limit": 1}), "chargingSchedule[0].limitAtSoC.soc: must be at least 0"),
        (v21(limitAtSoC={"soc": 80}), "chargingSchedule[0].limitAtSoC.limit: missing"),
        (V21 | {"chargingProfilePurpose": "Solar"}, "chargingProfilePurpose: must be one of"),
    ],
)
def test_what_is_malformed_in_a_profile_of_21_is_named(profile: dict[str, Any], line: str) -> None:
    with pytest.raises(MalformedProfile) as caught:
        parse_profile(profile, "2.1")
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize("purpose", ["PriorityCharging", "LocalGeneration"])
def test_the_purposes_of_21_are_unknown_before(purpose: str) -> None:
    assert parse_profile(V21 | {"chargingProfilePurpose": purpose}, "2.1").purpose == Purpose(purpose)
    with pytest.raises(MalformedProfile, match=r"^chargingProfilePurpose: must be one of"):
        parse_profile(V201 | {"chargingProfilePurpose": purpose}, "2.0.1")
