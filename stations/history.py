"""The history of connections: a span for each, the clock of the station as seen in it, and the figures of a day.

`opened` and `closed` are called where a lease is taken and ended (stations.presence), in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from stations.models import Command, ConnectionHealth, ConnectionSpan, Event, Station

# How long what was seen of a clock is good enough.
CLOCK_AGAIN = timedelta(minutes=1)
DAY = timedelta(days=1)
BATCH, STATIONS_AT_ONCE = 1000, 100
# Messages that are sent at the moment that they tell; the others may have waited for a connection.
_PROMPT = {"StatusNotification": "timestamp", "TransactionEvent": "timestamp", "NotifyEvent": "generatedAt"}


def opened(spans: Sequence[ConnectionSpan], *, now: datetime) -> None:
    """Sockets opened, at most one of a station; `spans` are not written yet. A repeat changes nothing.

    What was open still has been cut off by them, and nobody saw when.
    """
    cut_off = ConnectionSpan.objects.filter(
        station_id__in=[span.station_id for span in spans], disconnected_at=None
    ).exclude(connection__in=[span.connection for span in spans])
    cut_off.update(disconnected_at=now, reason="the station connected again")
    ConnectionSpan.objects.bulk_create(spans, ignore_conflicts=True)


def closed(station_ids: Collection[int], *, reason: str, now: datetime) -> None:
    """The leases of these stations ended."""
    ConnectionSpan.objects.filter(station_id__in=station_ids, disconnected_at=None).update(
        disconnected_at=now, reason=reason[:100]
    )


def note_clock(station_id: int, action: str, payload: Mapping[str, Any], *, now: datetime) -> None:
    """How far the clock of the station is off, by a message that it sends at once; one update at most a minute."""
    said = payload.get(_PROMPT.get(action, ""))
    if not isinstance(said, str) or payload.get("offline"):
        return
    try:
        at = datetime.fromisoformat(said)
        offset_s = (at - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no time, or one without a zone
        return
    spans = ConnectionSpan.objects.filter(station_id=station_id, disconnected_at=None)
    stale = Q(clock_seen_at=None) | Q(clock_seen_at__lt=now - CLOCK_AGAIN)
    spans.filter(stale).update(clock_offset_s=round(offset_s, 1), clock_seen_at=now)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of how many answers, and how long they took."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def percentiles(times_ms: Iterable[float]) -> Percentiles | None:
    """Nearest rank: a time that was really measured. None: of nothing."""
    ordered = sorted(times_ms)
    if not ordered:
        return None
    return Percentiles(len(ordered), *(_rank(ordered, share) for share in (0.5, 0.95, 0.99)))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]


def measure(now: datetime) -> int:
    """The round: figures of the last day for every station that has any. Returns of how many."""
    since = now - DAY
    figures: dict[int, dict[str, Any]] = defaultdict(dict)
    spans = ConnectionSpan.objects.filter(connected_at__gte=since).order_by()
    for pk, count in spans.values_list("station_id").annotate(count=Count("pk")):
        figures[pk]["connections"] = count
    bad = Event.objects.filter(kind="bad_frame", recorded_at__gte=since).order_by()
    for pk, count in bad.values_list("station_id").annotate(count=Count("pk")):
        figures[pk]["bad_frames"] = count
    for pk, times in _answer_times(since).items():
        figures[pk] |= {"answers": len(times), "answer_p95_ms": percentiles(times).p95_ms}  # type: ignore[union-attr]
    open_ = ConnectionSpan.objects.filter(disconnected_at=None).order_by()
    for pk, offset in open_.values_list("station_id", "clock_offset_s"):
        figures[pk]["clock_offset_s"] = offset
    _keep(figures, now)
    # Who had nothing in this day has no figures of another.
    ConnectionHealth.objects.filter(measured_at__lt=now).delete()
    return len(figures)


def _answer_times(since: datetime) -> dict[int, list[float]]:
    times: dict[int, list[float]] = defaultdict(list)
    rows = Command.objects.filter(answered_at__gte=since, sent_at__isnull=False).order_by()
    for pk, sent, answered in rows.values_list("station_id", "sent_at", "answered_at").iterator(BATCH):
        times[pk].append(max(0.0, (answered - sent).total_seconds() * 1000))
    return times


def _keep(figures: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    known = list(Station.objects.filter(pk__in=list(figures)).values_list("pk", flat=True)) if figures else []
    names = ["measured_at", "connections", "answers", "answer_p95_ms", "bad_frames", "clock_offset_s"]
    for start in range(0, len(known), STATIONS_AT_ONCE):
        portion = known[start : start + STATIONS_AT_ONCE]
        ConnectionHealth.objects.bulk_create(
            [ConnectionHealth(station_id=pk, measured_at=now, **figures[pk]) for pk in portion],
            update_conflicts=True,
            unique_fields=["station"],
            update_fields=names,
        )


def forget_old(now: datetime, *, days: float) -> int:
    """Delete connections that ended long ago. Returns how many."""
    ended = ConnectionSpan.objects.filter(disconnected_at__lt=now - timedelta(days=days))
    return ended.delete()[0]
