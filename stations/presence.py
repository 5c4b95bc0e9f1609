"""Leases: which gateway holds which station's socket (rule 9). Only its owner ends or renews a lease."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.query import QuerySet

from stations import capabilities, commands, events, history
from stations.models import ConnectionSpan, Presence, Station
from stations.nudges import nudge_gateways

# A gateway renews this often; a lease that was not renewed for three rounds belongs to a gateway that died.
LEASE_S: float = settings.OCPP_LEASE_S
RENEWAL_S = LEASE_S / 3

# Why a socket is closed from here although its station did nothing: as its close frame and its event say it.
REVOKED = "the certificate was revoked"
REPLACED = "the password was replaced"
REMOVED = "the station is not registered here any more"
EXPELLED = frozenset({REVOKED, REPLACED, REMOVED})
ELSEWHERE = "the station has connected elsewhere"
# What a new owner changes; when the one before it left stays known.
_TAKEN = [
    "connection",
    "gateway",
    "ocpp_version",
    "connected_at",
    "renewed_at",
    "last_message_at",
    "close_reason",
]


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


class Lease(NamedTuple):
    """A connection that comes to own the lease of its station; `address` is the other end of its socket."""

    station: Station
    connection: UUID
    gateway: UUID
    version: str
    address: str = ""


def take(leases: Sequence[Lease], *, now: datetime) -> None:
    """Make these connections the owners, at most one of a station; in as many statements for a storm as for one.

    Whoever held a lease before has lost it, and what it had sent is unknown.
    """
    commands.lose([lease.station.pk for lease in leases], now=now)
    taken = [_presence_of(lease, now) for lease in leases]
    Presence.objects.bulk_create(
        taken, update_conflicts=True, unique_fields=["station"], update_fields=_TAKEN
    )
    history.opened([_span_of(lease, now) for lease in leases], now=now)
    for lease in leases:
        if lease.station.ocpp_version != lease.version:
            _speak(lease.station, lease.version, now)
    events.record_all(
        events.Happening(lease.station.pk, events.Kind.CONNECTED, now, now, {"ocpp_version": lease.version})
        for lease in leases
    )


def _presence_of(lease: Lease, now: datetime) -> Presence:
    return Presence(
        station=lease.station,
        connection=lease.connection,
        gateway=lease.gateway,
        ocpp_version=lease.version,
        connected_at=now,
        renewed_at=now,
        last_message_at=now,
        close_reason="",
    )


def _span_of(lease: Lease, now: datetime) -> ConnectionSpan:
    return ConnectionSpan(
        connection=lease.connection,
        station_id=lease.station.pk,
        gateway=lease.gateway,
        ocpp_version=lease.version,
        address=lease.address[:64],
        connected_at=now,
    )


def _speak(station: Station, version: str, now: datetime) -> None:
    """The station was known with another version: registered so, or before other firmware. What it speaks counts."""
    before = station.ocpp_version
    if not Station.objects.filter(pk=station.pk, ocpp_version=before).update(ocpp_version=version):
        return
    station.ocpp_version = version
    withdrawn = commands.withdraw_unsayable(station, now=now)
    if "1.6" in (before, version):
        # Keys of 1.6 and a device model of 2.x say nothing of one another: stations.receivers has it read anew.
        capabilities.forget(station)
    data = {"before": before, "ocpp_version": version, "withdrawn": withdrawn}
    events.record(station_id=station.pk, kind=events.Kind.OCPP_CHANGED, at=now, now=now, data=data)


class Ending(NamedTuple):
    """A socket that closed, and why."""

    station_id: int
    connection: UUID
    reason: str


def end(endings: Sequence[Ending], *, now: datetime) -> int:
    """End the leases that these connections own still, at most one of a station; returns how many.

    A late close of an old socket never unregisters the new one.
    """
    leases = Presence.objects.filter(
        station_id__in=[each.station_id for each in endings],
        connection__in=[each.connection for each in endings],
    )
    return _end(leases, {each.station_id: each.reason for each in endings}, now)


@transaction.atomic
def _end(leases: QuerySet[Presence], reasons: Mapping[int, str], now: datetime) -> int:
    """End these, each for its reason; as many stations as there are leave with their line, or with their gateway."""
    # Held until they are written: a lease that was renewed or taken over meanwhile is a living one.
    ended = list(leases.select_for_update().values_list("station_id", flat=True))
    for reason, station_ids in _by_reason(ended, reasons).items():
        Presence.objects.filter(station_id__in=station_ids).update(
            connection=None, gateway=None, disconnected_at=now, close_reason=reason
        )
        history.closed(station_ids, reason=reason, now=now)
    commands.lose(ended, now=now)
    events.record_all(
        events.Happening(pk, events.Kind.DISCONNECTED, now, now, {"reason": reasons[pk][:100]})
        for pk in ended
    )
    return len(ended)


def _by_reason(station_ids: Iterable[int], reasons: Mapping[int, str]) -> dict[str, list[int]]:
    grouped: defaultdict[str, list[int]] = defaultdict(list)
    for pk in station_ids:
        grouped[reasons[pk][:100]].append(pk)
    return grouped


def expel(*, station_id: int, reason: str, now: datetime) -> bool:
    """What opened the door opens it no more: the lease ends, and its gateway closes the socket. False: not connected.

    Call it in the transaction of the change itself; `reason` is one of EXPELLED.
    """
    held = Presence.objects.filter(station_id=station_id, connection__isnull=False)
    ended = bool(_end(held, {station_id: reason}, now))
    if ended:
        nudge_gateways([station_id])
    return ended


def sort_out(held: dict[int, UUID]) -> tuple[list[int], dict[int, str]]:
    """Of `held` (station id -> connection): whose lease that very connection has, and why the others lost theirs."""
    rows = Presence.objects.filter(station_id__in=list(held)).values_list("station_id", "connection")
    owned = [pk for pk, connection in rows if connection == held[pk]]
    lost = held.keys() - set(owned)
    if not lost:  # nearly always, and a fleet is asked for at once: no row of it is made
        return owned, {}
    found = {row.station_id: row for row in Presence.objects.filter(station_id__in=list(lost))}
    return owned, {pk: _why_lost(found.get(pk)) for pk in lost}


def _why_lost(lease: Presence | None) -> str:
    if lease is None:
        return REMOVED
    is_expelled = lease.connection is None and lease.close_reason in EXPELLED
    return lease.close_reason if is_expelled else ELSEWHERE


def renew(*, held: dict[int, tuple[UUID, datetime]], now: datetime) -> dict[int, str]:
    """Renew the leases of this gateway: station id -> (connection, time of its last message).

    Returns the stations whose lease is not that connection's any more, and why: their sockets here are to be closed.
    """
    rows = {row.station_id: row for row in Presence.objects.filter(station_id__in=list(held))}
    kept = [row for pk, row in rows.items() if row.connection == held[pk][0]]
    for row in kept:
        row.renewed_at = now
        row.last_message_at = held[row.station_id][1]
    Presence.objects.bulk_update(kept, ["renewed_at", "last_message_at"], batch_size=500)
    lost = held.keys() - {row.station_id for row in kept}
    return {pk: _why_lost(rows.get(pk)) for pk in sorted(lost)}


def release_dead(now: datetime, *, at_most: int | None = None) -> int:
    """End the leases of gateways that died. Returns how many."""
    # Only those with an owner: each other station has been away for long, and is no news.
    overdue = Presence.objects.filter(
        connection__isnull=False, renewed_at__lte=now - timedelta(seconds=LEASE_S)
    )
    station_ids = list(overdue.values_list("station_id", flat=True)[:at_most])
    if not station_ids:
        return 0
    leases = overdue.filter(station_id__in=station_ids)
    return _end(leases, dict.fromkeys(station_ids, "the lease ran out"), now)


def end_all_of(gateway: UUID, station_ids: Collection[int], now: datetime) -> None:
    """A gateway that stops ends what it holds."""
    held = Presence.objects.filter(gateway=gateway, station_id__in=station_ids)
    _end(held, dict.fromkeys(station_ids, "the gateway stopped"), now)
