"""The device model of 2.x and the keys of 1.6 as rows: asked for as a whole, taken in part by part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from stations import commands
from stations.models import Command, ConfigurationValue, DeviceReading, Station
from stations.models.device import Placed
from stations.nudges import nudge_pages
from stations.ocpp.device import Place
from stations.ocpp.masking import MASK, names_secret
from stations.ocpp.messages import ReportedValue

Kind, State = DeviceReading.Kind, DeviceReading.State
ACTIONS = ("GetConfiguration", "GetBaseReport", "GetMonitoringReport")
# Characteristics that capabilities reads as values: how many profiles fit, and which measurands the station has.
KEEPS_MAX_LIMIT = re.compile(r"Entries\b", re.IGNORECASE)
KEEPS_CHOICES = re.compile(r"(TxUpdated)?Measurands$", re.IGNORECASE)
# What an answer by name or by key says; all else of a row is only in a report.
SAID = ["value", "is_unknown", "read_at"]
REPORTED = [
    *SAID, "readonly", "mutability", "data_type", "unit", "min_limit", "max_limit", "choices", "persistent",
    "constant", "supports_monitoring", "is_derived", "component_name", "component_instance", "evse_number",
    "connector_number", "variable_name", "variable_instance",
]  # fmt: skip
LONGEST_REASON = 200
# A report that stands still for so long will not come any more: it may be asked for again.
STALE = timedelta(minutes=5)


# ---------------------------------------------------------------- asking
def read_all(*, station: Station, requested_by: Any = None, now: datetime) -> Command | None:
    """A person wants every key (1.6) or a full report (2.x). None: one is on its way already."""
    if _is_coming(station, Kind.VALUES, now):
        return None
    return ask_all(stations=[station], origin="person", requested_by=requested_by, now=now)[0]


@transaction.atomic
def ask_all(
    *, stations: Sequence[Station], origin: str, requested_by: Any = None, now: datetime
) -> list[Command]:
    """Ask each for every key (1.6) or a full report (2.x)."""
    by_key = [station for station in stations if station.ocpp_version == "1.6"]
    by_report = [station for station in stations if station.ocpp_version != "1.6"]
    about: dict[str, Any] = {"origin": origin, "requested_by": requested_by, "now": now}
    asked: list[Command] = []
    if by_key:
        asked += commands.request_all(stations=by_key, action="GetConfiguration", payload={}, **about)
        _await(asked, Kind.VALUES, None)
    if by_report:
        request_id = _request_id(by_report, now)
        payload = {"requestId": request_id, "reportBase": "FullInventory"}
        told = commands.request_all(stations=by_report, action="GetBaseReport", payload=payload, **about)
        _await(told, Kind.VALUES, request_id)
        asked += told
    return asked


@transaction.atomic
def read_monitors(*, station: Station, requested_by: Any = None, now: datetime) -> Command | None:
    """Ask a 2.x station for every monitor that it has. None: it is being asked."""
    if _is_coming(station, Kind.MONITORS, now):
        return None
    request_id = _request_id([station], now)
    command = commands.request(
        station=station,
        action="GetMonitoringReport",
        payload={"requestId": request_id},
        origin="person",
        requested_by=requested_by,
        now=now,
    )
    _await([command], Kind.MONITORS, request_id)
    return command


def _await(asked: Sequence[Command], kind: str, request_id: int | None) -> None:
    DeviceReading.objects.bulk_create(
        DeviceReading(
            station=command.station,
            kind=kind,
            command=command,
            request_id=request_id,
            asked_at=command.requested_at,
        )
        for command in asked
    )


def _is_coming(station: Station, kind: str, now: datetime) -> bool:
    asked = DeviceReading.objects.filter(station=station, kind=kind, asked_at__gt=now - STALE)
    if asked.filter(state=State.COMING).exists():
        return True
    return asked.filter(state=State.ASKED, command__state__in=(*Command.OPEN, "accepted")).exists()


def _request_id(stations: Sequence[Station], now: datetime) -> int:
    """By the clock, and never one that any of these stations was given before."""
    given = DeviceReading.objects.filter(station__in=[station.pk for station in stations])
    last: int | None = given.aggregate(last=Max("request_id"))["last"]
    return max(int(now.timestamp()) % 2**31, (last or 0) + 1) % 2**31


# ---------------------------------------------------------------- taking in
def store(station: Station, values: Iterable[ReportedValue], *, now: datetime, reported: bool = False) -> int:
    """Keep what was read, secrets masked; `reported`: with all that a report says of each. How many values."""
    groups: dict[tuple[str, ...], dict[tuple[str, str, str], ConfigurationValue]] = {}
    count = 0
    for value in values:
        count += 1
        for row in _rows(station, value, now):
            fields = REPORTED if reported else SAID if value.readonly is None else [*SAID, "readonly"]
            groups.setdefault(tuple(fields), {})[row.component, row.name, row.attribute] = row
    for names, rows in groups.items():
        ConfigurationValue.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["station", "component", "name", "attribute"],
            update_fields=list(names),
        )
    return count


def _rows(station: Station, value: ReportedValue, now: datetime) -> Iterable[ConfigurationValue]:
    place = value.place or Place(value.name)
    secret = bool(value.value) and names_secret(place.variable, place.variable_instance, place.component)
    yield ConfigurationValue(
        station=station,
        **Placed.columns(place),
        attribute=value.attribute,
        value=MASK if secret else value.value or "",
        readonly=value.readonly,
        mutability=value.mutability,
        data_type=value.data_type,
        unit=value.unit,
        min_limit=value.min_limit,
        max_limit=value.max_limit,
        choices=value.choices,
        persistent=value.persistent,
        constant=value.constant,
        supports_monitoring=value.supports_monitoring,
        is_unknown=value.is_unknown,
        read_at=now,
    )
    if value.attribute == "Actual":
        for name, text in _characteristics(value):
            derived = {"component": value.component, "name": name, "value": text, "readonly": True}
            yield ConfigurationValue(station=station, **derived, is_derived=True, read_at=now)


def _characteristics(value: ReportedValue) -> Iterable[tuple[str, str]]:
    if value.max_limit is not None and KEEPS_MAX_LIMIT.match(value.name):
        yield f"{value.name}.maxLimit", f"{value.max_limit:g}"
    if value.choices and KEEPS_CHOICES.match(value.name):
        yield f"{value.name}.valuesList", value.choices


def note_part(
    station: Station, kind: str, request_id: int, seq_no: int, *, is_last: bool, count: int, now: datetime
) -> DeviceReading | None:
    """A part of a report came. The reading where all of it is there now, else None; a repeat counts once."""
    reading = DeviceReading.objects.filter(station=station, kind=kind, request_id=request_id).first()
    nudge_pages([station.pk])
    if reading is None or seq_no in reading.parts:
        return None
    reading.parts = [*reading.parts, seq_no]
    reading.last_part = seq_no if is_last else reading.last_part
    reading.values_read += count
    first, last = min(reading.parts), reading.last_part
    # Parts are counted from 0 (2.0.1, NotifyReport); some stations begin at 1.
    whole = last is not None and first <= 1 and len(reading.parts) == last - first + 1
    reading.state = State.COMPLETE if whole else State.COMING
    reading.ended_at = now if whole else None
    reading.save(update_fields=["parts", "last_part", "values_read", "state", "ended_at"])
    return reading if whole else None


def forget_unreported(reading: DeviceReading) -> None:
    """All values came: what was read before and is not among them, the station has no more."""
    ConfigurationValue.objects.filter(station_id=reading.station_id, read_at__lt=reading.asked_at).delete()


def take_in_answer(command: Command, *, now: datetime) -> DeviceReading | None:
    """The answer to a question for everything: with 1.6 it is the report, with 2.x it says whether one comes."""
    if command.action not in ACTIONS:
        return None
    reading = DeviceReading.objects.filter(command=command, state=State.ASKED).first()
    if reading is None:
        return None
    response = command.response or {}
    if command.state != Command.State.ACCEPTED or response.get("status", "Accepted") != "Accepted":
        reading.state, reading.ended_at = State.FAILED, now
        reading.reason = reason_of(response) or command.error[:LONGEST_REASON]
        if response.get("status") == "EmptyResultSet":
            reading.state = State.COMPLETE
    elif reading.request_id is None:
        reading.state, reading.ended_at = State.COMPLETE, now
        reading.values_read = len(response.get("configurationKey", ()))
    reading.save(update_fields=["state", "ended_at", "reason", "values_read"])
    return reading


def reason_of(response: dict[str, Any], info: str = "statusInfo") -> str:
    """A station's "no" in its own words: status, reason and what it added."""
    said = response.get(info) or {}
    words = [response.get("status", ""), said.get("reasonCode", ""), said.get("additionalInfo", "")]
    return ", ".join(word for word in words if word)[:LONGEST_REASON]
