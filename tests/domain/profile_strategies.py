"""Charging profiles as Hypothesis draws them: near to what a version allows, with mistakes among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Kind,
    Operation,
    OperationMode,
    Purpose,
    Recurrency,
    Version,
)
from tests.domain.charging import NOW

SENSIBLE = {
    OperationMode.CHARGING_ONLY: ("limit", "limit_l2", "limit_l3"),
    OperationMode.CENTRAL_SETPOINT: (
        "setpoint",
        "limit",
        "discharge_limit",
        "setpoint_reactive",
        "setpoint_l2",
    ),
    OperationMode.CENTRAL_FREQUENCY: ("setpoint", "limit", "discharge_limit"),
    OperationMode.EXTERNAL_SETPOINT: ("limit", "discharge_limit", "discharge_limit_l3"),
}
tenths = st.integers(0, 400).map(lambda number: number / 10)
moments = st.integers(-100_000, 1_000_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
powers = st.integers(-30_000, 30_000).map(lambda number: number / 4)


@st.composite
def operations(draw: st.DrawFn, limit: float) -> tuple[float, Operation]:
    """A limit and what goes with it: a mode, and values that suit it, mostly."""
    mode = draw(st.sampled_from(OperationMode))
    said: dict[str, Any] = {}
    for name in SENSIBLE.get(mode, ()):
        if draw(st.booleans()) and name != "limit":
            value = draw(tenths)
            said[name] = -value if name.startswith("discharge") else value
    if mode is OperationMode.LOCAL_FREQUENCY:
        said["baseline_w"] = draw(powers)
        said["frequency_curve"] = draw(
            st.lists(st.tuples(st.sampled_from((49.98, 50.0, 50.2)), powers), min_size=1, max_size=4).map(
                tuple
            )
        )
        said["signal_curve"] = draw(st.lists(st.tuples(st.integers(-5, 5), powers), max_size=2).map(tuple))
    if mode is OperationMode.IDLE:
        said["evse_sleep"] = draw(st.sampled_from((None, True, False)))
    limit = limit if "limit" in SENSIBLE.get(mode, ()) else NOTHING
    return limit, Operation(mode=mode, **said)


@st.composite
def periods(draw: st.DrawFn, version: Version) -> tuple[ChargingPeriod, ...]:
    starts = sorted(draw(st.sets(st.integers(1, 90_000), max_size=4)))
    made = []
    for start_s in [0, *starts]:
        limit, operation = draw(tenths), None
        phases = draw(st.sampled_from((None, 1, 2, 3)))
        if version == "2.1" and draw(st.booleans()):
            limit, operation = draw(operations(limit))
        elif version != "1.6" and phases == 1 and draw(st.booleans()):
            operation = Operation(phase_to_use=draw(st.integers(1, 3)))
        made.append(ChargingPeriod(start_s, limit, phases, None if operation == Operation() else operation))
    return tuple(made)


@st.composite
def schedules(draw: st.DrawFn, version: Version, kind: Kind) -> ChargingSchedule:
    has_start = kind in {Kind.ABSOLUTE, Kind.RECURRING}
    additions: dict[str, Any] = {}
    if version == "2.1":
        additions = {
            "use_local_time": draw(st.booleans()),
            "randomized_delay_s": draw(st.sampled_from((None, 0, 60))),
            "limit_at_soc": draw(st.none() | st.tuples(st.integers(0, 100), tenths)),
        }
    drawn = draw(periods(version))
    return ChargingSchedule(
        unit=draw(st.sampled_from(("A", "W"))),
        periods=drawn[:1] if kind is Kind.DYNAMIC else drawn,
        start=draw(moments) if has_start else None,
        duration_s=draw(st.none() | st.integers(1, 200_000)),
        min_charging_rate=draw(st.none() | tenths),
        **additions,
    )


@st.composite
def profiles(draw: st.DrawFn, version: Version) -> ChargingProfile:
    """A profile that can be written in `version`; good for about half."""
    kinds, purposes = list(Kind), list(Purpose)
    purposes.remove(Purpose.EXTERNAL_CONSTRAINTS)
    if version != "2.1":
        kinds.remove(Kind.DYNAMIC)
        purposes = [Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]
    kind, purpose = draw(st.sampled_from(kinds)), draw(st.sampled_from(purposes))
    additions: dict[str, Any] = {}
    if version == "2.1":
        additions = {
            "max_offline_s": draw(st.none() | st.integers(0, 3600)),
            "invalid_after_offline": draw(st.booleans()),
        }
        if kind is Kind.DYNAMIC:
            additions["dynamic_interval_s"] = draw(st.none() | st.integers(0, 3600))
            additions["dynamic_updated_at"] = draw(st.none() | moments)
    is_tx = purpose is Purpose.TX
    return ChargingProfile(
        id=draw(st.integers(1, 2**31 - 1)),
        stack_level=draw(st.integers(0, 10)),
        purpose=purpose,
        kind=kind,
        schedule=draw(schedules(version, kind)),
        recurrency=draw(st.sampled_from(Recurrency)) if kind is Kind.RECURRING else None,
        valid_from=draw(st.none() | moments),
        valid_to=draw(st.none() | moments),
        transaction_id=(7 if version == "1.6" else "7") if is_tx else None,
        **additions,
    )
