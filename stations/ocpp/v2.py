"""OCPP 2.0.1 and 2.1: payloads to messages, answers to payloads. Pure. 2.1 adds to 2.0.1 and takes nothing away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocpp.v21.enums import Action

from stations.ocpp import device_reports, noted
from stations.ocpp import messages as m
from stations.ocpp.bounds import MAX_EVSE, whole_number
from stations.ocpp.directions import not_from_stations
from stations.ocpp.readings import parse_time, readable
from stations.ocpp.v16 import wire_time

Payload = dict[str, Any]

# Answered without meaning; kept as events. MeterValues takes the fast path (stations.ingest).
NEUTRAL_201: frozenset[str] = frozenset()
NEUTRAL_21 = NEUTRAL_201
NEUTRAL = {"2.0.1": NEUTRAL_201, "2.1": NEUTRAL_21}
NOT_IDENTIFIED = "NoAuthorization"  # IdTokenEnumType: a start that needs no identification


def decode(action: str, payload: Payload, version: str = "2.0.1") -> m.Message:
    """The message in a payload that its schema accepts. Raises CallFailed."""
    if action in NEUTRAL[version]:
        return m.Neutral(action, payload)
    decoder = _DECODERS[version].get(action)
    if decoder is None:
        raise not_from_stations(action, version)
    return decoder(payload)


def encode_reply(reply: m.Reply, version: str = "2.0.1") -> Payload:
    """The payload of the CALLRESULT."""
    match reply:
        case m.BootAccepted(now, interval_s):
            return {"status": "Accepted", "currentTime": wire_time(now), "interval": interval_s}
        case m.CurrentTime(now):
            return {"currentTime": wire_time(now)}
        case m.Authorized(verdict):
            return {"idTokenInfo": _id_token_info(verdict)}
        case m.TransactionStarted():
            raise TypeError("only OCPP 1.6 asks for a transaction id")
        case m.TransactionNoted(verdict, total_cost):
            noted: Payload = {"idTokenInfo": _id_token_info(verdict)} if verdict else {}
            return noted if total_cost is None else {**noted, "totalCost": total_cost}
        case m.VendorUnknown():
            return {"status": "UnknownVendorId"}
        case m.SigningAnswered(accepted):
            return {"status": "Accepted" if accepted else "Rejected"}
        case m.NeutralReply(action, asked):
            repeats = _REPEATING.get(action)
            return repeats(asked) if repeats else _neutral_answer(action, version)
        case m.Empty():
            return {}


def component_text(component: Payload) -> str:
    """`EVSE#1`, `Connector#1.2`, `OCPPCommCtrlr[main]`: a component with its instance, EVSE and connector."""
    text = instance_text(component)
    evse = component.get("evse")
    if evse is None:
        return text
    connector = evse.get("connectorId")
    return f"{text}#{evse['id']}" + (f".{connector}" if connector is not None else "")


def instance_text(of: Payload) -> str:
    """`Entries[ChargingProfiles]`: a component's or variable's name, with its instance."""
    instance = of.get("instance")
    return f"{of['name']}[{instance}]" if instance else str(of["name"])


def _neutral_answer(action: str, version: str) -> Payload:
    if version == "2.1" and action == Action.notify_ev_charging_needs:
        # Since 2.1 there is a word for it: the car charges by the profiles that stand (2.1, K18).
        return {"status": "NoChargingProfile"}
    return noted.REQUIRED_IN_NEUTRAL.get(action, {})


def _id_token_info(verdict: m.Verdict) -> Payload:
    info: Payload = {"status": "NotAtThisLocation" if verdict.is_elsewhere else verdict.status}
    if verdict.evses:
        info["evseId"] = list(verdict.evses)
    if verdict.expires_at:
        info["cacheExpiryDateTime"] = wire_time(verdict.expires_at)
    if verdict.group_id:
        info["groupIdToken"] = {"idToken": verdict.group_id, "type": "Central"}
    return info


def _id_token(payload: Payload) -> m.IdToken:
    return m.IdToken(payload["idToken"], needs_check=payload["type"] != NOT_IDENTIFIED)


def _boot(payload: Payload) -> m.Message:
    station = payload["chargingStation"]
    return m.BootNotification(
        vendor=station["vendorName"],
        model=station["model"],
        serial_number=station.get("serialNumber", ""),
        firmware=station.get("firmwareVersion", ""),
        reason=payload["reason"],
    )


def _status(payload: Payload) -> m.Message:
    return m.StatusNotification(
        evse_number=_evse(payload["evseId"]),
        connector_number=whole_number(payload["connectorId"], field_name="connectorId", at_most=MAX_EVSE),
        status=payload["connectorStatus"],
        error_code="",
        at=parse_time(payload["timestamp"]),
    )


def _transaction_event(payload: Payload) -> m.Message:
    info, evse, id_token = payload["transactionInfo"], payload.get("evse"), payload.get("idToken")
    return m.TransactionEvent(
        event_type=payload["eventType"],
        transaction_id=info["transactionId"],
        seq_no=whole_number(payload["seqNo"], field_name="seqNo", at_most=2**31 - 1),
        trigger_reason=payload["triggerReason"],
        at=parse_time(payload["timestamp"]),
        offline=payload.get("offline", False),
        charging_state=info.get("chargingState", ""),
        stopped_reason=info.get("stoppedReason", ""),
        evse_number=_evse(evse["id"]) if evse else None,
        id_token=_id_token(id_token) if id_token else None,
        meter_values=readable(payload.get("meterValue", [])),
        reservation_id=payload.get("reservationId"),
    )


def _reported_profiles(payload: Payload) -> m.Message:
    return m.ReportedProfiles(
        request_id=payload["requestId"],
        evse_number=_evse(payload["evseId"]),
        source=payload["chargingLimitSource"],
        is_last=not payload.get("tbc", False),
        profiles=payload["chargingProfile"],
    )


def _external_limit(payload: Payload) -> m.Message:
    limit = payload["chargingLimit"]
    return m.ExternalLimit(
        evse_number=_evse(payload.get("evseId", 0)),  # 2.0.1, K12.FR.02: no evseId is the whole station
        source=limit["chargingLimitSource"],
        is_grid_critical=limit.get("isGridCritical"),
        is_local_generation=limit.get("isLocalGeneration"),
        schedules=payload.get("chargingSchedule", []),
    )


def _external_limit_cleared(payload: Payload) -> m.Message:
    return m.ExternalLimitCleared(_evse(payload.get("evseId", 0)), payload["chargingLimitSource"])


def _chain_status_unknown(asked: Payload) -> Payload:
    """We ask no certificate authority: each certificate of the question, with a status that says so."""
    answers = [
        {
            "certificateHashData": certificate["certificateHashData"],
            "source": certificate["source"],
            "status": "Failed",
            "nextUpdate": "1970-01-01T00:00:00Z",  # required; already past, so that the station asks again
        }
        for certificate in asked["certificateStatusRequests"]
    ]
    return {"certificateStatus": answers}


def _vat_number_unknown(asked: Payload) -> Payload:
    return {"status": "Rejected", "vatNumber": asked["vatNumber"]}


_REPEATING: dict[str, Callable[[Payload], Payload]] = {
    Action.get_certificate_chain_status: _chain_status_unknown,
    Action.vat_number_validation: _vat_number_unknown,
}


def _evse(number: int) -> int:
    return whole_number(number, field_name="evse.id", at_most=MAX_EVSE)


def _firmware(action: str) -> Callable[[Payload], m.Message]:
    return lambda payload: m.FirmwareStatus(action, payload["status"], payload.get("requestId"))


_DECODERS_201: dict[str, Callable[[Payload], m.Message]] = {
    Action.boot_notification: _boot,
    Action.heartbeat: lambda _: m.Heartbeat(),
    Action.status_notification: _status,
    Action.authorize: lambda payload: m.Authorize(_id_token(payload["idToken"])),
    Action.transaction_event: _transaction_event,
    **device_reports.DECODERS,
    Action.report_charging_profiles: _reported_profiles,
    Action.notify_charging_limit: _external_limit,
    Action.cleared_charging_limit: _external_limit_cleared,
    Action.data_transfer: lambda payload: m.DataTransfer(payload["vendorId"], payload.get("messageId", "")),
    Action.sign_certificate: lambda payload: m.SigningRequest(
        payload["csr"], payload.get("certificateType", ""), payload.get("requestId")
    ),
    Action.security_event_notification: lambda payload: m.SecurityEvent(
        payload["type"], parse_time(payload["timestamp"]), payload.get("techInfo", "")
    ),
    Action.firmware_status_notification: _firmware(Action.firmware_status_notification),
    Action.publish_firmware_status_notification: _firmware(Action.publish_firmware_status_notification),
    Action.log_status_notification: lambda payload: m.UploadStatus(
        Action.log_status_notification, payload["status"], payload.get("requestId")
    ),
    Action.reservation_status_update: lambda payload: m.ReservationStatus(
        payload["reservationId"], payload["reservationUpdateStatus"]
    ),
    **noted.DECODERS_201,
}
_DECODERS_21 = {
    **_DECODERS_201,
    **noted.DECODERS_21,
    Action.notify_priority_charging: lambda payload: m.PriorityCharging(
        payload["transactionId"], payload["activated"]
    ),
    Action.pull_dynamic_schedule_update: lambda payload: m.DynamicUpdateAsked(payload["chargingProfileId"]),
}
_DECODERS = {"2.0.1": _DECODERS_201, "2.1": _DECODERS_21}
FROM_STATIONS = {version: frozenset({*_DECODERS[version], *neutral}) for version, neutral in NEUTRAL.items()}
