"""One function per message: message -> rows and events -> answer. Runs in the gateway's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from stations import capabilities
from stations.handlers import notices, station_state, tokens, transaction_events, transactions
from stations.models import Command, Station
from stations.ocpp import messages as m
from stations.ocpp import v2, v16
from stations.ocpp.bounds import holds_nul
from stations.ocpp.rpc import CallFailed

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
        # No database column of text takes it; left in, the station would repeat the message for ever.
        raise CallFailed("PropertyConstraintViolation", "a text holds a NUL character")
    message = v16.decode(action, payload) if version == "1.6" else v2.decode(action, payload, version)
    reply = _HANDLERS[type(message)](station, message, now=now)
    return v16.encode_reply(reply) if version == "1.6" else v2.encode_reply(reply)


def on_answer(command: Command, *, now: datetime) -> None:
    """After-effects of an answered command within stations; other apps listen to COMMAND_ANSWERED."""
    capabilities.take_in(command, now=now)
