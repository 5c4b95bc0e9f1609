"""What we ask of a station about charging profiles, as the payloads of OCPP 1.6, 2.0.1 and 2.1. Pure.

`wire.py` reads what is written here. It is for profiles that `checking.py` has nothing against in that version: what a
version has no words for is left out. Numbers go out as short as they came in: 14 and not 14.0, 14.1 and never
14.100000001 (some stations refuse what is not an exact multiple of 0.1), times as UTC in whole seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from smartcharging.domain.profiles import (
    NOTHING,
    OPERATION_ON_WIRE,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Operation,
    OperationMode,
    Purpose,
    Unit,
)

Payload = dict[str, Any]


def set_charging_profile(profile: ChargingProfile, *, evse: int, ocpp: str) -> Payload:
    """The payload of SetChargingProfile (1.6 5.16; 2.x K01). `evse` is the connector in 1.6."""
    if ocpp == "1.6":
        return {"connectorId": evse, "csChargingProfiles": _profile_16(profile)}
    written = _profile_21(profile) if ocpp == "2.1" else _profile_2(profile)
    return {"evseId": evse, "chargingProfile": written}


def clear_charging_profile(profile_id: int, *, ocpp: str) -> Payload:
    """The payload of ClearChargingProfile for exactly this profile and no other (rule 12)."""
    return {"id": profile_id} if ocpp == "1.6" else {"chargingProfileId": profile_id}


def get_composite_schedule(*, evse: int, duration_s: int, unit: Unit, ocpp: str) -> Payload:
    """The payload of GetCompositeSchedule (1.6 5.7; 2.0.1 K08)."""
    return {
        "connectorId" if ocpp == "1.6" else "evseId": evse,
        "duration": duration_s,
        "chargingRateUnit": unit,
    }


def _profile_16(profile: ChargingProfile) -> Payload:
    payload: Payload = {"chargingProfileId": profile.id}
    if profile.transaction_id is not None:
        payload["transactionId"] = int(profile.transaction_id)
    return payload | _common(profile, "1.6") | {"chargingSchedule": _schedule(profile.schedule)}


def _profile_2(profile: ChargingProfile) -> Payload:
    payload: Payload = {"id": profile.id} | _common(profile, "2")
    if profile.transaction_id is not None:
        payload["transactionId"] = str(profile.transaction_id)
    schedule: Payload = {"id": 1} | _schedule(profile.schedule)
    for written, period in zip(schedule["chargingSchedulePeriod"], profile.schedule.periods, strict=True):
        if period.operation is not None and period.operation.phase_to_use is not None:
            written["phaseToUse"] = period.operation.phase_to_use
    return payload | {"chargingSchedule": [schedule]}


def _profile_21(profile: ChargingProfile) -> Payload:
    """As in 2.0.1, with what 2.1 adds to the profile, its schedule and its periods."""
    payload = _profile_2(profile)
    if profile.dynamic_updated_at is not None:
        payload["dynUpdateTime"] = _moment(profile.dynamic_updated_at)
    payload |= _named(
        dynUpdateInterval=profile.dynamic_interval_s,
        maxOfflineDuration=profile.max_offline_s,
        invalidAfterOfflineDuration=profile.invalid_after_offline or None,
    )
    schedule = profile.schedule
    written = payload["chargingSchedule"][0]
    written |= _named(
        useLocalTime=schedule.use_local_time or None, randomizedDelay=schedule.randomized_delay_s
    )
    if schedule.limit_at_soc is not None:
        soc, limit = schedule.limit_at_soc
        written["limitAtSoC"] = {"soc": soc, "limit": short(limit)}
    for item, period in zip(written["chargingSchedulePeriod"], schedule.periods, strict=True):
        if period.operation is not None:
            item.update(_operation(period.operation))
    return payload


def _operation(operation: Operation) -> Payload:
    payload: Payload = {}
    if operation.mode is not OperationMode.CHARGING_ONLY:  # the default (2.1 ChargingSchedulePeriodType)
        payload["operationMode"] = str(operation.mode)
    for ours, theirs in OPERATION_ON_WIRE.items():
        value = getattr(operation, ours)
        if value is not None:
            payload[theirs] = short(value)
    payload |= _named(evseSleep=operation.evse_sleep, v2xBaseline=_exact(operation.baseline_w))
    if operation.frequency_curve:
        payload["v2xFreqWattCurve"] = [
            {"frequency": _exact(hertz), "power": _exact(watt)} for hertz, watt in operation.frequency_curve
        ]
    if operation.signal_curve:
        payload["v2xSignalWattCurve"] = [
            {"signal": signal, "power": _exact(watt)} for signal, watt in operation.signal_curve
        ]
    return payload


def _named(**members: Any) -> Payload:
    """Those that are said."""
    return {name: value for name, value in members.items() if value is not None}


def _common(profile: ChargingProfile, ocpp: str) -> Payload:
    payload: Payload = {
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": purpose_on_wire(profile.purpose, ocpp=ocpp),
        "chargingProfileKind": str(profile.kind),
    }
    if profile.recurrency is not None:
        payload["recurrencyKind"] = str(profile.recurrency)
    if profile.valid_from is not None:
        payload["validFrom"] = _moment(profile.valid_from)
    if profile.valid_to is not None:
        payload["validTo"] = _moment(profile.valid_to)
    return payload


def _schedule(schedule: ChargingSchedule) -> Payload:
    payload: Payload = {}
    if schedule.duration_s is not None:
        payload["duration"] = schedule.duration_s
    if schedule.start is not None:
        payload["startSchedule"] = _moment(schedule.start)
    payload["chargingRateUnit"] = schedule.unit
    payload["chargingSchedulePeriod"] = [_period(period) for period in schedule.periods]
    if schedule.min_charging_rate is not None:
        payload["minChargingRate"] = short(schedule.min_charging_rate)
    return payload


def _period(period: ChargingPeriod) -> Payload:
    """What all versions say; 2.1 names no limit where nothing is limited."""
    payload: Payload = {"startPeriod": period.start_s}
    if period.limit != NOTHING:
        payload["limit"] = short(period.limit)
    return payload | _named(numberPhases=period.phases)


def purpose_on_wire(purpose: Purpose, *, ocpp: str) -> str:
    return "ChargePointMaxProfile" if ocpp == "1.6" and purpose is Purpose.STATION_MAX else str(purpose)


def short(value: float) -> int | float:
    """`value` in one decimal, as an int where it is whole."""
    tenths = round(value * 10)
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


def _exact(value: float | None) -> int | float | None:
    """A number that is not a limit, such as 49.98 Hz: as it is, and as an int where it is whole."""
    return int(value) if value is not None and value == int(value) else value


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
