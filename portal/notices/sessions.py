"""What there is to tell of charging sessions: read from the events of stations, in their order, once.

A round looks at what was recorded since the last two rounds, by key: keys are given out before rows are committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from portal.compliance.models import Watermark
from portal.notices.causes import Cause
from portal.notices.kinds import Kind
from portal.pages.driver.notices import FAILED
from stations.events import Kind as Happened
from stations.models import ChargingSession, Event

OVER = (Happened.SESSION_ENDED, Happened.SESSION_UNCLOSED)
OF_SESSIONS = (Happened.SESSION_STARTED, *OVER)
ENDED = "ended"


def new_events() -> list[Event]:
    """Events of sessions since the last two rounds; nothing where no station did anything."""
    first, until = _move_watermark()
    if first == until:
        return []
    return list(Event.objects.filter(pk__gt=first, pk__lte=until, kind__in=OF_SESSIONS).order_by("pk"))


def failed_charges(events: Sequence[Event], now: datetime) -> Iterator[Cause]:
    """Sessions of a driver's own card that a fault broke off, or of which no end came."""
    keys = {event.data.get("session") for event in events if event.kind in OVER}
    if not keys:
        return
    over = ChargingSession.objects.filter(pk__in=keys, token__user__isnull=False)
    for session in over.select_related("station"):
        is_unclosed = session.state == ChargingSession.State.UNCLOSED
        if is_unclosed or session.end_reason in FAILED:
            yield _failed(session, now, is_unclosed=is_unclosed)


def _failed(session: ChargingSession, now: datetime, *, is_unclosed: bool) -> Cause:
    return Cause(
        kind=Kind.CHARGING_FAILED,
        key=f"session:{session.pk}",
        at=session.until or session.received_at,
        state=ENDED,
        subject=session.pk,
        session=session.pk,
        data={
            "session": session.pk,
            "label": session.station.label,
            "reason": session.end_reason,
            "unclosed": is_unclosed,
        },
        path=f"sessions/{session.pk}/",
    )


def _move_watermark() -> tuple[int, int]:
    """Between which keys this round looks."""
    newest = Event.objects.aggregate(Max("pk"))["pk__max"] or 0
    known = Watermark.objects.filter(name="notices").first()
    if known is not None and known.before == newest:
        return newest, newest  # nothing came for two rounds: there is nothing to write
    with transaction.atomic():
        mark, is_new = Watermark.objects.select_for_update().get_or_create(
            name="notices", defaults={"before": newest, "until": newest}
        )
        first: int = mark.before
        if not is_new:
            Watermark.objects.filter(pk=mark.pk).update(before=mark.until, until=newest)
    return first, newest
