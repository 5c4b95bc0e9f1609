"""The device model on the wire of 2.x: reports of values and of monitors, events, and answers to GetVariables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ocpp.v21.enums import Action

from stations.ocpp import messages as m
from stations.ocpp.bounds import whole_number
from stations.ocpp.device import place_of
from stations.ocpp.readings import parse_time

Payload = dict[str, Any]

NOT_THERE = ("UnknownComponent", "UnknownVariable")
MOST_SEVERITY = 9


def variables_of(response: Payload) -> tuple[m.ReportedValue, ...]:
    """What the answer to GetVariables says: values, and variables that the station does not have."""
    return tuple(_answered(response))


def _answered(response: Payload) -> Iterator[m.ReportedValue]:
    for result in response["getVariableResult"]:
        place, status = place_of(result), result["attributeStatus"]
        if status != "Accepted" and status not in NOT_THERE:
            continue  # not this attribute, or not to be read: nothing about its value
        yield m.ReportedValue(
            place.component_text,
            place.name_text,
            result.get("attributeValue", "") if status == "Accepted" else None,
            place=place,
            attribute=result.get("attributeType", "Actual"),
            is_unknown=status in NOT_THERE,
        )


def _report(payload: Payload) -> m.Message:
    values = tuple(value for entry in payload.get("reportData", ()) for value in _reported(entry))
    is_last = not payload.get("tbc", False)
    return m.Report(payload["requestId"], payload["seqNo"], is_last=is_last, values=values)


def _reported(entry: Payload) -> Iterator[m.ReportedValue]:
    """Each attribute of a variable; an actual value too where none was sent, for what is said of all of them."""
    place, said = place_of(entry), entry.get("variableCharacteristics", {})
    attributes = {each.get("type", "Actual"): each for each in entry["variableAttribute"]}
    for kind, attribute in {"Actual": {}, **attributes}.items():
        mutability = attribute.get("mutability", "")
        yield m.ReportedValue(
            component=place.component_text,
            name=place.name_text,
            value=attribute.get("value"),
            readonly=mutability == "ReadOnly" if mutability else None,
            max_limit=said.get("maxLimit"),
            choices=said.get("valuesList", ""),
            place=place,
            attribute=kind,
            mutability=mutability,
            data_type=said.get("dataType", ""),
            unit=said.get("unit", ""),
            min_limit=said.get("minLimit"),
            persistent=attribute.get("persistent"),
            constant=attribute.get("constant"),
            supports_monitoring=said.get("supportsMonitoring"),
        )


def _monitors(payload: Payload) -> m.Message:
    monitors = tuple(
        m.ReportedMonitor(
            place=place_of(entry),
            number=each["id"],
            kind=each["type"],
            value=float(each["value"]),
            severity=_severity(each["severity"]),
            only_in_transactions=each["transaction"],
            made_by=each.get("eventNotificationType", ""),
        )
        for entry in payload.get("monitor", ())
        for each in entry["variableMonitoring"]
    )
    is_last = not payload.get("tbc", False)
    return m.MonitorReport(payload["requestId"], payload["seqNo"], is_last=is_last, monitors=monitors)


def _events(payload: Payload) -> m.Message:
    return m.DeviceEvents(tuple(_event(each) for each in payload["eventData"]))


def _event(each: Payload) -> m.DeviceEvent:
    severity = each.get("severity")
    return m.DeviceEvent(
        place=place_of(each),
        number=each["eventId"],
        at=parse_time(each["timestamp"]),
        trigger=each["trigger"],
        value=each["actualValue"],
        kind=each["eventNotificationType"],
        is_cleared=each.get("cleared", False),
        monitor=each.get("variableMonitoringId"),
        severity=None if severity is None else _severity(severity),
        cause=each.get("cause"),
        code=each.get("techCode", ""),
        info=each.get("techInfo", ""),
        transaction_id=each.get("transactionId", ""),
    )


def _severity(number: int) -> int:
    """0 to 9 (2.0.1, N07); what is beyond counts as the mildest."""
    return whole_number(min(max(number, 0), MOST_SEVERITY), field_name="severity", at_most=MOST_SEVERITY)


DECODERS: dict[str, Callable[[Payload], m.Message]] = {
    Action.notify_report: _report,
    Action.notify_monitoring_report: _monitors,
    Action.notify_event: _events,
}
