"""Monitors of a 2.x station: set, cleared and read back as rows; what they notice becomes events (2.0.1, part 2, N)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from stations import commands, device_model, events
from stations.models import Command, DeviceReading, Station, VariableMonitor
from stations.models.device import Placed
from stations.ocpp import messages as m
from stations.ocpp.device import Place, place_of
from stations.ocpp.masking import MASK, mask_payload, names_secret

_ask = partial(commands.ask, patience_s=300)

State = VariableMonitor.State
KINDS = ("UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned")
KINDS_21 = (*KINDS, "TargetDelta", "TargetDeltaRelative")
BASES = ("All", "FactoryDefault", "HardWiredOnly")
# A message of 1 MiB could hold thousands: enough to see what is wrong, and no more rows than that.
MOST_EVENTS = 200


# ---------------------------------------------------------------- asking
@transaction.atomic
def set_monitor(
    *,
    station: Station,
    place: Place,
    kind: str,
    value: float,
    severity: int,
    only_in_transactions: bool = False,
    requested_by: Any,
    now: datetime,
) -> VariableMonitor:
    """Have the station watch a variable (N04)."""
    wanted: dict[str, Any] = {"value": value, "type": kind, "severity": severity, **place.wire()}
    if only_in_transactions:
        wanted["transaction"] = True
    command = _ask(station, "SetVariableMonitoring", {"setMonitoringData": [wanted]}, requested_by, now)
    return VariableMonitor.objects.create(
        station=station,
        **Placed.columns(place),
        kind=kind,
        value=value,
        severity=severity,
        only_in_transactions=only_in_transactions,
        state=State.ASKED,
        command=command,
        read_at=now,
    )


@transaction.atomic
def clear_monitor(*, monitor: VariableMonitor, requested_by: Any, now: datetime) -> Command | None:
    """Have the station forget it (N06). None: the station never had it, so that only our row goes."""
    if monitor.number is None:
        monitor.delete()
        return None
    payload = {"id": [monitor.number]}
    command = _ask(monitor.station, "ClearVariableMonitoring", payload, requested_by, now)
    VariableMonitor.objects.filter(pk=monitor.pk).update(state=State.CLEARING, command=command, reason="")
    return command


def set_base(*, station: Station, base: str, requested_by: Any, now: datetime) -> Command:
    """Which monitors are to be on: all, those of the factory, or only the hard-wired (N02)."""
    return _ask(station, "SetMonitoringBase", {"monitoringBase": base}, requested_by, now)


def set_level(*, station: Station, severity: int, requested_by: Any, now: datetime) -> Command:
    """Tell only what is this bad or worse (N03); 9 is everything."""
    return _ask(station, "SetMonitoringLevel", {"severity": severity}, requested_by, now)


# ---------------------------------------------------------------- taking in
def take_in_answer(command: Command, *, now: datetime) -> None:
    """What the station made of it."""
    response = command.response or {}
    accepted = command.state == Command.State.ACCEPTED
    match command.action:
        case "SetVariableMonitoring":
            _take_in_set(command, response, now)
        case "ClearVariableMonitoring":
            _take_in_clear(command, response)
        case "SetMonitoringBase" if accepted:
            device_model.read_monitors(station=command.station, now=now)


def _take_in_set(command: Command, response: dict[str, Any], now: datetime) -> None:
    results = {(place_of(each).key, each["type"]): each for each in response.get("setMonitoringResult", ())}
    for row in VariableMonitor.objects.filter(command=command, state=State.ASKED):
        result = results.get((row.place.key, row.kind), {})
        number = result.get("id")
        if command.state != Command.State.ACCEPTED or result.get("status") != "Accepted" or number is None:
            reason = device_model.reason_of(result) or command.error or str(command.get_state_display())
            VariableMonitor.objects.filter(pk=row.pk).update(state=State.REFUSED, reason=reason[:600])
            continue
        # A report may have brought it already.
        VariableMonitor.objects.filter(station=row.station_id, number=number).exclude(pk=row.pk).delete()
        VariableMonitor.objects.filter(pk=row.pk).update(
            state=State.SET, number=number, made_by="CustomMonitor", reason="", read_at=now
        )


def _take_in_clear(command: Command, response: dict[str, Any]) -> None:
    results = {each["id"]: each for each in response.get("clearMonitoringResult", ())}
    for number in command.payload["id"]:
        row = VariableMonitor.objects.filter(station=command.station_id, number=number)
        result = results.get(number, {})
        if result.get("status") in ("Accepted", "NotFound"):
            row.delete()
        else:
            reason = device_model.reason_of(result) or command.error or str(command.get_state_display())
            row.update(state=State.SET, reason=reason[:600])


def monitoring_report(station: Station, message: m.MonitorReport, *, now: datetime) -> m.Reply:
    """A part of what GetMonitoringReport asked for; with the last part, what is not in it is no more."""
    rows = {each.number: _row(station, each, now) for each in message.monitors}
    # Two steps, since the constraint is a partial one: SQLite and PostgreSQL name it differently in an upsert.
    VariableMonitor.objects.filter(station=station, number__in=list(rows)).delete()
    VariableMonitor.objects.bulk_create(rows.values())
    whole = device_model.note_part(
        station,
        DeviceReading.Kind.MONITORS,
        message.request_id,
        message.seq_no,
        is_last=message.is_last,
        count=len(rows),
        now=now,
    )
    if whole:
        gone = VariableMonitor.objects.filter(station=station, read_at__lt=whole.asked_at)
        gone.filter(number__isnull=False).delete()
    return m.Empty()


def _row(station: Station, said: m.ReportedMonitor, now: datetime) -> VariableMonitor:
    return VariableMonitor(
        station=station,
        **Placed.columns(said.place),
        number=said.number,
        kind=said.kind,
        value=said.value,
        severity=said.severity,
        only_in_transactions=said.only_in_transactions,
        made_by=said.made_by,
        state=State.SET,
        read_at=now,
    )


def device_events(station: Station, message: m.DeviceEvents, *, now: datetime) -> m.Reply:
    """What a monitor noticed: an event each, with how bad the monitor says that it is where the message does not."""
    kept = message.events[:MOST_EVENTS]
    numbers = [each.monitor for each in kept if each.monitor is not None]
    known = VariableMonitor.objects.filter(Q(station=station) & Q(number__in=numbers))
    severities = dict(known.values_list("number", "severity"))
    for each in kept:
        severity = severities.get(each.monitor) if each.severity is None else each.severity
        data = {"severity": severity, **_data(each)}
        events.record(
            station_id=station.pk, kind=events.Kind.DEVICE_EVENT, at=min(each.at, now), now=now, data=data
        )
    left_out = len(message.events) - len(kept)
    if left_out:
        data = {"severity": None, "left_out": left_out}
        events.record(station_id=station.pk, kind=events.Kind.DEVICE_EVENT, at=now, now=now, data=data)
    return m.Empty()


def _data(each: m.DeviceEvent) -> dict[str, Any]:
    place = each.place
    is_secret = names_secret(place.variable, place.variable_instance, place.component)
    info = mask_payload("NotifyEvent", {"techInfo": each.info})["techInfo"]
    return {
        "event": each.number,
        "component": place.component_text,
        "variable": place.name_text,
        "value": MASK if is_secret else each.value,
        "trigger": each.trigger,
        "type": each.kind,
        "cleared": each.is_cleared,
        "monitor": each.monitor,
        "cause": each.cause,
        "code": each.code,
        "info": info,
        "transaction": each.transaction_id,
    }
