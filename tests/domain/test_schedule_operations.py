"""What OCPP 2.1 adds to a limit: how modes, setpoints, discharge, phases and local generation combine."""

from __future__ import annotations

from typing import Any

import pytest

from smartcharging.domain.profiles import CompositePeriod, LocalLimit, Operation, OperationMode
from tests.domain.charging import (
    EXTERNAL,
    GENERATION,
    MAX,
    TX,
    TX_DEFAULT,
    at,
    charging,
    composite,
    limits,
    profile,
    said,
    v2x,
    with_phases,
)

UNKNOWN = LocalLimit()
RUNNING = (charging(),)
LINES = "limit_l2 limit_l3"


def first(*installed: Any, **question: Any) -> CompositePeriod:
    """The one period of a composite."""
    (only,) = composite(*installed, **question).periods
    return only


# ------------------------------------------------------------------------------------------ modes


def test_the_mode_is_that_of_the_first_who_is_not_charging_only() -> None:
    """Of the transaction, then the EVSE's external constraints, Max, the station's external constraints."""
    tx = profile(TX_DEFAULT, (0, 16), id=1)
    own = profile(EXTERNAL, v2x(0, 20, mode="ExternalLimits"), id=2)
    station = profile(EXTERNAL, v2x(0, 25, mode="ExternalSetpoint", setpoint=3.0), evse=0, id=3)
    assert said(tx, own, station) == [(0, 16.0, OperationMode.EXTERNAL_LIMITS, 3.0, None)]
    assert said(tx, station) == [(0, 16.0, OperationMode.EXTERNAL_SETPOINT, 3.0, None)]
    idle = profile(TX_DEFAULT, v2x(0, 16, mode="Idle"), id=1)
    assert said(idle, own) == [(0, 16.0, OperationMode.IDLE, None, None)]


def test_what_belongs_to_a_mode_comes_with_it() -> None:
    curve = ((49.8, 2000.0), (50.2, -2000.0))
    frequency = v2x(
        0, 9000, mode="LocalFrequency", baseline_w=500.0, frequency_curve=curve, signal_curve=((1, 100.0),)
    )
    asleep = v2x(0, 9000, mode="Idle", evse_sleep=True)
    tx, other = (
        profile(TX_DEFAULT, frequency, unit="W"),
        profile(EXTERNAL, asleep, unit="W", evse=0, id=2),
    )
    answer = first(tx, other, unit="W")
    assert answer.operation == Operation(
        OperationMode.LOCAL_FREQUENCY, baseline_w=500.0, frequency_curve=curve, signal_curve=((1, 100.0),)
    )
    alone = first(other, unit="W")
    assert alone.operation == Operation(OperationMode.IDLE, evse_sleep=True)


def test_a_change_of_mode_alone_is_a_change() -> None:
    item = profile(
        TX_DEFAULT, v2x(0, 16, mode="ChargingOnly"), v2x(60, 16, mode="Idle"), v2x(90, 16, mode="Idle")
    )
    assert said(item, names="mode") == [(0, 16.0, None), (60, 16.0, OperationMode.IDLE)]


def test_a_limit_that_nobody_names_is_the_local_one_on_the_phases_that_are_named() -> None:
    """D1."""
    item = profile(TX_DEFAULT, v2x(0, phases=1, mode="LocalLoadBalancing"))
    assert with_phases(item) == [(0, 48.0, 1)]
    three = profile(TX_DEFAULT, v2x(0, mode="LocalLoadBalancing"))
    assert said(three, names="limit_l2 limit_l3") == [(0, 48.0, None, None)]
    assert with_phases(item, defaults=UNKNOWN) == [(0, None, 1)]
    assert limits(item, unit="W", defaults=LocalLimit(limit_a=10.0)) == [(0, 2300.0)]


# ------------------------------------------------------------------------------------------ setpoints


@pytest.mark.parametrize(
    ("ours", "theirs", "setpoint"),
    [
        (10, 6, 6.0),
        (6, 10, 6.0),
        (-10, -6, -6.0),
        (-6, -10, -6.0),
        (10, -6, 0.0),
        (-10, 6, 0.0),
        (0, 5, 0.0),
        (0.5, 0.7, 0.5),
        (-0.5, -0.7, -0.5),
        (-5, 0.5, 0.0),
        (5, -0.5, 0.0),
        (0, -5, 0.0),
    ],
)
def test_setpoints_merge_toward_zero(ours: float, theirs: float, setpoint: float) -> None:
    """V2X.03/.04; of two that contradict each other neither is followed."""
    tx = profile(TX_DEFAULT, v2x(0, 32, discharge_limit=-32.0, setpoint=float(ours)))
    grid = v2x(0, 32, mode="ExternalSetpoint", discharge_limit=-32.0, setpoint=float(theirs))
    assert said(tx, profile(EXTERNAL, grid, evse=0, id=2), names="setpoint") == [(0, 32.0, setpoint)]


@pytest.mark.parametrize(
    ("setpoint", "kept"), [(20, 16.0), (16, 16.0), (15.99, 15.9), (-20, -10.0), (-10, -10.0), (-9.99, -9.9)]
)
def test_a_setpoint_stays_within_limit_and_discharge_limit(setpoint: float, kept: float) -> None:
    """V2X.03/.04, and both rounded toward zero (D14)."""
    item = profile(TX_DEFAULT, v2x(0, 16, discharge_limit=-10.0, setpoint=float(setpoint)))
    assert said(item) == [(0, 16.0, OperationMode.CENTRAL_SETPOINT, kept, -10.0)]


def test_a_setpoint_without_limits_is_as_it_is() -> None:
    tx = profile(TX_DEFAULT, v2x(0, setpoint=-40.0), v2x(60, setpoint=40.0))
    assert said(tx, names="setpoint", defaults=UNKNOWN) == [(0, None, -40.0), (60, None, 40.0)]
    assert said(tx, names="setpoint") == [(0, 48.0, -40.0), (60, 48.0, 40.0)]


def test_the_limit_of_another_purpose_caps_a_setpoint_too() -> None:
    tx = profile(TX_DEFAULT, v2x(0, 32, setpoint=30.0))
    assert said(tx, profile(MAX, (0, 20), evse=0, id=2), names="setpoint") == [(0, 20.0, 20.0)]


def test_reactive_power_is_converted_like_the_rest() -> None:
    item = profile(TX_DEFAULT, v2x(0, 6900, setpoint=0.0, setpoint_reactive=-1380.0), unit="W")
    assert said(item, names="setpoint_reactive") == [(0, 10.0, -2.0)]
    assert said(item, names="setpoint_reactive", unit="W") == [(0, 6900.0, -1380.0)]
    single = profile(TX_DEFAULT, v2x(0, 6900, phases=1, setpoint=0.0, setpoint_reactive=-1380.0), unit="W")
    assert said(single, names="setpoint_reactive") == [(0, 30.0, -6.0)]
    assert said(single, names="setpoint_reactive", unit="W") == [(0, 6900.0, -1380.0)]


# ------------------------------------------------------------------------------------------ discharge


def test_the_discharge_limit_is_the_one_closest_to_zero_and_who_names_none_forbids_nothing() -> None:
    tx = profile(TX_DEFAULT, v2x(0, 32, discharge_limit=-20.0), id=1)
    own = profile(EXTERNAL, v2x(0, 32, mode="ExternalLimits", discharge_limit=-16.0), id=2)
    station = profile(EXTERNAL, v2x(0, 32, mode="ExternalLimits", discharge_limit=-18.0), evse=0, id=3)
    plain = profile(MAX, (0, 30), evse=0, id=4)
    assert said(tx, own, station, plain, names="discharge_limit") == [(0, 30.0, -16.0)]
    assert said(tx, plain, names="discharge_limit") == [(0, 30.0, -20.0)]


def test_no_discharge_at_all_is_a_limit_and_not_unsaid() -> None:
    tx = profile(TX_DEFAULT, v2x(0, 32, discharge_limit=0.0))
    ((_, _, discharge),) = said(tx, names="discharge_limit")
    assert str(discharge) == "0.0"


def test_discharge_limits_are_converted_at_the_phases_of_the_result() -> None:
    tx = profile(TX_DEFAULT, v2x(0, 9000, discharge_limit=-6900.0), unit="W")
    assert said(tx, names="discharge_limit") == [(0, 13.0, -10.0)]
    one_phase = profile(MAX, (0, 32, 1), evse=0, id=2)
    assert said(tx, one_phase, names="discharge_limit", unit="W") == [(0, 3000.0, -2300.0)]
    common: dict[str, Any] = {"unit": "W", "unit_conversion": "common_phases"}
    assert said(tx, one_phase, names="discharge_limit", **common) == [(0, 7360.0, -6900.0)]


def test_a_negative_limit_of_an_old_message_is_a_discharge_limit_and_no_charging() -> None:
    """2.1 data types: only for backwards compatibility."""
    old = profile(TX_DEFAULT, v2x(0, -10, mode="ChargingOnly"))
    assert said(old) == [(0, 0.0, OperationMode.CHARGING_ONLY, None, -10.0)]
    both = profile(TX_DEFAULT, v2x(0, -10, mode="ChargingOnly", discharge_limit=-6.0))
    assert said(both, names="discharge_limit") == [(0, 0.0, -6.0)]
    tighter = profile(TX_DEFAULT, v2x(0, -10, mode="ChargingOnly", discharge_limit=-16.0))
    assert said(tighter, names="discharge_limit") == [(0, 0.0, -10.0)]


# ------------------------------------------------------------------------------------------ phases


def by_phase(*limits_: float, **more: Any) -> Any:
    limit, second, third = limits_
    return v2x(0, limit, limit_l2=second, limit_l3=third, mode="ChargingOnly", **more)


def test_values_for_each_phase_are_reported_and_merged_for_each_phase() -> None:
    """K08.FR.09."""
    tx = profile(TX, by_phase(16, 10, 20), id=1)
    assert said(tx, names=LINES, transactions=RUNNING) == [(0, 16.0, 10.0, 20.0)]
    cap = profile(MAX, (0, 12), evse=0, id=2)
    assert said(tx, cap, names=LINES, transactions=RUNNING) == [(0, 12.0, 10.0, 12.0)]
    other = profile(EXTERNAL, by_phase(20, 8, 14), evse=0, id=3)
    assert said(tx, other, names=LINES, transactions=RUNNING) == [(0, 16.0, 8.0, 14.0)]


def test_values_for_each_phase_are_converted_one_by_one() -> None:
    watts = profile(TX, by_phase(2300, 4600, 1150), unit="W")
    assert said(watts, names=LINES, transactions=RUNNING) == [(0, 10.0, 20.0, 5.0)]
    amps = profile(TX, by_phase(10, 20, 5))
    assert said(amps, names=LINES, transactions=RUNNING, unit="W") == [(0, 2300.0, 4600.0, 1150.0)]


def test_a_plain_limit_in_watts_beside_them_is_divided_over_its_phases() -> None:
    """Section 5 of the rules; over its own phases, or with EVerest over those of the result (D6)."""
    tx = profile(TX, by_phase(16, 10, 20), id=1)
    cap = profile(MAX, (0, 6900, 2), evse=0, unit="W", id=2)
    assert said(tx, cap, names=LINES, transactions=RUNNING) == [(0, 15.0, 10.0, None)]
    three = profile(MAX, (0, 6900), evse=0, unit="W", id=2)
    assert said(tx, three, names=LINES, transactions=RUNNING) == [(0, 10.0, 10.0, 10.0)]
    other = profile(EXTERNAL, (0, 99, 2), evse=0, id=3)
    common: dict[str, Any] = {"names": LINES, "transactions": RUNNING, "unit_conversion": "common_phases"}
    assert said(tx, three, other, **common) == [(0, 15.0, 10.0, None)]


def test_on_one_phase_the_lowest_of_the_three_counts() -> None:
    """K01.FR.147."""
    tx = profile(
        TX,
        v2x(
            0,
            16,
            limit_l2=10.0,
            limit_l3=20.0,
            discharge_limit=-12.0,
            discharge_limit_l2=-7.0,
            setpoint=9.0,
            setpoint_l3=5.0,
        ),
    )
    one = profile(MAX, (0, 32, 1), evse=0, id=2)
    names = "limit_l2 limit_l3 discharge_limit discharge_limit_l2 setpoint setpoint_l3"
    assert said(tx, one, names=names, transactions=RUNNING) == [(0, 10.0, None, None, -7.0, None, 5.0, None)]
    in_watts = (0, 2300.0, None, None, -1610.0, None, 1150.0, None)
    assert said(tx, one, names=names, transactions=RUNNING, unit="W") == [in_watts]
    common: dict[str, Any] = {"unit": "W", "unit_conversion": "common_phases"}
    assert said(tx, one, names=names, transactions=RUNNING, **common) == [in_watts]


def test_on_one_phase_the_lowest_of_three_in_watts_counts() -> None:
    tx = profile(TX, by_phase(2300, 4600, 1150), unit="W")
    one = profile(MAX, (0, 32, 1), evse=0, id=2)
    for conversion in ("own_phases", "common_phases"):
        more: dict[str, Any] = {"transactions": RUNNING, "unit_conversion": conversion}
        assert limits(tx, one, **more) == [(0, 5.0)]
        assert limits(tx, one, unit="W", **more) == [(0, 1150.0)]


def test_discharge_and_setpoint_are_by_phase_where_anything_is() -> None:
    """A phase without a value of its own has that of L1 (K01.FR.143-.147)."""
    tx = profile(TX, v2x(0, 16, discharge_limit=-12.0, setpoint=-20.0, setpoint_l2=4.0))
    names = "limit_l2 limit_l3 discharge_limit discharge_limit_l2 discharge_limit_l3 setpoint setpoint_l2 setpoint_l3"
    assert said(tx, names=names, transactions=RUNNING) == [
        (0, 16.0, 16.0, 16.0, -12.0, -12.0, -12.0, -12.0, 4.0, -12.0)
    ]


def test_a_value_for_one_other_phase_leaves_the_third_at_that_of_l1() -> None:
    tx = profile(TX, v2x(0, 16, limit_l3=10.0, mode="ChargingOnly"))
    assert said(tx, names=LINES, transactions=RUNNING) == [(0, 16.0, 16.0, 10.0)]


def test_values_for_other_phases_need_a_limit() -> None:
    """K01.FR.143: without one they are not looked at."""
    tx = profile(TX, v2x(0, limit_l2=5.0, limit_l3=6.0, setpoint=1.0))
    assert said(tx, names=LINES, transactions=RUNNING) == [(0, 48.0, None, None)]


def test_with_everest_plain_watts_are_divided_over_the_phases_of_the_result() -> None:
    """D6, for setpoints, discharge, generation, the local limit and a station's sum too."""
    common: dict[str, Any] = {"unit_conversion": "common_phases", "transactions": RUNNING}
    names = "limit_l2 setpoint setpoint_l2 discharge_limit discharge_limit_l2"
    tx = profile(TX, v2x(0, 11_500, phases=2, setpoint=4600.0, discharge_limit=-2300.0), unit="W")
    cap = profile(MAX, by_phase(99, 98, 97), evse=0, id=2)
    assert said(tx, cap, names=names, **common) == [(0, 25.0, 25.0, 10.0, 10.0, -5.0, -5.0)]
    sun = profile(GENERATION, (0, 1380), evse=0, unit="W", id=3)
    assert said(tx, cap, sun, names=LINES, **common) == [(0, 28.0, 28.0, None)]
    assert said(tx, cap, names=LINES, evse=0, **common) == [(0, 25.0, 25.0, None)]
    two = profile(TX_DEFAULT, (0, 4600, 2), evse=2, unit="W", id=4)
    one = profile(TX, by_phase(16, 10, 8, phases=2))
    assert said(one, two, names=LINES, evse=0, evse_count=2, **common) == [(0, 26.0, 20.0, None)]
    only_mode = profile(TX, v2x(0, phases=2, setpoint=99.0, setpoint_l2=99.0))
    watts = LocalLimit(limit_w=4600.0)
    assert said(only_mode, names=names, defaults=watts, **common) == [(0, 10.0, 10.0, 10.0, 10.0, None, None)]
    high = profile(TX, by_phase(50, 40, 30, phases=2))
    capped = said(high, names=LINES, defaults=watts, cap_by_local_limit=True, **common)
    assert capped == [(0, 10.0, 10.0, None)]


def test_negative_values_for_a_phase_allow_no_charging_on_it() -> None:
    tx = profile(TX, by_phase(-5, -4, 3))
    assert said(tx, names=LINES, transactions=RUNNING) == [(0, 0.0, 0.0, 3.0)]


def test_by_phase_a_limit_that_nobody_names_is_the_local_one() -> None:
    tx = profile(TX, v2x(0, setpoint=10.0, setpoint_l2=60.0))
    names = "limit_l2 limit_l3 setpoint setpoint_l2"
    assert said(tx, names=names, transactions=RUNNING) == [(0, 48.0, 48.0, 48.0, 10.0, 48.0)]
    local = LocalLimit(limit_w=6900.0)
    assert said(tx, names=names, transactions=RUNNING, defaults=local) == [(0, 10.0, 10.0, 10.0, 10.0, 10.0)]
    unknown = (0, None, None, None, 10.0, 60.0)
    assert said(tx, names=names, transactions=RUNNING, defaults=UNKNOWN) == [unknown]


def test_nothing_is_rounded_when_the_policy_says_so() -> None:
    """D14."""
    tx = profile(TX, by_phase(16.05, 10.06, 20.07, phases=3))
    question: dict[str, Any] = {"names": LINES, "transactions": RUNNING}
    assert said(tx, **question, rounding="none") == [(0, 16.05, 10.06, 20.07)]
    assert said(tx, **question) == [(0, 16.0, 10.0, 20.0)]


def test_the_hardware_caps_each_phase_when_asked() -> None:
    """D13."""
    tx = profile(TX, by_phase(60, 10, 50))
    question: dict[str, Any] = {"names": LINES, "transactions": RUNNING, "cap_by_local_limit": True}
    assert said(tx, **question) == [(0, 48.0, 10.0, 48.0)]


@pytest.mark.parametrize(
    ("ours", "theirs", "phases", "answer"),
    [(2, None, 1, 2), (2, 2, 1, 2), (None, 3, 1, 3), (2, 3, 1, None), (2, 2, 3, None)],
)
def test_the_phase_to_use_is_one_on_which_all_agree(
    ours: int | None, theirs: int | None, phases: int, answer: int | None
) -> None:
    """K01.FR.19/.20: with one phase only; a contradiction is not reported."""
    tx = profile(TX, v2x(0, 16, phases=phases, mode="ChargingOnly", phase_to_use=ours))
    cap = profile(MAX, v2x(0, 20, phases=phases, mode="ChargingOnly", phase_to_use=theirs), evse=0, id=2)
    assert said(tx, cap, names="phase_to_use", transactions=RUNNING) == [(0, 16.0, answer)]


# ------------------------------------------------------------------------------------------ local generation


def test_local_generation_is_added_after_the_lowest_was_found() -> None:
    """K27."""
    tx, cap = profile(TX_DEFAULT, (0, 20)), profile(MAX, (0, 16), evse=0, id=2)
    sun = profile(GENERATION, (0, 5), (60, 0), (120, 9), evse=0, duration_s=180, id=3)
    assert limits(tx, cap, sun) == [(0, 21.0), (60, 16.0), (120, 25.0), (180, 16.0)]


def test_of_local_generation_the_highest_level_leads_and_own_and_stations_both_add() -> None:
    tx = profile(TX_DEFAULT, (0, 10), evse=0)
    low = profile(GENERATION, (0, 1), evse=0, level=0, id=2)
    high = profile(GENERATION, (0, 3), evse=0, level=2, id=3)
    own = profile(GENERATION, (0, 6), evse=1, level=1, id=4)
    assert limits(tx, low, high) == [(0, 13.0)]
    assert limits(tx, low, high, own, evse_count=2) == [(0, 19.0)]
    assert limits(tx, low, high, own, evse=2, evse_count=2) == [(0, 13.0)]
    assert limits(tx, low, high, own, evse=0, evse_count=2) == [(0, 29.0)]


def test_local_generation_is_no_limit_and_does_not_raise_the_hardwares() -> None:
    sun = profile(GENERATION, (0, 5), evse=0)
    assert limits(sun, defaults=UNKNOWN) == [(0, None)]
    assert limits(sun) == [(0, 48.0)]
    assert limits(sun, evse=0, evse_count=2) == [(0, 96.0)]
    assert limits(sun, profile(TX_DEFAULT, v2x(0, mode="Idle"), id=2)) == [(0, 48.0)]
    tx = profile(TX_DEFAULT, (0, 46), id=2)
    assert limits(tx, sun) == [(0, 51.0)]
    assert limits(tx, sun, cap_by_local_limit=True) == [(0, 48.0)]


def test_local_generation_changes_neither_phases_nor_modes() -> None:
    sun = profile(
        GENERATION, v2x(0, 4600, phases=1, setpoint=1.0, discharge_limit=-1.0), evse=0, unit="W", id=2
    )
    tx = profile(TX_DEFAULT, v2x(0, 10, discharge_limit=-20.0, setpoint=25.0))
    answer = first(tx, sun)
    assert (answer.limit, answer.phases) == (30.0, 3)
    assert answer.operation == Operation(OperationMode.CENTRAL_SETPOINT, discharge_limit=-20.0, setpoint=25.0)


def test_local_generation_adds_to_each_phase() -> None:
    sun = profile(GENERATION, (0, 6900), evse=0, unit="W", id=2)
    tx = profile(TX, by_phase(16, 10, 20))
    assert said(tx, sun, names=LINES, transactions=RUNNING) == [(0, 26.0, 20.0, 30.0)]


def test_local_generation_without_a_limit_or_with_a_negative_one_adds_nothing() -> None:
    tx = profile(TX_DEFAULT, (0, 10))
    for period in (v2x(0), v2x(0, -7, mode="ChargingOnly")):
        assert limits(tx, profile(GENERATION, period, evse=0, id=2)) == [(0, 10.0)]


def test_local_generation_in_watts_is_converted() -> None:
    tx = profile(TX_DEFAULT, (0, 5000), unit="W")
    sun = profile(GENERATION, (0, 2000), evse=0, unit="W", id=2)
    for conversion in ("own_phases", "common_phases"):
        assert limits(tx, sun, unit="W", unit_conversion=conversion) == [(0, 7000.0)]
        assert limits(tx, sun, unit_conversion=conversion) == [(0, 10.1)]


# ------------------------------------------------------------------------------------------ the whole station


def test_limits_and_discharge_limits_of_evses_add_up_and_the_stations_own_cap_them() -> None:
    one = profile(TX_DEFAULT, v2x(0, 16, discharge_limit=-10.0, setpoint=12.0), evse=1, id=1)
    two = profile(TX_DEFAULT, v2x(0, 20, discharge_limit=-6.0), evse=2, id=2)
    question: dict[str, Any] = {"evse": 0, "evse_count": 2}
    assert said(one, two, **question) == [(0, 36.0, OperationMode.CHARGING_ONLY, None, -16.0)]
    assert said(one, two, **question, names=LINES) == [(0, 36.0, None, None)]
    grid = v2x(0, 30, mode="ExternalSetpoint", discharge_limit=-12.0, setpoint=-14.0)
    capped = said(one, two, profile(EXTERNAL, grid, evse=0, id=3), **question)
    assert capped == [(0, 30.0, OperationMode.EXTERNAL_SETPOINT, -12.0, -12.0)]


def test_discharge_limits_of_evses_on_one_phase_add_up_in_watts() -> None:
    one = profile(TX_DEFAULT, v2x(0, 6900, phases=1, discharge_limit=-2300.0), evse=0, unit="W")
    question: dict[str, Any] = {"evse": 0, "evse_count": 2, "names": "discharge_limit"}
    assert said(one, unit="W", **question) == [(0, 13_800.0, -4600.0)]
    assert said(one, unit="A", **question) == [(0, 60.0, -20.0)]
    by_line = profile(TX_DEFAULT, v2x(0, 16, discharge_limit=-10.0, discharge_limit_l2=-8.0), evse=0)
    names = "discharge_limit discharge_limit_l2"
    assert said(by_line, **question | {"names": names}) == [(0, 32.0, -20.0, -16.0)]


def test_an_evse_that_only_charges_discharges_nothing_and_an_unknown_one_makes_the_sum_unknown() -> None:
    one = profile(TX_DEFAULT, v2x(0, 16, discharge_limit=-10.0), evse=1, id=1)
    question: dict[str, Any] = {"evse": 0, "evse_count": 2, "names": "discharge_limit"}
    assert said(one, profile(TX_DEFAULT, (0, 20), evse=2, id=2), **question) == [(0, 36.0, -10.0)]
    assert said(one, **question, defaults=UNKNOWN) == [(0, None, -10.0)]
    free = profile(TX_DEFAULT, v2x(0, 20, setpoint=-9.0), evse=2, id=2)
    assert said(one, free, **question) == [(0, 36.0, None)]
    alone = profile(TX_DEFAULT, v2x(0, 16, mode="Idle"), evse=1, id=1)
    assert said(alone, **question) == [(0, 64.0, None)]


def test_of_a_station_the_phases_add_up_one_by_one() -> None:
    one = profile(TX_DEFAULT, by_phase(16, 10, 20), evse=1, id=1)
    two = profile(TX_DEFAULT, (0, 6900), evse=2, unit="W", id=2)
    question: dict[str, Any] = {"evse": 0, "evse_count": 2, "names": LINES}
    assert said(one, two, **question) == [(0, 26.0, 20.0, 30.0)]
    cap = profile(MAX, by_phase(25, 25, 25), evse=0, id=3)
    assert said(one, two, cap, **question) == [(0, 25.0, 20.0, 25.0)]
    single = profile(MAX, (0, 99, 1), evse=0, id=3)
    assert said(one, two, single, **question) == [(0, 20.0, None, None)]


def test_each_evse_of_a_station_stays_within_its_hardware_when_asked() -> None:
    """D13."""
    one, two = (
        profile(TX_DEFAULT, v2x(0, 60, setpoint=1.0), evse=1),
        profile(TX_DEFAULT, (0, 10), evse=2, id=2),
    )
    assert limits(one, two, evse=0, evse_count=2) == [(0, 70.0)]
    assert limits(one, two, evse=0, evse_count=2, cap_by_local_limit=True) == [(0, 58.0)]


def test_an_evse_without_profiles_counts_with_its_local_limit() -> None:
    one = profile(TX_DEFAULT, v2x(0, 10, setpoint=1.0), evse=1, duration_s=60)
    later = profile(MAX, (0, 50), evse=0, start=at(120), id=2)
    assert limits(one, later, evse=0, evse_count=2) == [(0, 58.0), (60, 96.0), (120, 50.0)]
