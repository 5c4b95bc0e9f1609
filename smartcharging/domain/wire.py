"""Charging profiles from the JSON of the wire. Pure.

OCPP 1.6: `csChargingProfiles`. OCPP 2.0.1 and 2.1: `chargingProfile`. What a station answers is read by
`answers.py`, which forgives more. Unknown members are left alone, customData and salesTariff among them: they set no
limit.

In 2.1 a time may lack its offset, as that is disregarded with useLocalTime; without useLocalTime it then is in UTC.
1.6 and 2.0.1 refuse it: nothing says which zone is meant.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from smartcharging.domain.fields import Field, MalformedProfile
from smartcharging.domain.profiles import (
    NOTHING,
    OPERATION_ON_WIRE,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Kind,
    Operation,
    OperationMode,
    Purpose,
    Recurrency,
    Unit,
    Version,
)

__all__ = [
    "MAX_LIMIT",
    "MalformedProfile",
    "parse_profile",
    "read_operation",
    "read_profile",
    "read_version",
]

MAX_LIMIT = 100_000_000.0  # A or W: above 100 MW it is no station; tenths are exact far beyond it

_PURPOSES: dict[Version, dict[str, Purpose]] = {
    "1.6": {
        "ChargePointMaxProfile": Purpose.STATION_MAX,
        "TxDefaultProfile": Purpose.TX_DEFAULT,
        "TxProfile": Purpose.TX,
    },
    "2.0.1": {
        purpose.value: purpose
        for purpose in Purpose
        if purpose not in {Purpose.PRIORITY_CHARGING, Purpose.LOCAL_GENERATION}
    },
    "2.1": {purpose.value: purpose for purpose in Purpose},
}
_KINDS: dict[Version, tuple[Kind, ...]] = {
    "1.6": (Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE),
    "2.0.1": (Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE),
    "2.1": tuple(Kind),
}


def parse_profile(value: Any, version: Version) -> ChargingProfile:
    """One charging profile: `csChargingProfiles` in 1.6, `chargingProfile` in 2.x. Raises MalformedProfile."""
    return read_profile(Field(value), version)


def read_version(field: Field) -> Version:
    """The OCPP version that profiles are written in."""
    return cast(Version, field.one_of("1.6", "2.0.1", "2.1"))


def read_profile(field: Field, version: Version) -> ChargingProfile:
    """The profile at `field`. Kind and times must fit each other where the version says so (K01.FR.38/.40/.41)."""
    kind = Kind(field.field("chargingProfileKind").one_of(*_KINDS[version]))
    recurrency = field.optional("recurrencyKind") if kind is Kind.RECURRING else None  # else stray: ignored
    if kind is Kind.RECURRING:
        recurrency = field.field("recurrencyKind")
    purposes = _PURPOSES[version]
    return ChargingProfile(
        id=field.field("chargingProfileId" if version == "1.6" else "id").integer(),
        stack_level=field.field("stackLevel").integer(least=0),
        purpose=purposes[field.field("chargingProfilePurpose").one_of(*purposes)],
        kind=kind,
        schedule=_read_schedule(field, version, kind),
        recurrency=Recurrency(recurrency.one_of(*Recurrency)) if recurrency else None,
        valid_from=_read_moment(field, "validFrom", version),
        valid_to=_read_moment(field, "validTo", version),
        transaction_id=_read_transaction_id(field, version),
        **(_read_additions_of_profile(field) if version == "2.1" else {}),
    )


def _read_additions_of_profile(field: Field) -> dict[str, Any]:
    """What a profile of 2.1 has and one of 2.0.1 has not."""
    interval, offline = field.optional("dynUpdateInterval"), field.optional("maxOfflineDuration")
    invalid = field.optional("invalidAfterOfflineDuration")
    return {
        "dynamic_updated_at": _read_moment(field, "dynUpdateTime", "2.1"),
        "dynamic_interval_s": interval.integer(least=0) if interval else None,
        "max_offline_s": offline.integer(least=0) if offline else None,
        "invalid_after_offline": invalid.boolean() if invalid else False,
    }


def _read_moment(field: Field, name: str, version: Version) -> datetime | None:
    moment = field.optional(name)
    return moment.moment(naive_is_utc=version == "2.1") if moment else None


def _read_transaction_id(profile: Field, version: Version) -> int | str | None:
    field = profile.optional("transactionId")
    if field is None:
        return None
    return field.integer() if version == "1.6" else field.text()


def _read_schedule(profile: Field, version: Version, kind: Kind) -> ChargingSchedule:
    """The one schedule of a profile: an object in 1.6, a list in 2.0.1 (more than one only for ISO 15118)."""
    field = profile.field("chargingSchedule")
    if version != "1.6":
        schedules = field.items()
        if len(schedules) != 1:
            raise field.malformed(f"must hold one schedule, not {len(schedules)} (K01.FR.34)")
        field = schedules[0]
    duration, least = field.optional("duration"), field.optional("minChargingRate")
    additions = _read_additions_of_schedule(field) if version == "2.1" else {}
    return ChargingSchedule(
        unit=_read_unit(field),
        periods=_read_periods(field, version),
        start=_read_start(field, version, kind, is_local=additions.get("use_local_time", False)),
        duration_s=duration.integer(least=0) if duration else None,
        min_charging_rate=least.number(least=0, most=MAX_LIMIT) if least else None,
        **additions,
    )


def _read_start(schedule: Field, version: Version, kind: Kind, *, is_local: bool) -> datetime | None:
    """Where the schedule starts; None for one that counts from the start of charging or from an update."""
    if kind in {Kind.RELATIVE, Kind.DYNAMIC}:
        return None
    field = schedule.optional("startSchedule")
    if field is None and version == "1.6":  # 7.13: from the start of charging
        return None
    field = schedule.field("startSchedule")  # K01.FR.40
    return field.clock() if is_local else field.moment(naive_is_utc=version == "2.1")


def _read_additions_of_schedule(field: Field) -> dict[str, Any]:
    """What a schedule of 2.1 has and one of 2.0.1 has not."""
    is_local, delay, at_soc = (
        field.optional(name) for name in ("useLocalTime", "randomizedDelay", "limitAtSoC")
    )
    return {
        "use_local_time": is_local.boolean() if is_local else False,
        "randomized_delay_s": delay.integer(least=0) if delay else None,
        "limit_at_soc": (
            at_soc.field("soc").integer(least=0, most=100),
            at_soc.field("limit").number(least=-MAX_LIMIT, most=MAX_LIMIT),
        )
        if at_soc
        else None,
    }


def _read_unit(schedule: Field) -> Unit:
    return cast(Unit, schedule.field("chargingRateUnit").one_of("A", "W"))


def _read_periods(schedule: Field, version: Version) -> tuple[ChargingPeriod, ...]:
    """The periods of a schedule: at least one, ascending, the first at 0 (K01.FR.31)."""
    field = schedule.field("chargingSchedulePeriod")
    fields = field.items()
    if not fields:
        raise field.malformed("must hold at least one period")
    periods: list[ChargingPeriod] = []
    for item in fields:
        period = _read_period(item, version)
        if not periods and period.start_s != 0:
            raise item.field("startPeriod").malformed("must be 0 in the first period")
        if periods and period.start_s <= periods[-1].start_s:
            raise item.field("startPeriod").malformed("must be later than that of the period before")
        periods.append(period)
    return tuple(periods)


def _read_period(field: Field, version: Version) -> ChargingPeriod:
    """A period; in 2.1 its limit may be absent, or negative in old messages."""
    phases = field.optional("numberPhases")
    limit = field.optional("limit") if version == "2.1" else field.field("limit")
    least = -MAX_LIMIT if version == "2.1" else 0
    operation = read_operation(field, version) if version != "1.6" else None
    return ChargingPeriod(
        start_s=field.field("startPeriod").integer(least=0),
        limit=limit.number(least=least, most=MAX_LIMIT) if limit else NOTHING,
        phases=phases.integer(least=1, most=3) if phases else None,
        operation=None if operation == Operation() else operation,
    )


def read_operation(field: Field, version: Version) -> Operation:
    """What a period of 2.x says beyond its limit: in 2.0.1 the phase to use."""
    phase = field.optional("phaseToUse")
    phase_to_use = phase.integer(least=1, most=3) if phase else None
    if version == "2.0.1":
        return Operation(phase_to_use=phase_to_use)
    mode, sleep = field.optional("operationMode"), field.optional("evseSleep")
    return Operation(
        mode=OperationMode(mode.one_of(*OperationMode)) if mode else OperationMode.CHARGING_ONLY,
        **{
            ours: _read_value(field, theirs, most=0.0 if ours in _DISCHARGE else MAX_LIMIT)
            for ours, theirs in OPERATION_ON_WIRE.items()
        },
        baseline_w=_read_value(field, "v2xBaseline", most=MAX_LIMIT),
        phase_to_use=phase_to_use,
        evse_sleep=sleep.boolean() if sleep else None,
        frequency_curve=tuple(
            (point.field("frequency").number(least=0), _read_power(point))
            for point in _read_points(field, "v2xFreqWattCurve")
        ),
        signal_curve=tuple(
            (point.field("signal").integer(), _read_power(point))
            for point in _read_points(field, "v2xSignalWattCurve")
        ),
    )


_DISCHARGE = {"discharge_limit", "discharge_limit_l2", "discharge_limit_l3"}  # never above 0


def _read_value(field: Field, name: str, *, most: float) -> float | None:
    value = field.optional(name)
    return value.number(least=-MAX_LIMIT, most=most) if value else None


def _read_points(field: Field, name: str) -> list[Field]:
    curve = field.optional(name)
    return curve.items() if curve else []


def _read_power(point: Field) -> float:
    return point.field("power").number(least=-MAX_LIMIT, most=MAX_LIMIT)
