"""Messages that are noted: security, firmware, reports, vendors' own, and all that has no meaning here yet."""

from __future__ import annotations

from datetime import datetime

from stations import capabilities, certificates, events, reserving, uploads
from stations.models import Station
from stations.ocpp import messages as m
from stations.ocpp.masking import mask_payload


def data_transfer(station: Station, message: m.DataTransfer, *, now: datetime) -> m.Reply:
    """We know no vendor's messages (1.6, 4.3): the frame log keeps what was sent."""
    data = {"action": "DataTransfer", "vendor": message.vendor_id, "message": message.message_name}
    events.record(station_id=station.pk, kind=events.Kind.NEUTRAL, at=now, now=now, data=data)
    return m.VendorUnknown()


def security_event(station: Station, message: m.SecurityEvent, *, now: datetime) -> m.Reply:
    """An event, as the station says it, without tokens and secrets."""
    info = mask_payload("SecurityEventNotification", {"techInfo": message.info})["techInfo"]
    data = {"type": message.kind, "info": info}
    events.record(station_id=station.pk, kind=events.Kind.SECURITY, at=message.at, now=now, data=data)
    return m.Empty()


def signing_request(station: Station, message: m.SigningRequest, *, now: datetime) -> m.Reply:
    accepted = certificates.take_in_signing_request(
        station, message.csr, message.kind, now, request_id=message.request_id
    )
    return m.SigningAnswered(accepted)


def firmware_status(station: Station, message: m.FirmwareStatus, *, now: datetime) -> m.Reply:
    """How a station gets on with new firmware."""
    data = {"action": message.action, "status": message.status, "request": message.request_id}
    events.record(station_id=station.pk, kind=events.Kind.FIRMWARE, at=now, now=now, data=data)
    uploads.note_status(station, message.request_id, message.status, action=message.action, now=now)
    return m.Empty()


def upload_status(station: Station, message: m.UploadStatus, *, now: datetime) -> m.Reply:
    """How a station gets on with sending its log (1.6 also: diagnostics)."""
    data = {"action": message.action, "status": message.status, "request": message.request_id}
    events.record(station_id=station.pk, kind=events.Kind.UPLOAD_STATUS, at=now, now=now, data=data)
    uploads.note_status(station, message.request_id, message.status, action=message.action, now=now)
    return m.Empty()


def reservation_status(station: Station, message: m.ReservationStatus, *, now: datetime) -> m.Reply:
    """A reservation is over without a transaction of its own."""
    data = {"reservation": message.reservation_id, "status": message.status}
    events.record(station_id=station.pk, kind=events.Kind.RESERVATION_STATUS, at=now, now=now, data=data)
    reserving.take_in_update(station, message.reservation_id, message.status, now=now)
    return m.Empty()


def noted(station: Station, message: m.Noted, *, now: datetime) -> m.Reply:
    """An event of its own kind, with what is worth reading; the answer promises no more than the event is."""
    data = mask_payload(message.action, message.data)
    events.record(station_id=station.pk, kind=message.kind, at=message.at or now, now=now, data=data)
    return m.NeutralReply(message.action, message.asked)


def report(station: Station, message: m.Report, *, now: datetime) -> m.Reply:
    capabilities.take_in_report(station, message, now=now)
    return m.Empty()


def neutral(station: Station, message: m.Neutral, *, now: datetime) -> m.Reply:
    """A valid answer that promises nothing, and the message as an event for whoever will make sense of it."""
    data = {"action": message.action, "payload": mask_payload(message.action, message.payload)}
    events.record(station_id=station.pk, kind=events.Kind.NEUTRAL, at=now, now=now, data=data)
    return m.NeutralReply(message.action, message.payload)
