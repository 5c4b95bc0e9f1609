"""Limits that others set on a 2.x station, from what it told (NotifyChargingLimit, ClearedChargingLimit) to rows.

The events are the truth. Taking them in is safe to repeat: each notice makes one row, and ends the one before it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max, Q

from smartcharging.models import ExternalLimit
from stations.events import Kind
from stations.models import Event, Station

NOTICES = (Kind.EXTERNAL_LIMIT_SET, Kind.EXTERNAL_LIMIT_CLEARED)
# How far back notices are looked for that no nudge told of: the process may have ended between the two.
RECENT_EVENTS = 500


def take_external_limits(station_id: int) -> int:
    """Bring the rows of a station up to what its recent notices say; returns the rows that changed.

    A few questions where nothing is new, however many notices there were: an energy manager may send one each second.
    """
    keys = _notices(station_id)
    if not keys:
        return 0
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=station_id)
        rows = ExternalLimit.objects.filter(station_id=station_id)
        known = set(rows.filter(event_id__in=keys).values_list("event_id", flat=True))
        in_force, changed = list(rows.in_force()), 0
        for event in Event.objects.filter(pk__in=keys - known).order_by("pk"):
            if event.kind == Kind.EXTERNAL_LIMIT_SET:
                done = _take(event)
            else:
                done = _end(event, _cleared(event)) if _may_end(event, in_force) else 0
            in_force = list(rows.in_force()) if done else in_force
            changed += done
        return changed


def _notices(station_id: int) -> set[int]:
    """The notices to look at: the recent ones, and all since the last that was taken in."""
    # First without their data: other events of a station can be long.
    told = Event.objects.filter(station_id=station_id).order_by("-pk").values_list("pk", "kind")
    keys = {key for key, kind in told[:RECENT_EVENTS] if kind in NOTICES}
    taken = ExternalLimit.objects.filter(station_id=station_id).aggregate(last=Max("event_id"))["last"]
    if taken is not None:
        keys.update(key for key, _kind in told.filter(pk__gt=taken, kind__in=NOTICES))
    return keys


def _take(event: Event) -> int:
    evse, source = _evse_and_source(event)
    is_local = bool(event.data.get("is_local_generation"))
    same = Q(evse_number=evse, source=source, is_local_generation=is_local)
    if ExternalLimit.objects.filter(same, station_id=event.station_id, event_id__gt=event.pk).exists():
        return 0  # a later notice was taken in before
    _end(event, same)
    ExternalLimit.objects.create(
        station_id=event.station_id,
        evse_number=evse,
        source=source,
        is_grid_critical=event.data.get("is_grid_critical"),
        is_local_generation=is_local,
        schedules=event.data.get("schedules") or [],
        is_whole=not event.data.get("left_out"),
        since=event.recorded_at,
        event_id=event.pk,
    )
    return 1


def _cleared(event: Event) -> Q:
    """Without an EVSE, a source lets go of the whole station: its EVSEs too (K13)."""
    evse, source = _evse_and_source(event)
    return Q(source=source) & (Q(evse_number=evse) if evse else Q())


def _may_end(event: Event, in_force: list[ExternalLimit]) -> bool:
    """Whether there is anything that the notice could end; most were taken in long ago."""
    _evse, source = _evse_and_source(event)
    return any(row.source == source and row.event_id < event.pk for row in in_force)


def _end(event: Event, which: Q) -> int:
    rows = ExternalLimit.objects.in_force().filter(which, station_id=event.station_id, event_id__lt=event.pk)
    ended: int = rows.update(cleared_at=event.recorded_at)
    return ended


def _evse_and_source(event: Event) -> tuple[int, str]:
    return event.data.get("evse") or 0, str(event.data.get("source", ""))[:20]
