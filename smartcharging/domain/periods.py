"""What can be wrong with the periods of a schedule: their order, limits and phases, and what OCPP 2.1 lets an EVSE do
in them. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, replace

from smartcharging.domain.profiles import (
    NOTHING,
    OPERATION_ON_WIRE,
    ChargingPeriod,
    ChargingProfile,
    Operation,
    OperationMode,
    Purpose,
)
from smartcharging.domain.rules import Abilities, Place, Problem, Rule

MOST_A = 1000
MOST_W = 1_000_000
MOST_PERIODS = 1024
LONGEST_S = 10 * 366 * 86_400
FEWEST_POINTS = 2  # of a curve that answers the frequency of the grid (Q08.FR.02)

_MODE = OperationMode
_MODES: dict[Purpose, frozenset[OperationMode]] = {  # K01.FR.111/.113
    Purpose.STATION_MAX: frozenset({_MODE.CHARGING_ONLY}),
    Purpose.LOCAL_GENERATION: frozenset({_MODE.CHARGING_ONLY, _MODE.EXTERNAL_LIMITS}),
}
# What a mode takes beside what it needs; `setpoint` in the modes of the CSMS, `limit` in ChargingOnly.
_OPTIONAL: dict[OperationMode, frozenset[str]] = {
    _MODE.CENTRAL_SETPOINT: frozenset({"limit", "discharge_limit", "setpoint_reactive"}),
    _MODE.CENTRAL_FREQUENCY: frozenset({"limit", "discharge_limit"}),
    _MODE.EXTERNAL_SETPOINT: frozenset({"limit", "discharge_limit"}),
}
_REQUIRED = {
    _MODE.CHARGING_ONLY: "limit",
    _MODE.CENTRAL_SETPOINT: "setpoint",
    _MODE.CENTRAL_FREQUENCY: "setpoint",
}
_NEVER_NEGATIVE = frozenset({"limit", "limit_l2", "limit_l3"})
_NEVER_POSITIVE = frozenset({"discharge_limit", "discharge_limit_l2", "discharge_limit_l3"})


def period_problems(profile: ChargingProfile, *, evse: int, place: Place) -> Iterator[Problem]:
    """All that is wrong with the periods of `profile`, and with the other numbers of its schedule."""
    schedule = profile.schedule
    if len(schedule.periods) > MOST_PERIODS:
        yield Problem("periods", Rule.TOO_LONG, len(schedule.periods), MOST_PERIODS)
        return
    before_s: int | None = None
    is_dc = evse in place.dc_evses
    for at, period in enumerate(schedule.periods):
        field = f"periods[{at}]"
        yield from _start_problems(f"{field}.start_s", period.start_s, before_s)
        before_s = period.start_s
        if period.phases is not None or period.operation is not None:
            yield from _phase_problems(field, period, place, is_dc=is_dc)
        yield from _value_problems(field, period, profile, place)
        if period.operation is not None:
            yield from _operation_problems(field, period.operation, period, profile, place)
    if schedule.min_charging_rate is not None:
        yield from _number_problems("min_charging_rate", schedule.min_charging_rate, schedule.unit)
    if schedule.limit_at_soc is not None and place.version == "2.1":
        soc, limit = schedule.limit_at_soc
        if not 0 <= soc <= 100:
            yield Problem("limit_at_soc", Rule.STATE_OF_CHARGE, soc)
        yield from _number_problems("limit_at_soc", limit, schedule.unit)


def phases_to_use(profile: ChargingProfile) -> frozenset[int]:
    """The phases that its periods want a car on one phase to use."""
    if profile.schedule.is_plain:
        return frozenset()
    operations = (period.operation for period in profile.schedule.periods)
    return frozenset(each.phase_to_use for each in operations if each and each.phase_to_use)


def _start_problems(field: str, start_s: int, before_s: int | None) -> Iterator[Problem]:
    if before_s is None:
        if start_s != 0:
            yield Problem(field, Rule.FIRST_PERIOD, start_s)
    elif start_s <= before_s:
        yield Problem(field, Rule.ASCENDING, start_s, before_s)
    if start_s > LONGEST_S:
        yield Problem(field, Rule.DURATION, start_s)


# ---------------------------------------------------------------------------------------------------------- phases


def _phase_problems(field: str, period: ChargingPeriod, place: Place, *, is_dc: bool) -> Iterator[Problem]:
    abilities, version = place.abilities, place.version
    use = period.operation.phase_to_use if period.operation else None
    if is_dc and version != "1.6":
        # 2.0.1 ignores both on DC, 2.1 refuses them (K01.FR.44)
        if version == "2.1" and (period.phases is not None or use is not None):
            yield Problem(f"{field}.phases", Rule.PHASES_DC)
        return
    if period.phases not in {None, 1, 2, 3}:
        yield Problem(f"{field}.phases", Rule.PHASES, str(period.phases))
    elif version != "1.6" and abilities.phases and (period.phases or 0) > abilities.phases:
        yield Problem(f"{field}.phases", Rule.PHASES_SUPPORTED, period.phases or 0, abilities.phases)
    if use is None:
        return
    if version == "1.6":
        yield Problem(f"{field}.phase_to_use", Rule.NOT_IN_VERSION, "phaseToUse", version)
    elif use not in {1, 2, 3}:
        yield Problem(f"{field}.phase_to_use", Rule.PHASE_TO_USE, str(use))
    elif period.phases != 1:
        yield Problem(f"{field}.phase_to_use", Rule.PHASE_TO_USE_ALONE)
    elif abilities.phase_switching is False:
        yield Problem(f"{field}.phase_to_use", Rule.PHASE_SWITCHING)


# ---------------------------------------------------------------------------------------------------------- values


def _value_problems(
    field: str, period: ChargingPeriod, profile: ChargingProfile, place: Place
) -> Iterator[Problem]:
    unit = profile.schedule.unit
    if period.operation is None and 0 <= period.limit <= MOST_A and (period.limit * 10) % 1 == 0:
        return  # nearly all are like this
    values = _values(period) if place.version == "2.1" else {"limit": period.limit}
    for name, value in values.items():
        if name == "limit" and value == NOTHING and place.version == "2.1":
            continue  # not named; whether the mode needs it, is said there
        yield from _number_problems(f"{field}.{name}", value, unit, name)
    if place.version == "2.1" and period.operation is None and period.limit == NOTHING:
        yield Problem(f"{field}.limit", Rule.LIMIT_MISSING)


def _values(period: ChargingPeriod) -> dict[str, float]:
    """What the period says in the unit of its schedule, by field."""
    said: dict[str, float] = {"limit": period.limit}
    operation = period.operation
    if operation is not None:
        for name in _OPERATION_VALUES:
            value = getattr(operation, name)
            if value is not None:
                said[name] = value
    return said


_OPERATION_VALUES = tuple(
    field.name
    for field in fields(Operation)
    if field.name.startswith(("limit", "discharge_limit", "setpoint"))
)


def _number_problems(field: str, value: float, unit: str, name: str = "limit") -> Iterator[Problem]:
    most = MOST_A if unit == "A" else MOST_W
    if not math.isfinite(value):
        yield Problem(field, Rule.NOT_A_NUMBER, str(value))
    elif name in _NEVER_NEGATIVE and value < 0:
        yield Problem(field, Rule.NEGATIVE, value)
    elif name in _NEVER_POSITIVE and value > 0:
        yield Problem(field, Rule.DISCHARGE_POSITIVE, value)
    elif abs(value) > most:
        yield Problem(field, Rule.TOO_HIGH, value, most)
    elif (
        abs(value * 10 - round(value * 10)) > 1e-6
    ):  # one digit after the point, and the 1.6 schema's multipleOf 0.1
        yield Problem(field, Rule.DECIMALS, value)


# ------------------------------------------------------------------------------------------------ OCPP 2.1: operation


def _operation_problems(
    field: str, operation: Operation, period: ChargingPeriod, profile: ChargingProfile, place: Place
) -> Iterator[Problem]:
    if place.version != "2.1":
        if replace(operation, phase_to_use=None) != Operation():
            yield Problem(field, Rule.NOT_IN_VERSION, str(operation.mode), place.version)
        return
    yield from _mode_problems(f"{field}.operation_mode", operation.mode, profile.purpose, place.abilities)
    yield from _mode_value_problems(field, operation, period)
    yield from _phase_value_problems(field, period, profile.purpose)
    yield from _range_problems(field, period)
    yield from _curve_problems(field, operation, profile)
    if operation.evse_sleep:
        if operation.mode is not OperationMode.IDLE:
            yield Problem(f"{field}.evse_sleep", Rule.SLEEP_MODE, str(operation.mode))
        elif place.abilities.evse_sleep is False:
            yield Problem(f"{field}.evse_sleep", Rule.SLEEP_UNSUPPORTED)


def _mode_problems(
    field: str, mode: OperationMode, purpose: Purpose, abilities: Abilities
) -> Iterator[Problem]:
    if mode is OperationMode.CHARGING_ONLY:
        return
    if purpose is Purpose.PRIORITY_CHARGING:
        yield Problem(field, Rule.PRIORITY_MODE, str(mode))
    elif mode not in _MODES.get(purpose, OperationMode):
        yield Problem(field, Rule.MODE_PURPOSE, str(mode), str(purpose))
    elif abilities.modes is not None and str(mode) not in abilities.modes:
        yield Problem(field, Rule.MODE_UNSUPPORTED, str(mode), ", ".join(abilities.modes))


def _mode_value_problems(field: str, operation: Operation, period: ChargingPeriod) -> Iterator[Problem]:
    required = _REQUIRED.get(operation.mode)
    said = {_base(name) for name, value in _values(period).items() if value != NOTHING}
    if required == "limit" and "limit" not in said:
        yield Problem(f"{field}.limit", Rule.LIMIT_MISSING)
    elif required == "setpoint" and "setpoint" not in said:
        yield Problem(f"{field}.setpoint", Rule.SETPOINT_MISSING, str(operation.mode))
    for name in sorted(said - {required} - _OPTIONAL.get(operation.mode, frozenset())):
        yield Problem(
            f"{field}.{name}", Rule.NOT_IN_MODE, OPERATION_ON_WIRE.get(name, name), str(operation.mode)
        )


def _phase_value_problems(field: str, period: ChargingPeriod, purpose: Purpose) -> Iterator[Problem]:
    """Values of L2 and L3: in a TxProfile only, and beside one that is then of L1."""
    said = _values(period)
    for name in said:
        base = _base(name)
        if base == name:
            continue
        is_limit = base == "limit"
        if purpose is not Purpose.TX:
            rule = Rule.PHASE_LIMIT_PURPOSE if is_limit else Rule.PHASE_VALUE_PURPOSE
            yield Problem(f"{field}.{name}", rule)
        elif said.get(base, NOTHING) == NOTHING:
            rule = Rule.PHASE_LIMIT_ALONE if is_limit else Rule.PHASE_VALUE_ALONE
            yield Problem(f"{field}.{name}", rule, OPERATION_ON_WIRE.get(base, base))


def _range_problems(field: str, period: ChargingPeriod) -> Iterator[Problem]:
    """A setpoint lies within what may be charged and discharged."""
    said = _values(period)
    for suffix in ("", "_l2", "_l3"):
        setpoint = said.get(f"setpoint{suffix}")
        if setpoint is None:
            continue
        highest = said.get(f"limit{suffix}", NOTHING)
        lowest = said.get(f"discharge_limit{suffix}", -NOTHING)
        if not lowest <= setpoint <= highest:
            bound = highest if setpoint > highest else lowest
            yield Problem(f"{field}.setpoint{suffix}", Rule.SETPOINT_RANGE, setpoint, bound)


def _curve_problems(field: str, operation: Operation, profile: ChargingProfile) -> Iterator[Problem]:
    numbers = [number for point in (*operation.frequency_curve, *operation.signal_curve) for number in point]
    if not all(math.isfinite(number) for number in (*numbers, operation.baseline_w or 0)):
        yield Problem(f"{field}.frequency_curve", Rule.NOT_A_NUMBER, "NaN")
    if operation.mode is not OperationMode.LOCAL_FREQUENCY:
        return
    if profile.schedule.unit != "W":
        yield Problem("unit", Rule.CURVE_UNIT, profile.schedule.unit)
    if operation.baseline_w is None or len(operation.frequency_curve) < FEWEST_POINTS:
        yield Problem(f"{field}.frequency_curve", Rule.CURVE_MISSING, len(operation.frequency_curve))


def _base(name: str) -> str:
    return name.removesuffix("_l2").removesuffix("_l3")
