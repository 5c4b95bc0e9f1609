"""Transactions of OCPP 1.6: StartTransaction, StopTransaction (rules 5, 6 and 8 of the endpoint)."""

from __future__ import annotations

from datetime import datetime

from stations import authorisation, events
from stations.authorisation import Judged, judge
from stations.handlers.energy import update_registers
from stations.handlers.station_state import see_connector
from stations.handlers.succession import leave_unclosed
from stations.ingest import store_readings
from stations.models import ChargingSession, Station
from stations.ocpp import messages as m

State = ChargingSession.State


def start(station: Station, message: m.StartTransaction, *, now: datetime) -> m.Reply:
    """The same start, repeated under whatever message id, is the same transaction. A refused one has a number too.

    It may be told long after, by a station that was offline: the energy was taken, so it is kept with its verdict.
    """
    judged = judge(station, message.id_token, now=now)
    session = _started_before(station, message, judged) or _begin(station, message, judged, now)
    judged = authorisation.at_evse(judged, message.connector_number)
    but = authorisation.on_evse(station, message.connector_number, session)
    judged = authorisation.alone(judged, now=now, but=but)
    return m.TransactionStarted(int(session.transaction_id or 0), judged.verdict)


def stop(station: Station, message: m.StopTransaction, *, now: datetime) -> m.Reply:
    """Always acknowledged: a CALLERROR would be repeated for ever (rule 6)."""
    judged = judge(station, message.id_token, now=now) if message.id_token else None
    session = (
        ChargingSession.objects.filter(station_id=station.pk, transaction_id=message.transaction_id)
        .exclude(state=State.ORPHAN)
        .first()
    )
    if session is None:
        _keep_orphan(station, message, judged, now)
    elif session.state in (State.ACTIVE, State.UNCLOSED):
        _end(station, session, message, now)
    elif (session.ended_at, session.end_reason) != (message.at, message.reason):
        # Stopped before, and now otherwise: what was written stays, and that it happened is kept.
        _record_orphan(station, session, message, now)
    return m.TransactionNoted(judged.verdict if judged else None)


def _started_before(station: Station, message: m.StartTransaction, judged: Judged) -> ChargingSession | None:
    rows = ChargingSession.objects.filter(
        station_id=station.pk,
        connector_number=message.connector_number,
        token_digest=judged.digest,
        started_at=message.at,
    ).exclude(state=State.ORPHAN)
    # A begin of 0 may have been a placeholder, and the row corrected since (rule 8).
    return (rows.filter(start_import_wh=message.import_wh) if message.import_wh else rows).first()


def _begin(station: Station, message: m.StartTransaction, judged: Judged, now: datetime) -> ChargingSession:
    see_connector(station, message.connector_number)
    session = _numbered(
        ChargingSession(
            station_id=station.pk,
            evse_number=message.connector_number,
            connector_number=message.connector_number,
            token=judged.token,
            token_digest=judged.digest,
            started_at=message.at,
            start_import_wh=message.import_wh,
            received_at=now,
        )
    )
    data = {"session": session.pk, "evse": session.evse_number}
    events.record(station_id=station.pk, kind=events.Kind.SESSION_STARTED, at=message.at, now=now, data=data)
    leave_unclosed(station, session, now=now)
    return session


def _numbered(session: ChargingSession) -> ChargingSession:
    """Saved under its own key as number; past the numbers under which orphans of another CSMS are kept here."""
    session.save()
    while ChargingSession.objects.filter(
        station_id=session.station_id, transaction_id=str(session.pk)
    ).exists():
        session.delete()
        session.pk = None
        session.save(force_insert=True)
    session.transaction_id = str(session.pk)
    session.save(update_fields=["transaction_id"])
    return session


def _end(station: Station, session: ChargingSession, message: m.StopTransaction, now: datetime) -> None:
    _store(station, session.evse_number or 0, message, now)
    session.state = State.ENDED
    session.ended_at = message.at
    session.end_reason = message.reason
    session.charging_state = ""
    # The meter values of start and stop are the register at begin and end of the transaction (1.6, 6.45 and 6.49).
    update_registers(station, session, stop_wh=message.import_wh)
    session.save()
    data = {"session": session.pk, "evse": session.evse_number}
    events.record(station_id=station.pk, kind=events.Kind.SESSION_ENDED, at=message.at, now=now, data=data)


def _keep_orphan(station: Station, message: m.StopTransaction, judged: Judged | None, now: datetime) -> None:
    """Kept as it came, on no EVSE: which one it was is not known, and not guessed."""
    kept = ChargingSession.objects.filter(
        station_id=station.pk, state=State.ORPHAN, ended_at=message.at, end_import_wh=message.import_wh
    )
    if kept.filter(transaction_id__in=[message.transaction_id]).exists():
        return
    taken = ChargingSession.objects.filter(
        station_id=station.pk, transaction_id=message.transaction_id
    ).exists()
    if taken and kept.filter(transaction_id=None).exists():
        return
    session = ChargingSession.objects.create(
        station_id=station.pk,
        # Some stations stop every transaction they lost under one number (-1): the first keeps it.
        transaction_id=None if taken else message.transaction_id,
        state=State.ORPHAN,
        token=judged.token if judged else None,
        token_digest=judged.digest if judged else "",
        ended_at=message.at,
        end_import_wh=message.import_wh,
        end_reason=message.reason,
        received_at=now,
    )
    _store(station, 0, message, now)
    _record_orphan(station, session, message, now)


def _store(station: Station, evse_number: int, message: m.StopTransaction, now: datetime) -> None:
    if message.meter_values:
        store_readings(
            station_id=station.pk,
            evse_number=evse_number,
            transaction_id=message.transaction_id,
            meter_values=message.meter_values,
            now=now,
        )


def _record_orphan(
    station: Station, session: ChargingSession, message: m.StopTransaction, now: datetime
) -> None:
    data = {
        "session": session.pk,
        "transaction": message.transaction_id,
        "end_import_wh": message.import_wh,
        "reason": message.reason,
    }
    events.record(station_id=station.pk, kind=events.Kind.ORPHAN_STOP, at=message.at, now=now, data=data)
