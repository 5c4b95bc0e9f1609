"""OCPP 2.0.1 and 2.1: payloads to messages, answers to payloads. Pure. 2.1 adds to 2.0.1 and takes nothing away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocpp.v21.enums import Action

from stations.ocpp import messages as m
from stations.ocpp.readings import parse_time
from stations.ocpp.v16 import wire_time

Payload = dict[str, Any]

# Answered without meaning; kept as events. MeterValues takes the fast path (stations.ingest).
NEUTRAL_201 = frozenset(
    {
        Action.cleared_charging_limit,
        Action.get15118_ev_certificate,
        Action.get_certificate_status,
        Action.log_status_notification,
        Action.notify_charging_limit,
        Action.notify_customer_information,
        Action.notify_display_messages,
        Action.notify_ev_charging_needs,
        Action.notify_ev_charging_schedule,
        Action.notify_event,
        Action.notify_monitoring_report,
        Action.report_charging_profiles,
        Action.reservation_status_update,
        Action.sign_certificate,
    }
)
NEUTRAL_21 = NEUTRAL_201 | {
    Action.battery_swap,
    Action.notify_der_alarm,
    Action.notify_der_start_stop,
    Action.notify_priority_charging,
    Action.notify_settlement,
    Action.open_periodic_event_stream,
    Action.close_periodic_event_stream,
    Action.pull_dynamic_schedule_update,
    Action.notify_web_payment_started,
    Action.report_der_control,
}
NEUTRAL = {"2.0.1": NEUTRAL_201, "2.1": NEUTRAL_21}
NOT_IDENTIFIED = "NoAuthorization"  # IdTokenEnumType: a start that needs no identification


def decode(action: str, payload: Payload, version: str = "2.0.1") -> m.Message:
    """The message in a payload that its schema accepts. Raises CallFailed."""
    if action in NEUTRAL[version]:
        return m.Neutral(action, payload)
    decoder = _DECODERS.get(action)
    if decoder is None:
        raise m.not_from_stations(action, version)
    return decoder(payload)


def encode_reply(reply: m.Reply) -> Payload:
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
        case m.TransactionNoted(verdict):
            return {"idTokenInfo": _id_token_info(verdict)} if verdict else {}
        case m.VendorUnknown():
            return {"status": "UnknownVendorId"}
        case m.NeutralReply(action):
            return m.REQUIRED_IN_NEUTRAL.get(action, {})
        case m.Empty():
            return {}


def variables_of(response: Payload) -> tuple[m.ReportedValue, ...]:
    """The variables in the answer to GetVariables that the station has."""
    return tuple(
        m.ReportedValue(
            component_text(result["component"]),
            instance_text(result["variable"]),
            result.get("attributeValue", ""),
        )
        for result in response["getVariableResult"]
        if result["attributeStatus"] == "Accepted" and result.get("attributeType", "Actual") == "Actual"
    )


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


def _id_token_info(verdict: m.Verdict) -> Payload:
    info: Payload = {"status": verdict.status}
    if verdict.expires_at:
        info["cacheExpiryDateTime"] = wire_time(verdict.expires_at)
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
        connector_number=m.whole_number(payload["connectorId"], field_name="connectorId", at_most=m.MAX_EVSE),
        status=payload["connectorStatus"],
        error_code="",
        at=parse_time(payload["timestamp"]),
    )


def _transaction_event(payload: Payload) -> m.Message:
    info, evse, id_token = payload["transactionInfo"], payload.get("evse"), payload.get("idToken")
    return m.TransactionEvent(
        event_type=payload["eventType"],
        transaction_id=info["transactionId"],
        seq_no=m.whole_number(payload["seqNo"], field_name="seqNo", at_most=2**31 - 1),
        trigger_reason=payload["triggerReason"],
        at=parse_time(payload["timestamp"]),
        offline=payload.get("offline", False),
        charging_state=info.get("chargingState", ""),
        stopped_reason=info.get("stoppedReason", ""),
        evse_number=_evse(evse["id"]) if evse else None,
        id_token=_id_token(id_token) if id_token else None,
        meter_values=m.readable(payload.get("meterValue", [])),
    )


def _report(payload: Payload) -> m.Message:
    values = tuple(_reported(entry) for entry in payload.get("reportData", ()))
    is_last = not payload.get("tbc", False)
    return m.Report(payload["requestId"], payload["seqNo"], is_last=is_last, values=values)


def _reported(entry: Payload) -> m.ReportedValue:
    actual: Payload = next(
        (each for each in entry["variableAttribute"] if each.get("type", "Actual") == "Actual"), {}
    )
    characteristics = entry.get("variableCharacteristics", {})
    mutability = actual.get("mutability")
    return m.ReportedValue(
        component=component_text(entry["component"]),
        name=instance_text(entry["variable"]),
        value=actual.get("value"),
        readonly=mutability == "ReadOnly" if mutability else None,
        max_limit=characteristics.get("maxLimit"),
        choices=characteristics.get("valuesList", ""),
    )


def _evse(number: int) -> int:
    return m.whole_number(number, field_name="evse.id", at_most=m.MAX_EVSE)


def _firmware(action: str) -> Callable[[Payload], m.Message]:
    return lambda payload: m.FirmwareStatus(action, payload["status"], payload.get("requestId"))


_DECODERS: dict[str, Callable[[Payload], m.Message]] = {
    Action.boot_notification: _boot,
    Action.heartbeat: lambda _: m.Heartbeat(),
    Action.status_notification: _status,
    Action.authorize: lambda payload: m.Authorize(_id_token(payload["idToken"])),
    Action.transaction_event: _transaction_event,
    Action.notify_report: _report,
    Action.data_transfer: lambda payload: m.DataTransfer(payload["vendorId"], payload.get("messageId", "")),
    Action.security_event_notification: lambda payload: m.SecurityEvent(
        payload["type"], parse_time(payload["timestamp"]), payload.get("techInfo", "")
    ),
    Action.firmware_status_notification: _firmware(Action.firmware_status_notification),
    Action.publish_firmware_status_notification: _firmware(Action.publish_firmware_status_notification),
}
FROM_STATIONS = {version: frozenset({*_DECODERS, *neutral}) for version, neutral in NEUTRAL.items()}
