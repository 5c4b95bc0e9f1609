"""Messages that are noted: security, firmware, reports, vendors' own, and all that has no meaning here yet."""

from __future__ import annotations

from datetime import datetime

from stations import capabilities, events
from stations.models import Station
from stations.ocpp import messages as m
from stations.ocpp.masking import mask_payload


def data_transfer(station: Station, message: m.DataTransfer, *, now: datetime) -> m.Reply:
    """We know no vendor's messages (1.6, 4.3): the frame log keeps what was sent."""
    data = {"action": "DataTransfer", "vendor": message.vendor_id, "message": message.message_name}
    events.record(station_id=station.pk, kind=events.Kind.NEUTRAL, at=now, now=now, data=data)
    return m.VendorUnknown()


def security_event(station: Station, message: m.SecurityEvent, *, now: datetime) -> m.Reply:
    info = mask_payload("SecurityEventNotification", {"techInfo": message.info})["techInfo"]
    data = {"type": message.kind, "info": info}
    events.record(station_id=station.pk, kind=events.Kind.SECURITY, at=message.at, now=now, data=data)
    return m.Empty()


def firmware_status(station: Station, message: m.FirmwareStatus, *, now: datetime) -> m.Reply:
    data = {"action": message.action, "status": message.status, "request": message.request_id}
    events.record(station_id=station.pk, kind=events.Kind.FIRMWARE, at=now, now=now, data=data)
    return m.Empty()


def report(station: Station, message: m.Report, *, now: datetime) -> m.Reply:
    capabilities.take_in_report(station, message, now=now)
    return m.Empty()


def neutral(station: Station, message: m.Neutral, *, now: datetime) -> m.Reply:
    """A valid answer that promises nothing, and the message as an event for whoever will make sense of it."""
    data = {"action": message.action, "payload": mask_payload(message.action, message.payload)}
    events.record(station_id=station.pk, kind=events.Kind.NEUTRAL, at=now, now=now, data=data)
    return m.NeutralReply(message.action)
