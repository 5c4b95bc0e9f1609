"""Reading what a station can do after its boot (rule 11), and asking it for the samples that the product needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from stations import commands, device_model, events
from stations.domain import capabilities as domain
from stations.models import (
    Capabilities,
    Command,
    ConfigurationValue,
    Connector,
    DeviceReading,
    Evse,
    Station,
)
from stations.models.device import Attribute
from stations.ocpp import device_reports, v2, v16
from stations.ocpp.masking import mask_payload
from stations.ocpp.messages import Report

Values = Mapping[tuple[str, str], ConfigurationValue]  # by component and name in lower case

ORIGIN = "capabilities"
SAMPLING = "SampledDataCtrlr"
READS = ("GetConfiguration", "GetBaseReport")
# A station that never answers is asked this often after a boot, then left in peace.
MAX_ATTEMPTS = 3
# A boot leads to a question by itself; and a full report may take its time.
ASKED_AGAIN_AFTER = timedelta(minutes=2)
# Without these a limit cannot be seen to work.
NEEDED_MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")
# And these show a car that gives back (requirement 211): asked for where the station says that it has them.
WANTED_MEASURANDS = (*NEEDED_MEASURANDS, "Energy.Active.Export.Register", "Power.Active.Export")
# Asked one by one of a 2.x station that gives no report: component, variable, instance. In questions of a few: how
# many variables fit into one, the station says in a variable too.
VARIABLES = (
    ("SmartChargingCtrlr", "Enabled", ""),
    ("SmartChargingCtrlr", "ProfileStackLevel", ""),
    ("SmartChargingCtrlr", "PeriodsPerSchedule", ""),
    ("SmartChargingCtrlr", "RateUnit", ""),
    ("SmartChargingCtrlr", "Entries", "ChargingProfiles"),
    (SAMPLING, "TxUpdatedInterval", ""),
    (SAMPLING, "TxUpdatedMeasurands", ""),
    ("ChargingStation", "SupplyPhases", ""),
)
VARIABLES_21 = (
    ("SmartChargingCtrlr", "ACPhaseSwitchingSupported", ""),
    ("SmartChargingCtrlr", "SupportedAdditionalPurposes", ""),
    ("SmartChargingCtrlr", "SupportsDynamicProfiles", ""),
    ("SmartChargingCtrlr", "SupportsUseLocalTime", ""),
    ("SmartChargingCtrlr", "SupportsFeature", "DynamicProfiles"),
    ("SmartChargingCtrlr", "SupportsFeature", "UseLocalTime"),
    ("V2XChargingCtrlr", "SupportedOperationModes", ""),
)


class Known(TextChoices):
    """How far a station's capabilities are known since its last boot."""

    READ = "read", _("Read since the station last started.")
    ASKED = "asked", _("The station was asked; not all of it came yet.")
    UNREAD = "unread", _("Not read since the station last started.")
    SILENT = (
        "silent",
        _("The station was asked several times since it last started, and gave nothing. See its OCPP log."),
    )


# ---------------------------------------------------------------- asking
def ask_each(stations: Iterable[Station], *, now: datetime) -> list[Command]:
    """Ask for all keys (1.6) or a full report (2.x), of as many stations as wanted in a few statements.

    Left out is who is being asked already, or was asked often enough since its boot.
    """
    wanted = {station.pk: station for station in stations}
    asked = _asked().filter(station__in=list(wanted))
    is_open = Q(state__in=Command.OPEN)
    since_boot = Q(station__booted_at__isnull=False, requested_at__gte=F("station__booted_at"))
    done = asked.values("station_id").annotate(
        open=Count("pk", filter=is_open), since_boot=Count("pk", filter=since_boot)
    )
    enough = done.filter(Q(open__gt=0) | Q(since_boot__gte=MAX_ATTEMPTS)).values_list("station_id", flat=True)
    left = wanted.keys() - set(enough)
    return device_model.ask_all(
        stations=[station for pk, station in wanted.items() if pk in left], origin=ORIGIN, now=now
    )


def unread(now: datetime) -> QuerySet[Station]:
    """Stations of which nothing was read since their last boot, and that are to be asked again: a task got lost."""
    asked = _asked().filter(station=OuterRef("pk"), requested_at__gte=OuterRef("booted_at"))
    rows: QuerySet[Station] = Station.objects.filter(
        ~Exists(asked.filter(_is_coming(now))),
        ~Exists(asked.order_by("pk")[MAX_ATTEMPTS - 1 :]),
        Q(capabilities__isnull=True) | Q(capabilities__read_at__lt=F("booted_at")),
        booted_at__lte=now - ASKED_AGAIN_AFTER,
    )
    return rows


def how_known(station: Station, *, now: datetime) -> Known:
    """Whether the capabilities that stand there are those of the station as it last started."""
    row: Capabilities | None = getattr(station, "capabilities", None)
    if row is not None and (station.booted_at is None or row.read_at >= station.booted_at):
        return Known.READ
    asked = _asked().filter(station=station, requested_at__gte=station.booted_at or now)
    if asked.filter(_is_coming(now)).exists():
        return Known.ASKED
    return Known.SILENT if asked.count() >= MAX_ATTEMPTS else Known.UNREAD


def _asked() -> QuerySet[Command]:
    """Our questions that reached a station, or still may."""
    rows: QuerySet[Command] = Command.objects.filter(origin=ORIGIN, action__in=READS)
    return rows.exclude(state__in=(Command.State.EXPIRED, Command.State.CANCELLED))


def _is_coming(now: datetime) -> Q:
    return Q(requested_at__gt=now - ASKED_AGAIN_AFTER) | Q(state__in=Command.OPEN)


def _ask_one_by_one(station: Station, now: datetime) -> None:
    for variables in (VARIABLES_21, VARIABLES) if station.ocpp_version == "2.1" else (VARIABLES,):
        wanted = [
            {"component": {"name": component}, "variable": _named(name, instance)}
            for component, name, instance in variables
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
            device_model.store(station, v16.configuration_of(mask_payload(command.action, response)), now=now)
            is_all = not command.payload.get("key")
            conclude(station, now=now, adjust=command.origin == ORIGIN, is_all=is_all)
        case "GetVariables" if accepted:
            device_model.store(
                station, device_reports.variables_of(mask_payload(command.action, response)), now=now
            )
            is_ours = command.origin == ORIGIN
            adjust = is_ours and _asks_sampling(command.payload)
            conclude(station, now=now, adjust=adjust, is_all=is_ours)
        case "GetBaseReport" if command.origin == ORIGIN and response.get("status") != "Accepted":
            _ask_one_by_one(station, now)
        case "ChangeConfiguration" if accepted:
            changed = mask_payload(command.action, command.payload)
            _changed(station, component="", name=changed["key"], value=changed["value"], now=now)
        case "SetVariables" if accepted:
            _take_in_set_variables(command, response, now)


def _asks_sampling(payload: dict[str, Any]) -> bool:
    return any(item["component"]["name"] == SAMPLING for item in payload["getVariableData"])


def take_in_report(station: Station, report: Report, *, now: datetime) -> None:
    """A part of the device model; with its last part the capabilities are known."""
    count = device_model.store(station, report.values, now=now, reported=True)
    whole = device_model.note_part(
        station,
        DeviceReading.Kind.VALUES,
        report.request_id,
        report.seq_no,
        is_last=report.is_last,
        count=count,
        now=now,
    )
    if whole:
        device_model.forget_unreported(whole)
    if whole or report.is_last:
        conclude(station, now=now, adjust=True, is_all=True)


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
    rows = ConfigurationValue.objects.filter(
        station=station, component__iexact=component, name__iexact=name, attribute=Attribute.ACTUAL
    )
    if rows.update(value=value, read_at=now):
        _derive(station, _values(station), now, is_all=False)


# ---------------------------------------------------------------- concluding
def conclude(station: Station, *, now: datetime, adjust: bool, is_all: bool) -> None:
    """Make the Capabilities row from what was read; `adjust`: also ask for the samples that are needed.

    `is_all`: the station was asked for all that they need, not for a few values that a person wanted.
    """
    values = _values(station)
    known = _derive(station, values, now, is_all=is_all)
    if known.evse_count:
        _correct_evses(station, known.evse_count)
    events.record(station_id=station.pk, kind=events.Kind.CAPABILITIES_READ, at=now, now=now)
    if adjust:
        _adjust_sampling(station, values, now)


def _derive(station: Station, values: Values, now: datetime, *, is_all: bool) -> domain.StationCapabilities:
    if station.ocpp_version == "1.6":
        known = domain.from_keys({name: row.value for (_, name), row in values.items()})
    else:
        known = domain.from_variables({place: row.value for place, row in values.items()})
    said = _row_of(station, known)
    # One statement: a fleet that comes back is read within the same minute.
    Capabilities.objects.bulk_create(
        [Capabilities(station_id=station.pk, read_at=now, **said)],
        update_conflicts=True,
        unique_fields=["station"],
        update_fields=[*said, "read_at"] if is_all else [*said],
    )
    return known


def _row_of(station: Station, known: domain.StationCapabilities) -> dict[str, Any]:
    return {
        "firmware": Station.objects.values_list("firmware", flat=True).get(pk=station.pk),
        "smart_charging": known.smart_charging,
        "max_stack_level": known.max_stack_level,
        "max_periods": known.max_periods,
        "max_profiles": known.max_profiles,
        "rate_units": list(known.rate_units),
        "phases": known.phases,
        "evse_count": known.evse_count,
        "measurands": list(known.measurands),
        "measurands_offered": _list_or_none(known.measurands_offered),
        "feature_profiles": list(known.feature_profiles),
        "ac_phase_switching": known.ac_phase_switching,
        "supported_purposes": _list_or_none(known.supported_purposes),
        "dynamic_profiles": known.dynamic_profiles,
        "local_time": known.local_time,
        "operation_modes": _list_or_none(known.operation_modes),
    }


def _list_or_none(items: tuple[str, ...] | None) -> list[str] | None:
    return None if items is None else list(items)


def _values(station: Station) -> Values:
    """All that was read, by component and name in lower case: names are case-insensitive in both versions."""
    rows = ConfigurationValue.objects.filter(station=station, attribute=Attribute.ACTUAL, is_unknown=False)
    return {(row.component.lower(), row.name.lower()): row for row in rows}


def _correct_evses(station: Station, count: int) -> None:
    """As many EVSEs as the station has; one that ever showed itself stays."""
    known = set(Evse.objects.filter(station=station).values_list("number", flat=True))
    for number in sorted(set(range(1, count + 1)) - known):
        evse, is_new = Evse.objects.get_or_create(station=station, number=number)
        if is_new:
            Connector.objects.create(evse=evse)
    if any(number > count for number in known):
        surplus = Evse.objects.filter(station=station, number__gt=count)
        surplus.exclude(Q(connectors__status__gt="") | Q(connectors__status_at__isnull=False)).delete()


def forget(station: Station) -> None:
    """What was read of the station holds no more, and until it is read again nothing is known."""
    ConfigurationValue.objects.filter(station=station).delete()
    Capabilities.objects.filter(station=station).delete()


# ---------------------------------------------------------------- sampling
def _adjust_sampling(station: Station, values: Values, now: datetime) -> None:
    """Ask for the interval and the measurands that differ from what is needed, and for nothing else."""
    if station.ocpp_version == "1.6":
        for key, value in _wanted_keys(values).items():
            _request(station, "ChangeConfiguration", {"key": key, "value": value}, now)
        return
    wanted = _wanted_variables(values)
    if wanted:
        _request(station, "SetVariables", {"setVariableData": wanted}, now)


def _wanted_keys(values: Values) -> dict[str, str]:
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


def _wanted_variables(values: Values) -> list[dict[str, Any]]:
    wanted = []
    interval = values.get(("sampleddatactrlr", "txupdatedinterval"))
    if interval and not interval.readonly and interval.value.strip() != _interval():
        wanted.append(_setting(interval, _interval()))
    sampled = values.get(("sampleddatactrlr", "txupdatedmeasurands"))
    choices = values.get(("sampleddatactrlr", "txupdatedmeasurands.valueslist"))
    if sampled and choices and not sampled.readonly:
        offered = [each for each in WANTED_MEASURANDS if each in domain.listed(choices.value)]
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
