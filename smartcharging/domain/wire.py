"""Charging profiles from the JSON of the wire. Pure.

OCPP 1.6: `csChargingProfiles`. OCPP 2.0.1: `chargingProfile`. What a station answers is read by `answers.py`,
which forgives more. Unknown members are left alone, customData and salesTariff among them: they set no limit.
"""

from __future__ import annotations

from typing import Any, cast

from smartcharging.domain.fields import Field, MalformedProfile
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Kind,
    Purpose,
    Recurrency,
    Unit,
    Version,
)

__all__ = [
    "MAX_LIMIT",
    "MalformedProfile",
    "parse_profile",
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
    "2.0.1": {purpose.value: purpose for purpose in Purpose},
}


def parse_profile(value: Any, version: Version) -> ChargingProfile:
    """One charging profile: `csChargingProfiles` in 1.6, `chargingProfile` in 2.0.1. Raises MalformedProfile."""
    return read_profile(Field(value), version)


def read_version(field: Field) -> Version:
    """The OCPP version that profiles are written in."""
    if field.value == "2.1":
        raise field.malformed("OCPP 2.1 comes later, 1.6 and 2.0.1 are supported")
    return cast(Version, field.one_of("1.6", "2.0.1"))


def read_profile(field: Field, version: Version) -> ChargingProfile:
    """The profile at `field`. Kind and times must fit each other where the version says so (K01.FR.38/.40/.41)."""
    kind = Kind(field.field("chargingProfileKind").one_of(*Kind))
    recurrency = field.optional("recurrencyKind") if kind is Kind.RECURRING else None  # else stray: ignored
    if kind is Kind.RECURRING:
        recurrency = field.field("recurrencyKind")
    purposes = _PURPOSES[version]
    valid_from, valid_to = field.optional("validFrom"), field.optional("validTo")
    return ChargingProfile(
        id=field.field("chargingProfileId" if version == "1.6" else "id").integer(),
        stack_level=field.field("stackLevel").integer(least=0),
        purpose=purposes[field.field("chargingProfilePurpose").one_of(*purposes)],
        kind=kind,
        schedule=_read_schedule(field, version, kind),
        recurrency=Recurrency(recurrency.one_of(*Recurrency)) if recurrency else None,
        valid_from=valid_from.moment() if valid_from else None,
        valid_to=valid_to.moment() if valid_to else None,
        transaction_id=_read_transaction_id(field, version),
    )


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
            raise field.malformed(f"must hold one schedule, not {len(schedules)} (K01.FR.35)")
        field = schedules[0]
    start = field.optional("startSchedule") if kind is not Kind.RELATIVE else None
    if (
        start is None and kind is not Kind.RELATIVE and version != "1.6"
    ):  # 1.6 7.13: from the start of charging
        start = field.field("startSchedule")  # K01.FR.40
    duration, least = field.optional("duration"), field.optional("minChargingRate")
    return ChargingSchedule(
        unit=_read_unit(field),
        periods=_read_periods(field),
        start=start.moment() if start else None,
        duration_s=duration.integer(least=0) if duration else None,
        min_charging_rate=least.number(least=0, most=MAX_LIMIT) if least else None,
    )


def _read_unit(schedule: Field) -> Unit:
    return cast(Unit, schedule.field("chargingRateUnit").one_of("A", "W"))


def _read_periods(schedule: Field) -> tuple[ChargingPeriod, ...]:
    """The periods of a schedule: at least one, ascending, the first at 0 (K01.FR.31)."""
    field = schedule.field("chargingSchedulePeriod")
    fields = field.items()
    if not fields:
        raise field.malformed("must hold at least one period")
    periods: list[ChargingPeriod] = []
    for item in fields:
        period = _read_period(item)
        if not periods and period.start_s != 0:
            raise item.field("startPeriod").malformed("must be 0 in the first period")
        if periods and period.start_s <= periods[-1].start_s:
            raise item.field("startPeriod").malformed("must be later than that of the period before")
        periods.append(period)
    return tuple(periods)


def _read_period(field: Field) -> ChargingPeriod:
    phases = field.optional("numberPhases")
    return ChargingPeriod(
        start_s=field.field("startPeriod").integer(least=0),
        limit=field.field("limit").number(least=0, most=MAX_LIMIT),
        phases=phases.integer(least=1, most=3) if phases else None,
    )
