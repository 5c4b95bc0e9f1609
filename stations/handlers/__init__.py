"""One function per message: message -> rows and events -> answer. Runs in the gateway's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from stations import (
    capabilities,
    certificates,
    changes,
    device_model,
    history,
    monitoring,
    reserving,
    securing,
    uploads,
)
from stations.handlers import external, notices, station_state, tokens, transaction_events, transactions
from stations.models import Command, Station
from stations.ocpp import messages as m
from stations.ocpp import noted, v2, v16
from stations.ocpp.bounds import holds_nul, without_nul

_HANDLERS: dict[type, Callable[..., m.Reply]] = {
    m.BootNotification: station_state.boot,
    m.Heartbeat: station_state.heartbeat,
    m.StatusNotification: station_state.status,
    m.Authorize: tokens.authorize,
    m.StartTransaction: transactions.start,
    m.StopTransaction: transactions.stop,
    m.TransactionEvent: transaction_events.transaction_event,
    m.DataTransfer: notices.data_transfer,
    m.SecurityEvent: notices.security_event,
    m.FirmwareStatus: notices.firmware_status,
    m.Report: notices.report,
    m.MonitorReport: monitoring.monitoring_report,
    m.DeviceEvents: monitoring.device_events,
    m.ReportedProfiles: external.profiles_reported,
    m.ExternalLimit: external.limit_set,
    m.ExternalLimitCleared: external.limit_cleared,
    m.PriorityCharging: external.priority_charging,
    m.DynamicUpdateAsked: external.dynamic_update_asked,
    m.SigningRequest: notices.signing_request,
    m.UploadStatus: notices.upload_status,
    m.ReservationStatus: notices.reservation_status,
    m.Noted: notices.noted,
    m.Neutral: notices.neutral,
}


def handle(
    station: Station, version: str, action: str, payload: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Take in a CALL whose payload its schema accepts; the CALLRESULT's payload.

    Runs inside a transaction, once for each frame; every handler is safe to run twice (rule 5). Raises CallFailed
    for a CALLERROR. MeterValues takes the fast path of stations.ingest instead.
    """
    if holds_nul(payload):
        payload = without_nul(payload)
    message = v16.decode(action, payload) if version == "1.6" else v2.decode(action, payload, version)
    reply = handler_of(message)(station, message, now=now)
    _use_reservation(station, message, reply, now)
    history.note_clock(station.pk, action, payload, now=now)
    return v16.encode_reply(reply) if version == "1.6" else v2.encode_reply(reply, version)


def take_in(station: Station, action: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Take in a SEND (2.1) whose payload its schema accepts: nobody waits for an answer. Raises CallFailed."""
    message = noted.SENT[action](without_nul(payload) if holds_nul(payload) else payload)
    handler_of(message)(station, message, now=now)


def _use_reservation(station: Station, message: m.Message, reply: m.Reply, now: datetime) -> None:
    """A transaction that begins may be the one that an EVSE was kept free for."""
    match message, reply:
        case m.StartTransaction(), m.TransactionStarted(transaction_id):
            named = message.reservation_id
            reserving.take_in_start(
                station, transaction_id=str(transaction_id), reservation_id=named, now=now
            )
        case m.TransactionEvent(), _ if message.event_type == "Started" or message.reservation_id is not None:
            named = message.reservation_id
            reserving.take_in_start(
                station, transaction_id=message.transaction_id, reservation_id=named, now=now
            )


def handler_of(message: m.Message) -> Callable[..., m.Reply]:
    return _HANDLERS[type(message)]


def on_answer(command: Command, *, now: datetime) -> None:
    """After-effects of an answered command within stations; other apps listen to COMMAND_ANSWERED."""
    capabilities.take_in(command, now=now)
    reserving.take_in(command, now=now)
    securing.take_in(command, now=now)
    certificates.take_in(command, now=now)
    device_model.take_in_answer(command, now=now)
    changes.settle(command, now=now)
    monitoring.take_in_answer(command, now=now)
    uploads.on_answer(command, now=now)
