"""One car at a time: what the begin of a transaction says of those before it on the same EVSE."""

from __future__ import annotations

from datetime import datetime

from stations import events
from stations.models import ChargingSession, Station

State = ChargingSession.State


def leave_unclosed(station: Station, session: ChargingSession, *, now: datetime) -> None:
    """What still counted as running on the EVSE of `session`, and began before it, is over: its end was never told.

    When, and at what register, is not guessed (rule 6); an end that comes late still ends it. What began later stays
    as it is, for a station may tell of its past after its present.
    """
    if session.evse_number is None or session.started_at is None:
        return
    earlier = ChargingSession.objects.filter(
        station_id=station.pk,
        evse_number=session.evse_number,
        state=State.ACTIVE,
        started_at__lt=session.started_at,
    ).exclude(pk=session.pk)
    for before in earlier:
        still = ChargingSession.objects.filter(pk=before.pk, state=State.ACTIVE)
        if still.update(state=State.UNCLOSED, over_by=session.started_at, charging_state=""):
            data = {"session": before.pk, "evse": session.evse_number, "next": session.pk}
            events.record(
                station_id=station.pk,
                kind=events.Kind.SESSION_UNCLOSED,
                at=session.started_at,
                now=now,
                data=data,
            )
