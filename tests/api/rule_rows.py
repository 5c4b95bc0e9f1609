"""The rows of the storing rules, as a station in the database and as what is posted to the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.profiles import ChargingProfile, Installed, Kind, Purpose, Version
from smartcharging.domain.rules import Place
from smartcharging.models import DesiredProfile
from stations.models import Capabilities, ConfigurationValue, Station
from stations.ocpp.bounds import unsayable
from stations.ocpp.validation import SchemaViolation, check_request
from tests.domain.charging import NOW
from tests.domain.storing_rows import ROWS, Row
from tests.factories import make_capabilities, make_session, make_station

PURPOSES = {
    Purpose.STATION_MAX: "station_max",
    Purpose.TX_DEFAULT: "tx_default",
    Purpose.TX: "tx",
}
KINDS = {Kind.ABSOLUTE: "absolute", Kind.RECURRING: "recurring", Kind.RELATIVE: "relative"}
# Of what a station can take, as far as it is read from it.
READ = {
    "smart_charging": "smart_charging",
    "max_stack_level": "max_stack_level",
    "max_periods": "max_periods",
    "max_profiles": "max_profiles",
    "phases": "phases",
    "phase_switching": "ac_phase_switching",
    "purposes": "supported_purposes",
    "dynamic": "dynamic_profiles",
    "local_time": "local_time",
    "modes": "operation_modes",
}
# The same, from a variable of SmartChargingCtrlr that nothing keeps by itself.
VARIABLES = {
    "randomized_delay": "SupportsRandomizedDelay",
    "limit_at_soc": "SupportsFeature[LimitAtSoC]",
    "evse_sleep": "SupportsEvseSleep",
    "max_external_id": "MaxExternalConstraintsId",
}


def later(profile: ChargingProfile, by: timedelta) -> ChargingProfile:
    """The same profile, all its times moved."""

    def moved(moment: datetime | None) -> datetime | None:
        return moment and moment + by

    return replace(
        profile,
        valid_from=moved(profile.valid_from),
        valid_to=moved(profile.valid_to),
        dynamic_updated_at=moved(profile.dynamic_updated_at),
        schedule=replace(profile.schedule, start=moved(profile.schedule.start)),
    )


def can_stand_here(row: Row) -> bool:
    """Whether a station in the database can be the place of the row."""
    return all(can_be_wanted(item) for item in row.place.installed)


def can_be_wanted(item: Installed) -> bool:
    """Whether a limit that a person sets can say it: three purposes, three kinds, plain limits."""
    profile = item.profile
    is_known = profile.purpose in PURPOSES and profile.kind in KINDS and profile.schedule.is_plain
    fresh = replace(
        profile,
        dynamic_updated_at=None,
        dynamic_interval_s=None,
        max_offline_s=None,
        schedule=replace(
            profile.schedule,
            use_local_time=False,
            randomized_delay_s=None,
            limit_at_soc=None,
            min_charging_rate=None,
        ),
    )
    return is_known and fresh == profile and 0 <= profile.stack_level <= 1000


def station_of(version: Version) -> Station:
    """Two EVSEs, a connection of 25 A, and session 7 on the first."""
    station = make_station("NL-ALF-1", version=version, connection_a=25)
    make_capabilities(station)
    make_session(station, evse_number=1, transaction_id="7")
    return station


def stands(station: Station, place: Place, by: timedelta) -> None:
    """The station can take what the place says, and holds what is installed there."""
    said = {theirs: getattr(place.abilities, ours) for ours, theirs in READ.items()}
    Capabilities.objects.filter(station=station).update(
        **{name: list(value) if isinstance(value, tuple) else value for name, value in said.items()},
        rate_units=list(place.abilities.units),
    )
    variables(station, place)
    DesiredProfile.objects.all().delete()
    for item in place.installed:
        row = wish(item, by)
        row.pop("station")
        fields = {"station": station, "profile_id": item.profile.id, "state": "confirmed"}
        DesiredProfile.objects.create(**row, **fields, requested_at=NOW + by)
    for number in range(place.leaving):
        fields = {"station": station, "profile_id": 5000 + number, "state": "clearing", "withdrawn_at": NOW}
        DesiredProfile.objects.create(
            purpose="tx_default", kind="absolute", unit="A", periods=[], requested_at=NOW, **fields
        )


def variables(station: Station, place: Place) -> None:
    ConfigurationValue.objects.all().delete()
    said = {
        ("SmartChargingCtrlr", theirs): getattr(place.abilities, ours) for ours, theirs in VARIABLES.items()
    }
    said |= {(f"EVSE#{number}", "SupplyPhases"): 0 for number in place.dc_evses}
    for (component, name), value in said.items():
        if value is not None:
            ConfigurationValue.objects.create(
                station=station, component=component, name=name, value=str(value), read_at=NOW
            )


def wish(item: Installed, by: timedelta) -> dict[str, Any]:
    """The body of POST profiles/."""
    profile = later(item.profile, by)
    schedule = profile.schedule
    body = {
        "station": "NL-ALF-1",
        "name": "Row",
        "evse_number": item.evse,
        "purpose": PURPOSES[profile.purpose],
        "kind": KINDS[profile.kind],
        "unit": schedule.unit,
        "stack_level": profile.stack_level,
        "start_schedule": schedule.start,
        "duration_s": schedule.duration_s,
        "recurrency": str(profile.recurrency or "").lower(),
        "valid_from": profile.valid_from,
        "valid_to": profile.valid_to,
        "transaction_id": str(profile.transaction_id or ""),
        "periods": [
            {"start_s": period.start_s, "limit": period.limit, "phases": period.phases}
            for period in schedule.periods
        ],
    }
    return {name: value for name, value in body.items() if value not in (None, "")}


def command(row: Row, version: Version, by: timedelta) -> dict[str, Any] | None:
    """The body of POST stations/{id}/commands/; None where the version has no words for the row."""
    profile = later(row.new.profile, by)
    try:
        payload = set_charging_profile(profile, evse=row.new.evse, ocpp=version)
        if row.starting:
            action, payload = _start(payload, version)
        else:
            action = "SetChargingProfile"
        check_request(version, action, payload)
        if unsayable(payload)[1]:
            return None
    except (SchemaViolation, ValueError, OverflowError):
        return None
    return {"action": action, "payload": payload}


def _start(payload: dict[str, Any], version: Version) -> tuple[str, dict[str, Any]]:
    if version == "1.6":
        start = {"idTag": "ABC", "connectorId": 1, "chargingProfile": payload["csChargingProfiles"]}
        return "RemoteStartTransaction", start
    token = {"idToken": "ABC", "type": "Central"}
    start = {"remoteStartId": 1, "idToken": token, "chargingProfile": payload["chargingProfile"], "evseId": 1}
    return "RequestStartTransaction", start


def rows_of(version: Version) -> list[tuple[Row, str]]:
    """The rows of a version that a station in the database can be the place of, each with its clause."""
    return [
        (row, row.clauses[row.versions.index(version)])
        for row in ROWS
        if version in row.versions and can_stand_here(row)
    ]
