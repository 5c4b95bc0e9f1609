"""A session's registers from its readings."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from stations.domain.registers import BEGIN, END, RegisterReading, RegisterSpan, register_span
from stations.models import ChargingSession, MeterReading, Station

LINE_V = 230.0
CLOCK_SLACK = timedelta(days=1)


def update_registers(station: Station, session: ChargingSession, *, stop_wh: float | None = None) -> None:
    """Set the session's four register values, and how each register fell, from its readings; the caller saves it.

    `stop_wh` is the meter value of a StopTransaction; a start value that stands already counts as one of a start.
    """
    rows = list(
        _readings(station, session)
        .order_by("pk")  # as they came
        .values_list("sampled_at", "context", "import_wh", "export_wh")
    )
    imported = [RegisterReading(at, context, wh) for at, context, wh, _ in rows if wh is not None]
    exported = [RegisterReading(at, context, wh) for at, context, _, wh in rows if wh is not None]
    if session.start_import_wh is not None and session.started_at and stop_wh is not None:
        imported.insert(0, RegisterReading(session.started_at, BEGIN, session.start_import_wh))
    if stop_wh is not None and session.ended_at:
        imported.append(RegisterReading(session.ended_at, END, stop_wh))
    span = _span(station, session, imported)
    session.start_import_wh, session.end_import_wh = span.start_wh, span.end_wh
    session.import_fall = span.fall or ""
    span = _span(station, session, exported)
    session.start_export_wh, session.end_export_wh = span.start_wh, span.end_wh
    session.export_fall = span.fall or ""


def _readings(station: Station, session: ChargingSession) -> QuerySet[MeterReading]:
    """Those of the session. By time, as the index is: all that a station ever measured takes the writer too long.

    A clock that was set back in between is why its end counts as well.
    """
    rows = MeterReading.objects.filter(station_id=station.pk, transaction_id=session.transaction_id)
    if session.evse_number is not None:
        # The meter of another EVSE is another register, whatever transaction a message names. A TransactionEvent
        # need not name its EVSE again: one that came before the EVSE was known is kept on 0.
        own = {session.evse_number} if station.ocpp_version == "1.6" else {session.evse_number, 0}
        rows = rows.filter(evse_number__in=own)
    moments = [moment for moment in (session.started_at, session.ended_at) if moment]
    return rows.filter(sampled_at__gte=min(moments) - CLOCK_SLACK) if moments else rows


def _span(station: Station, session: ChargingSession, readings: list[RegisterReading]) -> RegisterSpan:
    max_power_w = station.connection_phases * station.connection_a * LINE_V
    has_ended = session.state == ChargingSession.State.ENDED
    return register_span(readings, has_ended=has_ended, max_power_w=max_power_w)
