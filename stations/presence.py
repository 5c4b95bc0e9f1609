"""Leases: which gateway holds which station's socket (rule 9). Only its owner ends or renews a lease."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.query import QuerySet

from stations import commands, events
from stations.models import Presence, Station

# A gateway renews this often; a lease that was not renewed for three rounds belongs to a gateway that died.
RENEWAL_S = 15.0
LEASE_S = 3 * RENEWAL_S


def online(now: datetime, prefix: str = "") -> Q:
    """Stations with a living lease; `prefix` leads from the row to its presence, as in "presence__"."""
    return Q(
        **{f"{prefix}connection__isnull": False, f"{prefix}renewed_at__gt": now - timedelta(seconds=LEASE_S)}
    )


def is_living(lease: Presence, now: datetime) -> bool:
    """What `online` asks, of a row that is here already."""
    renewed = lease.renewed_at
    return bool(lease.connection and renewed and renewed > now - timedelta(seconds=LEASE_S))


def since(lease: Presence, *, is_online: bool) -> datetime | None:
    """Since when the station is here, or is not."""
    return lease.connected_at if is_online else lease.disconnected_at or lease.renewed_at


def is_online(station_id: int, now: datetime) -> bool:
    return Presence.objects.filter(online(now), station_id=station_id).exists()


def take(*, station: Station, connection: UUID, gateway: UUID, version: str, now: datetime) -> None:
    """Make `connection` the owner; whoever held the lease before has lost it, and what it had sent is unknown."""
    commands.lose(station.pk, now=now)
    Presence.objects.update_or_create(
        station=station,
        defaults={
            "connection": connection,
            "gateway": gateway,
            "ocpp_version": version,
            "connected_at": now,
            "renewed_at": now,
            "last_message_at": now,
            "close_reason": "",
        },
    )
    if station.ocpp_version != version:
        Station.objects.filter(pk=station.pk).update(ocpp_version=version)
    events.record(
        station_id=station.pk, kind=events.Kind.CONNECTED, at=now, now=now, data={"ocpp_version": version}
    )


def end(*, station_id: int, connection: UUID, reason: str, now: datetime) -> bool:
    """End the lease if `connection` still owns it: a late close of an old socket never unregisters the new one."""
    ended = Presence.objects.filter(station_id=station_id, connection=connection).update(
        connection=None, gateway=None, disconnected_at=now, close_reason=reason[:100]
    )
    if ended:
        commands.lose(station_id, now=now)
        data = {"reason": reason[:100]}
        events.record(station_id=station_id, kind=events.Kind.DISCONNECTED, at=now, now=now, data=data)
    return bool(ended)


def owned(held: dict[int, UUID]) -> list[int]:
    """Those stations whose lease is held by this very connection: station id -> connection."""
    rows = Presence.objects.filter(station_id__in=list(held)).values_list("station_id", "connection")
    return [station_id for station_id, connection in rows if connection == held[station_id]]


def renew(*, held: dict[int, tuple[UUID, datetime]], now: datetime) -> list[int]:
    """Renew the leases of this gateway: station id -> (connection, time of its last message).

    Returns the stations whose lease is another's by now: their sockets here are to be closed.
    """
    rows = list(Presence.objects.filter(station_id__in=list(held)))
    kept = [row for row in rows if row.connection == held[row.station_id][0]]
    for row in kept:
        row.renewed_at = now
        row.last_message_at = held[row.station_id][1]
    Presence.objects.bulk_update(kept, ["renewed_at", "last_message_at"], batch_size=500)
    return sorted(held.keys() - {row.station_id for row in kept})


def release_dead(now: datetime) -> int:
    """End the leases of gateways that died. Returns how many."""
    overdue = Presence.objects.filter(renewed_at__lte=now - timedelta(seconds=LEASE_S))
    return _end_each(overdue, reason="the lease ran out", now=now)


def end_all_of(gateway: UUID, station_ids: Iterable[int], now: datetime) -> None:
    """A gateway that stops ends what it holds."""
    held = Presence.objects.filter(gateway=gateway, station_id__in=list(station_ids))
    _end_each(held, reason="the gateway stopped", now=now)


def _end_each(rows: QuerySet[Presence], *, reason: str, now: datetime) -> int:
    return sum(
        end(station_id=row.station_id, connection=row.connection, reason=reason, now=now)
        for row in rows
        if row.connection is not None
    )
