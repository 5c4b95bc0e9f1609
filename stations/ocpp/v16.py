"""OCPP 1.6 (edition 2, with the security extensions): payloads to messages, answers to payloads. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ocpp.v16.enums import Action, DataTransferStatus, RegistrationStatus

from stations.ocpp import messages as m
from stations.ocpp.bounds import MAX_EVSE, register_wh, whole_number
from stations.ocpp.directions import not_from_stations
from stations.ocpp.readings import parse_time, readable

Payload = dict[str, Any]

# Answered without meaning; kept as events.
NEUTRAL: frozenset[str] = frozenset()


def decode(action: str, payload: Payload) -> m.Message:
    """The message in a payload that its schema accepts. Raises CallFailed."""
    if action in NEUTRAL:
        return m.Neutral(action, payload)
    decoder = _DECODERS.get(action)
    if decoder is None:
        raise not_from_stations(action, "1.6")
    return decoder(payload)


def encode_reply(reply: m.Reply) -> Payload:
    """The payload of the CALLRESULT."""
    match reply:
        case m.BootAccepted(now, interval_s):
            status = RegistrationStatus.accepted
            return {"status": status, "currentTime": wire_time(now), "interval": interval_s}
        case m.CurrentTime(now):
            return {"currentTime": wire_time(now)}
        case m.Authorized(verdict):
            return {"idTagInfo": _id_tag_info(verdict)}
        case m.TransactionStarted(transaction_id, verdict):
            return {"transactionId": transaction_id, "idTagInfo": _id_tag_info(verdict)}
        case m.TransactionNoted(verdict):
            return {"idTagInfo": _id_tag_info(verdict)} if verdict else {}
        case m.VendorUnknown() | m.SigningAnswered():
            return {"status": _word(reply)}
        case m.NeutralReply() | m.Empty():  # no answer of 1.6 that says nothing has a field
            return {}


def _word(reply: m.VendorUnknown | m.SigningAnswered) -> str:
    if isinstance(reply, m.VendorUnknown):
        return str(DataTransferStatus.unknown_vendor_id.value)
    return "Accepted" if reply.accepted else "Rejected"


def configuration_of(response: Payload) -> tuple[m.ReportedValue, ...]:
    """The keys in the answer to GetConfiguration, those too that the station says it does not have."""
    known = [
        m.ReportedValue("", key["key"], key.get("value"), readonly=key.get("readonly"))
        for key in response.get("configurationKey", ())
    ]
    unknown = [m.ReportedValue("", key, None, is_unknown=True) for key in response.get("unknownKey", ())]
    return (*known, *unknown)


def wire_time(at: datetime) -> str:
    """RFC 3339 with Z, whole seconds: some stations refuse fractions."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _id_tag_info(verdict: m.Verdict) -> Payload:
    info: Payload = {"status": verdict.status}
    if verdict.expires_at:
        info["expiryDate"] = wire_time(verdict.expires_at)
    if verdict.group_id:
        info["parentIdTag"] = verdict.group_id
    return info


def _boot(payload: Payload) -> m.Message:
    serial_number = payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber", "")
    return m.BootNotification(
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial_number=serial_number,
        firmware=payload.get("firmwareVersion", ""),
        reason="",
    )


def _status(payload: Payload) -> m.Message:
    timestamp = payload.get("timestamp")
    return m.StatusNotification(
        evse_number=_connector(payload),
        connector_number=1,  # each connector of 1.6 is an EVSE here
        status=payload["status"],
        error_code=payload["errorCode"],
        at=parse_time(timestamp) if timestamp else None,
    )


def _start(payload: Payload) -> m.Message:
    return m.StartTransaction(
        connector_number=_connector(payload),
        id_token=m.IdToken(payload["idTag"]),
        import_wh=register_wh(payload["meterStart"], field_name="meterStart"),
        at=parse_time(payload["timestamp"]),
        reservation_id=payload.get("reservationId"),
    )


def _stop(payload: Payload) -> m.Message:
    id_tag = payload.get("idTag")
    return m.StopTransaction(
        transaction_id=str(payload["transactionId"])[:36],
        import_wh=register_wh(payload["meterStop"], field_name="meterStop"),
        at=parse_time(payload["timestamp"]),
        reason=payload.get("reason", "Local"),  # 1.6, 6.49: omitted means Local
        id_token=m.IdToken(id_tag) if id_tag else None,
        meter_values=readable(payload.get("transactionData", [])),
    )


def _connector(payload: Payload) -> int:
    return whole_number(payload["connectorId"], field_name="connectorId", at_most=MAX_EVSE)


def _upload(action: str) -> Callable[[Payload], m.Message]:
    return lambda payload: m.UploadStatus(action, payload["status"], payload.get("requestId"))


def _firmware(action: str) -> Callable[[Payload], m.Message]:
    return lambda payload: m.FirmwareStatus(action, payload["status"], payload.get("requestId"))


_DECODERS: dict[str, Callable[[Payload], m.Message]] = {
    Action.boot_notification: _boot,
    Action.heartbeat: lambda _: m.Heartbeat(),
    Action.status_notification: _status,
    Action.authorize: lambda payload: m.Authorize(m.IdToken(payload["idTag"])),
    Action.start_transaction: _start,
    Action.stop_transaction: _stop,
    Action.data_transfer: lambda payload: m.DataTransfer(payload["vendorId"], payload.get("messageId", "")),
    Action.sign_certificate: lambda payload: m.SigningRequest(payload["csr"]),
    Action.security_event_notification: lambda payload: m.SecurityEvent(
        payload["type"], parse_time(payload["timestamp"]), payload.get("techInfo", "")
    ),
    Action.firmware_status_notification: _firmware(Action.firmware_status_notification),
    Action.signed_firmware_status_notification: _firmware(Action.signed_firmware_status_notification),
    Action.log_status_notification: _upload(Action.log_status_notification),
    Action.diagnostics_status_notification: _upload(Action.diagnostics_status_notification),
}
FROM_STATIONS = frozenset({*_DECODERS, *NEUTRAL})
