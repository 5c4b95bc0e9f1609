"""Reading what a station can do after its boot (rule 11), and asking it for the samples that the product needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from stations import commands, events
from stations.domain import capabilities as domain
from stations.models import Capabilities, Command, ConfigurationValue, Connector, Evse, Station
from stations.ocpp import v2, v16
from stations.ocpp.masking import mask_payload
from stations.ocpp.messages import Report, ReportedValue

ORIGIN = "capabilities"
READS = ("GetConfiguration", "GetBaseReport")
# A station that never answers is asked this often after a boot, then left in peace.
MAX_ATTEMPTS = 3
# Without these a limit cannot be seen to work.
NEEDED_MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")
# Asked one by one of a 2.x station that gives no report: component, variable, instance.
VARIABLES = (
    ("SmartChargingCtrlr", "Enabled", ""),
    ("SmartChargingCtrlr", "ProfileStackLevel", ""),
    ("SmartChargingCtrlr", "PeriodsPerSchedule", ""),
    ("SmartChargingCtrlr", "RateUnit", ""),
    ("SmartChargingCtrlr", "Entries", "ChargingProfiles"),
    ("SampledDataCtrlr", "TxUpdatedInterval", ""),
    ("SampledDataCtrlr", "TxUpdatedMeasurands", ""),
    ("ChargingStation", "SupplyPhases", ""),
)
# Characteristics worth a row of their own: how many profiles fit, and which measurands the station has.
KEEPS_MAX_LIMIT = re.compile(r"Entries\b", re.IGNORECASE)
KEEPS_CHOICES = re.compile(r"TxUpdatedMeasurands$", re.IGNORECASE)


# ---------------------------------------------------------------- asking
def ask(station: Station, *, now: datetime) -> Command | None:
    """Ask for all keys (1.6) or a full report (2.x). None: it is being asked already, or was asked often enough."""
    asked = Command.objects.filter(station=station, origin=ORIGIN, action__in=READS)
    if asked.filter(state__in=Command.OPEN).exists():
        return None
    if station.booted_at and asked.filter(requested_at__gte=station.booted_at).count() >= MAX_ATTEMPTS:
        return None
    if station.ocpp_version == "1.6":
        return _request(station, "GetConfiguration", {}, now)
    report = {"requestId": int(now.timestamp()) % 2**31, "reportBase": "FullInventory"}
    return _request(station, "GetBaseReport", report, now)


def _ask_one_by_one(station: Station, now: datetime) -> None:
    wanted = [
        {"component": {"name": component}, "variable": _named(name, instance)}
        for component, name, instance in VARIABLES
    ]
    _request(station, "GetVariables", {"getVariableData": wanted}, now)


def _request(station: Station, action: str, payload: dict[str, Any], now: datetime) -> Command:
    return commands.request(station=station, action=action, payload=payload, origin=ORIGIN, now=now)


# ---------------------------------------------------------------- taking in
def take_in(command: Command, *, now: datetime) -> None:
    """After an answer: what it says of the station's configuration is kept."""
    station, response = command.station, command.response or {}
    accepted = command.state == Command.State.ACCEPTED
    match command.action:
        case "GetConfiguration" if accepted:
            _store(station, v16.configuration_of(mask_payload(command.action, response)), now)
            conclude(station, now=now, adjust=command.origin == ORIGIN)
        case "GetVariables" if accepted:
            _store(station, v2.variables_of(mask_payload(command.action, response)), now)
            conclude(station, now=now, adjust=command.origin == ORIGIN)
        case "GetBaseReport" if command.origin == ORIGIN and response.get("status") != "Accepted":
            _ask_one_by_one(station, now)
        case "ChangeConfiguration" if accepted:
            changed = mask_payload(command.action, command.payload)
            _changed(station, component="", name=changed["key"], value=changed["value"], now=now)
        case "SetVariables" if accepted:
            _take_in_set_variables(command, response, now)


def take_in_report(station: Station, report: Report, *, now: datetime) -> None:
    """A part of the device model; with its last part the capabilities are known."""
    _store(station, report.values, now)
    if report.is_last:
        conclude(station, now=now, adjust=True)


def _take_in_set_variables(command: Command, response: dict[str, Any], now: datetime) -> None:
    accepted = {
        (v2.component_text(result["component"]), v2.instance_text(result["variable"]))
        for result in response.get("setVariableResult", ())
        if result["attributeStatus"] in ("Accepted", "RebootRequired")
    }
    for item in mask_payload(command.action, command.payload)["setVariableData"]:
        component, name = v2.component_text(item["component"]), v2.instance_text(item["variable"])
        if (component, name) in accepted and item.get("attributeType", "Actual") == "Actual":
            _changed(command.station, component=component, name=name, value=item["attributeValue"], now=now)


def _changed(station: Station, *, component: str, name: str, value: str, now: datetime) -> None:
    """A key or variable that we set: a row that was read follows, without reading all again."""
    rows = ConfigurationValue.objects.filter(station=station, component__iexact=component, name__iexact=name)
    if rows.update(value=value, read_at=now):
        _derive(station, now)


def _store(station: Station, values: Iterable[ReportedValue], now: datetime) -> None:
    rows = {
        (value.component, value.name): ConfigurationValue(
            station=station,
            component=value.component,
            name=value.name,
            value=value.value or "",
            readonly=value.readonly,
            read_at=now,
        )
        for value in _with_characteristics(values)
    }
    ConfigurationValue.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["station", "component", "name"],
        update_fields=["value", "readonly", "read_at"],
    )


def _with_characteristics(values: Iterable[ReportedValue]) -> Iterable[ReportedValue]:
    for value in values:
        yield value
        if value.max_limit is not None and KEEPS_MAX_LIMIT.match(value.name):
            limit = f"{value.max_limit:g}"
            yield ReportedValue(value.component, f"{value.name}.maxLimit", limit, readonly=True)
        if value.choices and KEEPS_CHOICES.match(value.name):
            yield ReportedValue(value.component, f"{value.name}.valuesList", value.choices, readonly=True)


# ---------------------------------------------------------------- concluding
def conclude(station: Station, *, now: datetime, adjust: bool) -> None:
    """Make the Capabilities row from what was read; `adjust`: also ask for the samples that are needed."""
    known = _derive(station, now)
    if known.evse_count:
        _correct_evses(station, known.evse_count)
    events.record(station_id=station.pk, kind=events.Kind.CAPABILITIES_READ, at=now, now=now)
    if adjust:
        _adjust_sampling(station, now)


def _derive(station: Station, now: datetime) -> domain.StationCapabilities:
    values = _values(station)
    if station.ocpp_version == "1.6":
        known = domain.from_keys({name: row.value for (_, name), row in values.items()})
    else:
        known = domain.from_variables({place: row.value for place, row in values.items()})
    Capabilities.objects.update_or_create(
        station_id=station.pk,
        defaults={
            "read_at": now,
            "firmware": Station.objects.values_list("firmware", flat=True).get(pk=station.pk),
            "smart_charging": known.smart_charging,
            "max_stack_level": known.max_stack_level,
            "max_periods": known.max_periods,
            "max_profiles": known.max_profiles,
            "rate_units": list(known.rate_units),
            "phases": known.phases,
            "evse_count": known.evse_count,
            "measurands": list(known.measurands),
            "feature_profiles": list(known.feature_profiles),
        },
    )
    return known


def _values(station: Station) -> dict[tuple[str, str], ConfigurationValue]:
    """All that was read, by component and name in lower case: names are case-insensitive in both versions."""
    rows = ConfigurationValue.objects.filter(station=station)
    return {(row.component.lower(), row.name.lower()): row for row in rows}


def _correct_evses(station: Station, count: int) -> None:
    """As many EVSEs as the station has; one that ever showed itself stays."""
    for number in range(1, count + 1):
        evse, is_new = Evse.objects.get_or_create(station=station, number=number)
        if is_new:
            Connector.objects.create(evse=evse)
    surplus = Evse.objects.filter(station=station, number__gt=count)
    surplus.exclude(Q(connectors__status__gt="") | Q(connectors__status_at__isnull=False)).delete()


# ---------------------------------------------------------------- sampling
def _adjust_sampling(station: Station, now: datetime) -> None:
    """Ask for the interval and the measurands that differ from what is needed, and for nothing else."""
    values = _values(station)
    if station.ocpp_version == "1.6":
        for key, value in _wanted_keys(values).items():
            _request(station, "ChangeConfiguration", {"key": key, "value": value}, now)
        return
    wanted = _wanted_variables(values)
    if wanted:
        _request(station, "SetVariables", {"setVariableData": wanted}, now)


def _wanted_keys(values: Mapping[tuple[str, str], ConfigurationValue]) -> dict[str, str]:
    wanted = {}
    interval = values.get(("", "metervaluesampleinterval"))
    if interval and not interval.readonly and interval.value.strip() != _interval():
        wanted[interval.name] = _interval()
    sampled = values.get(("", "metervaluessampleddata"))
    if sampled and not sampled.readonly:
        # 1.6 does not say which measurands a station has: it refuses what it has not, and keeps what it did.
        room = values.get(("", "metervaluessampleddatamaxlength"))
        at_most = domain.count(room.value) if room else None
        asked = _with_needed(domain.listed(sampled.value), NEEDED_MEASURANDS)
        if asked and (at_most is None or len(asked) <= at_most):
            wanted[sampled.name] = ",".join(asked)
    return wanted


def _wanted_variables(values: Mapping[tuple[str, str], ConfigurationValue]) -> list[dict[str, Any]]:
    wanted = []
    interval = values.get(("sampleddatactrlr", "txupdatedinterval"))
    if interval and not interval.readonly and interval.value.strip() != _interval():
        wanted.append(_setting(interval, _interval()))
    sampled = values.get(("sampleddatactrlr", "txupdatedmeasurands"))
    choices = values.get(("sampleddatactrlr", "txupdatedmeasurands.valueslist"))
    if sampled and choices and not sampled.readonly:
        offered = [each for each in NEEDED_MEASURANDS if each in domain.listed(choices.value)]
        asked = _with_needed(domain.listed(sampled.value), offered)
        if asked:
            wanted.append(_setting(sampled, ",".join(asked)))
    return wanted


def _with_needed(sampled: tuple[str, ...], needed: Iterable[str]) -> list[str]:
    """`sampled` and what is missing in it; empty where nothing is."""
    missing = [each for each in needed if each not in sampled]
    return [*sampled, *missing] if missing else []


def _setting(row: ConfigurationValue, value: str) -> dict[str, Any]:
    return {"component": {"name": row.component}, "variable": {"name": row.name}, "attributeValue": value}


def _named(name: str, instance: str) -> dict[str, str]:
    return {"name": name, "instance": instance} if instance else {"name": name}


def _interval() -> str:
    return str(int(settings.OCPP_SAMPLE_INTERVAL_S))
