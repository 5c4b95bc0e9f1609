"""TransactionEvent of OCPP 2.x: idempotent by sequence number, in whatever order the events come (rule 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stations import authorisation, costs, events, shown_costs
from stations.authorisation import Judged, judge
from stations.handlers.energy import update_registers
from stations.handlers.station_state import see_connector
from stations.handlers.succession import leave_unclosed
from stations.ingest import store_readings
from stations.models import ChargingSession, Station, TransactionEvent
from stations.ocpp import messages as m

State = ChargingSession.State
STARTED, ENDED = "Started", "Ended"
STOP = "StopAuthorized"


def transaction_event(station: Station, message: m.TransactionEvent, *, now: datetime) -> m.Reply:
    """A transaction whose Started is late or lost is made from what this event says."""
    judged = judge(station, message.id_token, now=now) if message.id_token else None
    session, is_new = ChargingSession.objects.get_or_create(
        station_id=station.pk,
        transaction_id=message.transaction_id,
        defaults={"started_at": message.at, "received_at": now},
    )
    _, is_first = TransactionEvent.objects.get_or_create(
        session=session,
        seq_no=message.seq_no,
        defaults={
            "event_type": message.event_type,
            "trigger_reason": message.trigger_reason,
            "at": message.at,
        },
    )
    if is_first:
        _take_in(station, session, message, judged, now)
        _record(station, session, message, now, is_new=is_new)
    return m.TransactionNoted(
        _verdict(station, session, message, judged, now), _total_cost(station, session, message, now)
    )


def _total_cost(
    station: Station, session: ChargingSession, message: m.TransactionEvent, now: datetime
) -> float | None:
    """With taxes, when charging has ended, and only to who shows it (2.0.1, I03)."""
    if message.event_type != ENDED or not shown_costs.shows_cost(station):
        return None
    total = shown_costs.amount(station, costs.cost_of(session, now=now))
    return None if total is None else float(total)


def _verdict(
    station: Station,
    session: ChargingSession,
    message: m.TransactionEvent,
    judged: Judged | None,
    now: datetime,
) -> m.Verdict | None:
    """Who charges here may not charge elsewhere, and may charge at this EVSE; who only stops it may (2.0.1, E07)."""
    if judged is None:
        return None
    is_stop = message.event_type == ENDED or message.trigger_reason == STOP
    if is_stop or session.token_digest != judged.digest:
        return judged.verdict
    but = authorisation.on_evse(station, session.evse_number, session)
    judged = authorisation.at_evse(judged, session.evse_number)
    return authorisation.alone(judged, now=now, but=but).verdict


def _take_in(
    station: Station,
    session: ChargingSession,
    message: m.TransactionEvent,
    judged: Judged | None,
    now: datetime,
) -> None:
    is_placed = _note_place_and_token(station, session, message, judged)
    _note_progress(session, message)
    if is_placed and session.state == State.ACTIVE:
        leave_unclosed(station, session, now=now)
    if message.meter_values:
        store_readings(
            station_id=station.pk,
            evse_number=session.evse_number or 0,
            transaction_id=session.transaction_id or "",
            meter_values=message.meter_values,
            now=now,
        )
    # In between, the registers of begin and end do not change: no need to read a long session's rows each minute.
    if message.event_type == STARTED or session.state == State.ENDED:
        update_registers(station, session)
    session.save()


def _note_place_and_token(
    station: Station, session: ChargingSession, message: m.TransactionEvent, judged: Judged | None
) -> bool:
    """Whether the EVSE became known with this message."""
    # 2.x numbers connectors within their EVSE; the transaction is the EVSE's.
    is_placed = bool(message.evse_number) and session.evse_number is None
    if message.evse_number and is_placed:
        session.evse_number = message.evse_number
        see_connector(station, message.evse_number)
    # The first token is who charges; the one that stops may be another of the same group (2.0.1, E07).
    if judged and not session.token_digest:
        session.token, session.token_digest = judged.token, judged.digest
    return is_placed


def _note_progress(session: ChargingSession, message: m.TransactionEvent) -> None:
    later = session.transaction_events.filter(seq_no__gt=message.seq_no).exists()
    if message.event_type == STARTED or session.started_at is None or message.at < session.started_at:
        session.started_at = message.at
    session.was_offline = session.was_offline or message.offline
    if message.event_type == ENDED and session.state != State.ENDED:
        session.state = State.ENDED
        session.ended_at = message.at
        session.end_reason = message.stopped_reason or "Local"  # 2.0.1, ReasonEnumType: omitted means Local
        session.charging_state = ""
    elif not later and message.charging_state and session.state == State.ACTIVE:
        session.charging_state = message.charging_state


def _record(
    station: Station, session: ChargingSession, message: m.TransactionEvent, now: datetime, *, is_new: bool
) -> None:
    kinds = [events.Kind.SESSION_STARTED] if is_new else []
    if message.event_type == ENDED:
        kinds.append(events.Kind.SESSION_ENDED)
    elif not is_new:
        kinds.append(events.Kind.SESSION_UPDATED)
    data: dict[str, Any] = {"session": session.pk, "evse": session.evse_number}
    if message.charging_state:
        data["charging_state"] = message.charging_state
    for kind in kinds:
        events.record(station_id=station.pk, kind=kind, at=message.at, now=now, data=data)
