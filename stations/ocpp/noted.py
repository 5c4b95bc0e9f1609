"""Messages of 2.x that move nothing here: which event each becomes, with what is worth reading in it. Pure.

What identifies a driver or a payment (tokens, references, VAT numbers, what a customer's record holds) is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ocpp.v21.enums import Action

from stations.ocpp import messages as m
from stations.ocpp.readings import parse_time

Payload = dict[str, Any]
Fields = Callable[[Payload], Payload]

# A part of a report, or a stream's message, has a few; one that fills a whole frame is in the frame log.
MAX_LISTED = 200
# The lists of a ReportDERControl, and where each has its settings.
DER_LISTS = {
    "curve": "curve",
    "enterService": "enterService",
    "fixedPFAbsorb": "fixedPF",
    "fixedPFInject": "fixedPF",
    "fixedVar": "fixedVar",
    "freqDroop": "freqDroop",
    "gradient": "gradient",
    "limitMaxDischarge": "limitMaxDischarge",
}


# What the schemas require of an answer that means "noted": the one table of neutral answers, for all versions.
# We answer no contract (Get15118EVCertificate), plan no ISO 15118 schedule, know no VAT register. Two answers of 2.1
# repeat a part of the question, one has a better word: stations.ocpp.v2.
REQUIRED_IN_NEUTRAL: dict[str, dict[str, Any]] = {
    "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": {"status": "Failed"},
    "NotifyEVChargingNeeds": {"status": "Rejected"},
    "NotifyEVChargingSchedule": {"status": "Accepted"},
    # 2.1
    # The station opens it because a monitor of ours asked for it (2.1, N11): its data are kept.
    "OpenPeriodicEventStream": {"status": "Accepted"},
    "PullDynamicScheduleUpdate": {"status": "Rejected"},
}


class Topic(NamedTuple):
    """The event that a message becomes: its kind (stations.events.Kind), what is read of it, and when it was."""

    kind: str
    fields: Fields
    time_field: str = "timestamp"


def decode(action: str, topic: Topic, payload: Payload) -> m.Message:
    at = parse_time(payload[topic.time_field]) if topic.time_field in payload else None
    said = {name: value for name, value in topic.fields(payload).items() if value is not None}
    return m.Noted(action, topic.kind, said, at, payload)


def _charging_needs(payload: Payload) -> Payload:
    """What a car asks for over ISO 15118 (K15 to K17): kept; it charges by the profiles that stand."""
    needs = payload["chargingNeeds"]
    ac, dc = needs.get("acChargingParameters", {}), needs.get("dcChargingParameters", {})
    v2x = needs.get("v2xChargingParameters", {})
    return {
        "evse": payload["evseId"],
        "transfer": needs["requestedEnergyTransfer"],
        "available": needs.get("availableEnergyTransfer"),
        "control": needs.get("controlMode"),
        "departure": needs.get("departureTime"),
        "energy_wh": ac.get("energyAmount", dc.get("energyAmount", v2x.get("evTargetEnergyRequest"))),
        "min_a": ac.get("evMinCurrent", v2x.get("minChargeCurrent")),
        "max_a": ac.get("evMaxCurrent", dc.get("evMaxCurrent", v2x.get("maxChargeCurrent"))),
        "max_w": dc.get("evMaxPower", v2x.get("maxChargePower")),
        "max_discharge_w": v2x.get("maxDischargePower"),
        "soc_percent": dc.get("stateOfCharge"),
        "target_soc_percent": v2x.get("targetSoC"),
    }


def _charging_schedule(payload: Payload) -> Payload:
    """The schedule that a car made of the offers to it (K15 to K17): kept; the profiles that stand still count."""
    schedule = payload["chargingSchedule"]
    return {
        "evse": payload["evseId"],
        "unit": schedule["chargingRateUnit"],
        "duration_s": schedule.get("duration"),
        "periods": schedule["chargingSchedulePeriod"][:MAX_LISTED],
        "selected": payload.get("selectedChargingScheduleId"),
        "power_tolerance_accepted": payload.get("powerToleranceAcceptance"),
    }


def _display_messages(payload: Payload) -> Payload:
    """What a display shows: a part of what GetDisplayMessages asked for."""
    shown = [
        {
            "id": each["id"],
            "priority": each["priority"],
            "state": each.get("state"),
            "transaction": each.get("transactionId"),
            "text": each["message"]["content"],
        }
        for each in payload.get("messageInfo", [])[:MAX_LISTED]
    ]
    return {"request": payload["requestId"], "is_last": not payload.get("tbc", False), "messages": shown}


def _customer_information(payload: Payload) -> Payload:
    """That a part of what is known of a customer came; what it says is not kept."""
    return {
        "request": payload["requestId"],
        "seq_no": payload["seqNo"],
        "is_last": not payload.get("tbc", False),
        "characters": len(payload["data"]),
    }


def _certificate_status(payload: Payload) -> Payload:
    """The state of a certificate (OCSP): no authority is asked here, so Failed."""
    asked = payload["ocspRequestData"]
    return {
        "certificates": [{"serial": asked["serialNumber"], "source": "OCSP", "urls": [asked["responderURL"]]}]
    }


def _certificate_chain(payload: Payload) -> Payload:
    """The state of certificates: no authority is asked here, so each is Failed."""
    certificates = [
        {
            "serial": each["certificateHashData"]["serialNumber"],
            "source": each["source"],
            "urls": each["urls"],
        }
        for each in payload["certificateStatusRequests"]
    ]
    return {"certificates": certificates}


def _der_controls(payload: Payload) -> Payload:
    """Settings that the grid operator asks for: a part of what GetDERControl asked for."""
    controls = [
        {
            "id": each["id"],
            "type": each.get("curveType", name),
            "is_default": each.get("isDefault"),
            "is_superseded": each.get("isSuperseded"),
            "priority": each[settings].get("priority"),
        }
        for name, settings in DER_LISTS.items()
        for each in payload.get(name, ())
    ]
    return {
        "request": payload["requestId"],
        "is_last": not payload.get("tbc", False),
        "controls": controls[:MAX_LISTED],
    }


def _battery_swap(payload: Payload) -> Payload:
    """Batteries that came or went; who took them is not kept."""
    batteries = [
        {
            "evse": each["evseId"],
            "serial": each["serialNumber"],
            "soc_percent": each["soC"],
            "soh_percent": each["soH"],
        }
        for each in payload["batteryData"][:MAX_LISTED]
    ]
    return {"request": payload["requestId"], "step": payload["eventType"], "batteries": batteries}


def _stream_opened(payload: Payload) -> Payload:
    """A monitor of ours asked for a stream: accepted, and its data are kept."""
    stream = payload["constantStreamData"]
    return {
        "stream": stream["id"],
        "step": "opened",
        "monitor": stream["variableMonitoringId"],
        "interval_s": stream["params"].get("interval"),
        "values": stream["params"].get("values"),
    }


def _stream_data(payload: Payload) -> Payload:
    """Values of a stream, in seconds after its base time."""
    return {
        "stream": payload["id"],
        "step": "data",
        "pending": payload["pending"],
        "values": [[each["t"], each["v"]] for each in payload["data"][:MAX_LISTED]],
    }


def _ev_certificate(payload: Payload) -> Payload:
    """A contract certificate for a car (ISO 15118): none is given out here, so Failed."""
    return {"step": payload["action"], "schema": payload["iso15118SchemaVersion"]}


def _stream_closed(payload: Payload) -> Payload:
    """A stream has ended."""
    return {"stream": payload["id"], "step": "closed"}


def _der_alarm(payload: Payload) -> Payload:
    """A trouble of the grid began or ended, and which control met it."""
    return {
        "control": payload["controlType"],
        "fault": payload.get("gridEventFault"),
        "ended": payload.get("alarmEnded", False),
        "info": payload.get("extraInfo"),
    }


def _der_control(payload: Payload) -> Payload:
    """A control of the grid operator began or ended."""
    return {
        "control": payload["controlId"],
        "started": payload["started"],
        "superseded": payload.get("supersededIds"),
    }


def _settlement(payload: Payload) -> Payload:
    """A payment at the station was settled or not; no receipt is made here."""
    return {
        "transaction": payload.get("transactionId"),
        "status": payload["status"],
        "amount": payload["settlementAmount"],
        "info": payload.get("statusInfo"),
    }


def _web_payment(payload: Payload) -> Payload:
    """By 2.1 it is the CSMS that tells it the station; one that says it all the same is heard."""
    return {"evse": payload["evseId"], "timeout_s": payload["timeout"]}


def _vat_number(payload: Payload) -> Payload:
    """A VAT number to look up: there is no register here, so Rejected, and it is not kept."""
    return {"evse": payload.get("evseId")}


TOPICS_201 = {
    Action.get15118_ev_certificate: Topic("ev_certificate_asked", _ev_certificate),
    Action.get_certificate_status: Topic("certificate_status_asked", _certificate_status),
    Action.notify_customer_information: Topic("customer_information", _customer_information, "generatedAt"),
    Action.notify_display_messages: Topic("display_messages", _display_messages),
    Action.notify_ev_charging_needs: Topic("ev_charging_needs", _charging_needs),
    Action.notify_ev_charging_schedule: Topic("ev_charging_schedule", _charging_schedule, "timeBase"),
}
TOPICS_21 = {
    Action.battery_swap: Topic("battery_swap", _battery_swap),
    Action.close_periodic_event_stream: Topic("event_stream", _stream_closed),
    Action.get_certificate_chain_status: Topic("certificate_status_asked", _certificate_chain),
    Action.notify_der_alarm: Topic("der_alarm", _der_alarm),
    Action.notify_der_start_stop: Topic("der_control", _der_control),
    Action.notify_settlement: Topic("settlement", _settlement, "settlementTime"),
    Action.notify_web_payment_started: Topic("web_payment_started", _web_payment),
    Action.open_periodic_event_stream: Topic("event_stream", _stream_opened),
    Action.report_der_control: Topic("der_controls_reported", _der_controls),
    Action.vat_number_validation: Topic("vat_number_asked", _vat_number),
}
# SEND (2.1): taken in, never answered.
TOPICS_SENT = {"NotifyPeriodicEventStream": Topic("event_stream", _stream_data, "basetime")}


def _decoders(topics: dict[str, Topic]) -> dict[str, Callable[[Payload], m.Message]]:
    return {action: partial(decode, action, topic) for action, topic in topics.items()}


DECODERS_201, DECODERS_21, SENT = _decoders(TOPICS_201), _decoders(TOPICS_21), _decoders(TOPICS_SENT)
TOPICS = {**TOPICS_201, **TOPICS_21, **TOPICS_SENT}
