"""The rules on charging profiles for who writes a command by hand: the same as for a limit that is set.

Parsed by `domain/wire.py`, judged by `domain/checking.py`, and told with the paths of the payload.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from smartcharging.domain.checking import problems
from smartcharging.domain.clauses import clause_of
from smartcharging.domain.fields import Field, MalformedProfile
from smartcharging.domain.profiles import OPERATION_ON_WIRE, ChargingProfile, Kind, Version, rules_of
from smartcharging.domain.rules import Place, Problem, Rule
from smartcharging.domain.wire import read_profile
from smartcharging.reasons import sentence
from smartcharging.standing import place_among, place_of
from stations.domain.capabilities import schedule_features
from stations.models import ConfigurationValue, Station
from stations.objections import Check, Objection

STARTS = frozenset({"RemoteStartTransaction", "RequestStartTransaction"})
FEATURES = r"^(supports|supplyphases$|dcinputphasecontrol$|maxexternalconstraintsid$)"
ACTIONS = ("SetChargingProfile", *sorted(STARTS))
# What a payload that cannot be read as a profile breaks, by the member that it is about.
MALFORMED = {
    "startSchedule": Rule.START_MISSING,
    "recurrencyKind": Rule.RECURRENCY_MISSING,
    "chargingProfilePurpose": Rule.NOT_IN_VERSION,
    "chargingProfileKind": Rule.NOT_IN_VERSION,
    "stackLevel": Rule.LEVEL,
    "chargingSchedule": Rule.ONE_SCHEDULE,
    "chargingSchedulePeriod": Rule.NO_PERIODS,
    "startPeriod": Rule.ASCENDING,
    "limit": Rule.NEGATIVE,
    "numberPhases": Rule.PHASES,
    "phaseToUse": Rule.PHASE_TO_USE,
    "dischargeLimit": Rule.DISCHARGE_POSITIVE,
    "dischargeLimit_L2": Rule.DISCHARGE_POSITIVE,
    "dischargeLimit_L3": Rule.DISCHARGE_POSITIVE,
    "soc": Rule.STATE_OF_CHARGE,
}
OF_PROFILE = {
    "stack_level": "stackLevel",
    "purpose": "chargingProfilePurpose",
    "kind": "chargingProfileKind",
    "recurrency": "recurrencyKind",
    "transaction_id": "transactionId",
    "valid_to": "validTo",
    "dynamic_updated_at": "dynUpdateTime",
    "dynamic_interval_s": "dynUpdateInterval",
    "max_offline_s": "maxOfflineDuration",
    "invalid_after_offline": "invalidAfterOfflineDuration",
}
OF_SCHEDULE = {
    "start_schedule": "startSchedule",
    "duration_s": "duration",
    "unit": "chargingRateUnit",
    "periods": "chargingSchedulePeriod",
    "min_charging_rate": "minChargingRate",
    "use_local_time": "useLocalTime",
    "randomized_delay_s": "randomizedDelay",
    "limit_at_soc": "limitAtSoC",
}
OF_PERIOD = {
    "start_s": "startPeriod",
    "phases": "numberPhases",
    "phase_to_use": "phaseToUse",
    "operation_mode": "operationMode",
    "evse_sleep": "evseSleep",
    "frequency_curve": "v2xFreqWattCurve",
    **OPERATION_ON_WIRE,
}
_OF_PERIODS = re.compile(r"periods\[(\d+)\](?:\.(\w+?))?(_l[23])?")


def objection_to(action: str) -> Check:
    """The check of one action, for stations.objections."""

    def check(station: Station, payload: dict[str, Any], now: datetime) -> Objection | None:
        return objection(station, action, payload, now)

    return check


def objection(station: Station, action: str, payload: dict[str, Any], now: datetime) -> Objection | None:
    """The first rule that the charging profile of `payload` breaks; None: none, or it has no profile."""
    version = rules_of(station.ocpp_version)
    key = "csChargingProfiles" if version == "1.6" and action not in STARTS else "chargingProfile"
    if payload.get(key) is None:
        return None
    try:
        profile = _read(Field(payload[key], key), version)
    except MalformedProfile as error:
        return _malformed(error, version)
    evse = payload.get("connectorId" if version == "1.6" else "evseId") or 0
    place = place_among(_place(station, version, now), station, profile.id, wished=True)
    found = problems(profile, evse=evse, place=place, now=now, starting=action in STARTS)
    problem = next(found, None)
    if problem is None:
        return None
    field = path_of(problem.field, key=key, version=version)
    return Objection(field, str(problem.rule), sentence(problem), problem.clause)


def _place(station: Station, version: Version, now: datetime) -> Place:
    """Where it is to stand, with what only a profile by hand can ask for."""
    place = place_of(station, now)
    if version == "1.6":
        return place
    rows = ConfigurationValue.objects.filter(station=station, name__iregex=FEATURES, attribute="Actual")
    variables = {(row.component.lower(), row.name.lower()): row.value for row in rows}
    features = schedule_features(variables)
    abilities = replace(
        place.abilities,
        randomized_delay=features.randomized_delay,
        limit_at_soc=features.limit_at_soc,
        evse_sleep=features.evse_sleep,
        max_external_id=features.max_external_id,
    )
    return replace(place, abilities=abilities, dc_evses=features.dc_evses)


def _read(field: Field, version: Version) -> ChargingProfile:
    """The profile, with a start that it should not have: the engine overlooks that one, 2.x refuses it."""
    profile = read_profile(field, version)
    if version == "1.6" or profile.kind is not Kind.RELATIVE:
        return profile
    start = field.field("chargingSchedule").items()[0].optional("startSchedule")
    if start is None:
        return profile
    return replace(profile, schedule=replace(profile.schedule, start=start.moment(naive_is_utc=True)))


def _malformed(error: MalformedProfile, version: Version) -> Objection:
    path = _dotted(error.field)
    rule = MALFORMED.get(path.rpartition(".")[2], Rule.MALFORMED)
    if rule is Rule.ASCENDING and path.endswith("chargingSchedulePeriod.0.startPeriod"):
        rule = Rule.FIRST_PERIOD
    text = sentence(Problem(path, Rule.MALFORMED, error.problem))
    return Objection(path, str(rule), text, clause_of(rule, version) or clause_of(Rule.MALFORMED, version))


def path_of(field: str, *, key: str, version: Version) -> str:
    """The path in the payload of a field of ours; "" for what is no part of it."""
    schedule = f"{key}.chargingSchedule" if version == "1.6" else f"{key}.chargingSchedule.0"
    match = _OF_PERIODS.fullmatch(field)
    if match:
        path = f"{schedule}.chargingSchedulePeriod.{match[1]}"
        name = OF_PERIOD.get(match[2], match[2])
        return f"{path}.{name}{(match[3] or '').upper()}" if name else path
    if field == "evse_number":
        return "connectorId" if version == "1.6" else "evseId"
    if field == "id":
        return f"{key}.{'chargingProfileId' if version == '1.6' else 'id'}"
    if field in OF_SCHEDULE:
        return f"{schedule}.{OF_SCHEDULE[field]}"
    return f"{key}.{OF_PROFILE[field]}" if field in OF_PROFILE else key


def _dotted(path: str) -> str:
    return re.sub(r"\[(\d+)\]", r".\1", path)
