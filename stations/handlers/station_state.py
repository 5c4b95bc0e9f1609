"""What a station says of itself: boot, heartbeat, status."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Q

from stations import events
from stations.models import Connector, Event, Evse, Station
from stations.ocpp import messages as m


def boot(station: Station, message: m.BootNotification, *, now: datetime) -> m.Reply:
    """Every known station is accepted at once: it was let in by its password."""
    before = Station.objects.values_list("firmware", flat=True).get(pk=station.pk)
    said = {
        "vendor": message.vendor,
        "model": message.model,
        "serial_number": message.serial_number,
        "firmware": message.firmware,
        "booted_at": now,
    }
    Station.objects.filter(pk=station.pk).update(**said)
    for name, value in said.items():
        setattr(station, name, value)
    data = {
        "firmware": message.firmware,
        "vendor": message.vendor,
        "model": message.model,
        "reason": message.reason,
        "firmware_changed": bool(before) and before != message.firmware,
    }
    events.record(station_id=station.pk, kind=events.Kind.BOOTED, at=now, now=now, data=data)
    return m.BootAccepted(now=now, interval_s=int(settings.OCPP_HEARTBEAT_S))


def heartbeat(station: Station, message: m.Heartbeat, *, now: datetime) -> m.Reply:
    """Its time is all that it wants; that it lives is presence's to note."""
    return m.CurrentTime(now)


def status(station: Station, message: m.StatusNotification, *, now: datetime) -> m.Reply:
    """Queued messages come late: an older status never overwrites a newer one."""
    # A clock in the future would otherwise freeze the status until that day.
    at = min(message.at or now, now)
    if message.evse_number == 0:
        _set_station_status(station, message.status, at)
    else:
        connector = see_connector(station, message.evse_number, message.connector_number)
        newer = Connector.objects.filter(pk=connector.pk).filter(
            Q(status_at__isnull=True) | Q(status_at__lte=at)
        )
        newer.update(status=message.status, error_code=message.error_code, status_at=at)
    data = {
        "evse": message.evse_number,
        "connector": message.connector_number,
        "status": message.status,
        "error_code": message.error_code,
    }
    events.record(station_id=station.pk, kind=events.Kind.STATUS, at=at, now=now, data=data)
    return m.Empty()


def see_connector(station: Station, evse_number: int, connector_number: int = 1) -> Connector:
    """The connector's row, made where the station shows one that we did not know."""
    evse, _ = Evse.objects.get_or_create(station_id=station.pk, number=evse_number)
    return Connector.objects.get_or_create(evse=evse, number=connector_number)[0]


def _set_station_status(station: Station, said: str, at: datetime) -> None:
    later = Event.objects.filter(
        station_id=station.pk, kind=events.Kind.STATUS, data__evse=0, at__gt=at
    ).exists()
    if not later:
        Station.objects.filter(pk=station.pk).update(status=said)
        station.status = said
