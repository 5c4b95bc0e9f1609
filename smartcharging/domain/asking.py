"""What we ask of a station about charging profiles, as the payloads of OCPP 1.6 and 2.x. Pure.

Numbers go out as short as they came in: 14 and not 14.0, 14.1 and never 14.100000001 (some stations refuse what is
not an exact multiple of 0.1), times as UTC in whole seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from smartcharging.domain.profiles import ChargingProfile, ChargingSchedule, Purpose, Unit

Payload = dict[str, Any]


def set_charging_profile(profile: ChargingProfile, *, evse: int, ocpp: str) -> Payload:
    """The payload of SetChargingProfile (1.6 5.16; 2.0.1 K01). `evse` is the connector in 1.6."""
    if ocpp == "1.6":
        return {"connectorId": evse, "csChargingProfiles": _profile_16(profile)}
    return {"evseId": evse, "chargingProfile": _profile_2(profile)}


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
    return payload | {"chargingSchedule": [{"id": 1} | _schedule(profile.schedule)]}


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
    payload["chargingSchedulePeriod"] = [
        {"startPeriod": period.start_s, "limit": short(period.limit)}
        | ({} if period.phases is None else {"numberPhases": period.phases})
        for period in schedule.periods
    ]
    if schedule.min_charging_rate is not None:
        payload["minChargingRate"] = short(schedule.min_charging_rate)
    return payload


def purpose_on_wire(purpose: Purpose, *, ocpp: str) -> str:
    return "ChargePointMaxProfile" if ocpp == "1.6" and purpose is Purpose.STATION_MAX else str(purpose)


def short(value: float) -> int | float:
    """`value` in one decimal, as an int where it is whole."""
    tenths = round(value * 10)
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
