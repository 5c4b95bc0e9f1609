"""The device model as rows: every attribute of a report, its parts counted, values set and what the station said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations import commands, configuring, device_model, monitoring
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationValue,
    DeviceReading,
    Station,
    VariableMonitor,
)
from stations.ocpp.device import Place
from stations.tasks import settle_lost
from tests.device.rows import entry, make_value, read, report
from tests.factories import NOW, make_station
from tests.ocpp.conversation import answer, happened, say, wire

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(minutes=1)


def value_of(station: Station, name: str, attribute: str = "Actual") -> ConfigurationValue:
    return ConfigurationValue.objects.get(station=station, name=name, attribute=attribute)


def outcome(station: Station) -> dict[str, tuple[str, str]]:
    rows = ConfigurationChange.objects.filter(station=station)
    return {row.name: (row.state, row.reason) for row in rows}


def want(station: Station, **values: str) -> Command:
    """Values of keys (1.6), or of variables of TxCtrlr."""
    component = "" if station.ocpp_version == "1.6" else "TxCtrlr"
    wishes = [configuring.wish(Place(name, component), value) for name, value in values.items()]
    rows = configuring.set_values(station=station, wishes=wishes, requested_by=None, now=NOW)
    assert rows[0].command is not None
    return rows[0].command


# ---------------------------------------------------------------- what is read
def test_a_report_is_kept_with_all_that_it_says() -> None:
    station = make_station(version="2.1")
    target = {"type": "Target", "value": "30", "mutability": "WriteOnly", "persistent": True}
    read(
        station,
        [
            entry(
                "Connector[left]#1.2", "Limit[AC]", "16", dataType="integer", unit="A", minLimit=6.0,
                maxLimit=32.0, supportsMonitoring=True, attributes=[target],
            )
        ],
    )  # fmt: skip
    row = value_of(station, "Limit[AC]")
    assert (row.component, row.value, row.mutability, row.is_writable) == (
        "Connector[left]#1.2", "16", "ReadWrite", True,
    )  # fmt: skip
    assert (row.data_type, row.unit, row.min_limit, row.max_limit) == ("integer", "A", 6, 32)
    assert row.supports_monitoring is True
    assert row.place == Place("Limit", "Connector", "AC", "left", 1, 2)
    assert value_of(station, "Limit[AC]", "Target").value == "30"
    assert value_of(station, "Limit[AC]", "Target").persistent is True


def test_a_secret_in_a_report_is_not_kept() -> None:
    station = make_station(version="2.0.1")
    read(station, [entry("SecurityCtrlr", "BasicAuthPassword", "hunter2-hunter2")])
    assert value_of(station, "BasicAuthPassword").value == "•••"


def test_the_parts_of_a_report_are_counted_and_what_is_not_in_it_is_no_more() -> None:
    station = make_station(version="2.0.1")
    make_value(station, "Old", "1", "Gone", read_at=NOW - dt.timedelta(days=1))
    command = device_model.read_all(station=station, now=NOW)
    assert command is not None
    assert device_model.read_all(station=station, now=NOW) is None, "it is being asked"
    answer(command, {"status": "Accepted"})
    number = command.payload["requestId"]
    part = {"requestId": number, "generatedAt": wire(NOW), "reportData": [entry("A", "B", "1")]}
    say(station, "NotifyReport", {**part, "seqNo": 0, "tbc": True})
    say(station, "NotifyReport", {**part, "seqNo": 0, "tbc": True})
    reading = DeviceReading.objects.get()
    assert (reading.state, reading.parts) == ("coming", [0])
    say(station, "NotifyReport", {**part, "seqNo": 2})
    assert DeviceReading.objects.get().state == "coming", "the last part is not all of them"
    say(station, "NotifyReport", {**part, "seqNo": 1, "tbc": True})
    assert DeviceReading.objects.get().state == "complete"
    assert not ConfigurationValue.objects.filter(name="Old").exists()


def test_a_station_that_gives_no_report_says_so() -> None:
    station = make_station(version="2.0.1")
    command = device_model.read_all(station=station, now=NOW)
    assert command is not None
    answer(command, {"status": "NotSupported", "statusInfo": {"reasonCode": "Busy"}}, state="refused")
    reading = DeviceReading.objects.get()
    assert (reading.state, reading.reason) == ("failed", "NotSupported, Busy")


def test_keys_that_a_station_does_not_have_are_noted() -> None:
    station = make_station()
    command = commands.request(
        station=station, action="GetConfiguration", payload={"key": ["x", "y"]}, now=NOW
    )
    said = {"configurationKey": [{"key": "x", "readonly": True, "value": "1"}], "unknownKey": ["y"]}
    answer(command, said)
    assert value_of(station, "y").is_unknown
    assert not value_of(station, "x").is_unknown
    assert value_of(station, "x").is_writable is False


# ---------------------------------------------------------------- what is set
def test_16_is_asked_key_by_key_and_each_has_its_outcome() -> None:
    station = make_station()
    make_value(station, "HeartbeatInterval", "300")
    want(station, HeartbeatInterval="60", Light="5", Nothing="1", Missing="1")
    said = ["RebootRequired", "Accepted", "Rejected", "NotSupported"]
    for command, status in zip(Command.objects.order_by("pk"), said, strict=True):
        assert command.action == "ChangeConfiguration"
        refused = status in ("Rejected", "NotSupported")
        answer(command, {"status": status}, state="refused" if refused else "accepted", now=LATER)
    assert outcome(station) == {
        "HeartbeatInterval": ("reboot", ""),
        "Light": ("accepted", ""),
        "Nothing": ("rejected", "Rejected"),
        "Missing": ("missing", "NotSupported"),
    }
    row = value_of(station, "HeartbeatInterval")
    assert (row.value, row.reboot_asked_at) == ("60", LATER)
    assert ConfigurationChange.objects.get(name="HeartbeatInterval").before == "300"


def test_2x_is_asked_in_as_few_questions_as_fit_and_says_of_each_variable_what_it_did() -> None:
    station = make_station(version="2.0.1")
    make_value(station, "ItemsPerMessage[SetVariables]", "2", "DeviceDataCtrlr")
    command = want(station, First="1", Second="2", Third="3")
    assert [len(each.payload["setVariableData"]) for each in Command.objects.order_by("pk")] == [2, 1]

    def result(name: str, status: str, **more: Any) -> dict[str, Any]:
        return {**Place(name, "txctrlr").wire(), "attributeStatus": status, **more}

    no = {"attributeStatusInfo": {"reasonCode": "ReadOnly", "additionalInfo": "fixed at the factory"}}
    results = [result("second", "Rejected", **no), result("First", "RebootRequired")]
    answer(command, {"setVariableResult": results})
    assert outcome(station)["First"] == ("reboot", "")
    assert outcome(station)["Second"] == ("rejected", "ReadOnly, fixed at the factory")
    assert outcome(station)["Third"] == ("asked", "")


def test_a_place_is_named_to_the_station_exactly_as_it_was_reported() -> None:
    station = make_station(version="2.1")
    read(station, [entry("Connector[left]#1.2", "Limit[AC]", "16")])
    row = value_of(station, "Limit[AC]")
    wishes = [configuring.wish(row.place, "20", "MaxSet")]
    configuring.set_values(station=station, wishes=wishes, requested_by=None, now=NOW)
    data = Command.objects.get(action="SetVariables").payload["setVariableData"]
    component = {"name": "Connector", "instance": "left", "evse": {"id": 1, "connectorId": 2}}
    variable = {"name": "Limit", "instance": "AC"}
    assert data == [
        {"attributeType": "MaxSet", "attributeValue": "20", "component": component, "variable": variable}
    ]


def test_a_secret_that_is_set_stands_in_no_row_as_it_is() -> None:
    station = make_station()
    command = want(station, ApnPassword="hunter2-hunter2")
    row = ConfigurationChange.objects.get()
    assert "hunter2" not in repr(vars(row))
    answer(command, {"status": "Accepted"})
    row.refresh_from_db()
    assert (row.state, row.value, row.sealed_value) == ("accepted", "•••", "")


def test_a_value_that_the_wire_does_not_take_has_failed_with_its_reason() -> None:
    station = make_station()
    rows = configuring.set_values(
        station=station, wishes=[configuring.wish(Place("Long"), "x" * 501)], requested_by=None, now=NOW
    )
    assert rows[0].state == "failed"
    assert "value" in rows[0].reason
    assert not Command.objects.exists()


def test_no_answer_is_unknown_and_one_that_comes_late_still_counts() -> None:
    station = make_station()
    command = want(station, Light="5")
    Command.objects.filter(pk=command.pk).update(state="sent", sent_at=NOW)
    settle_lost(command.pk)
    assert outcome(station) == {"Light": ("asked", "")}
    Command.objects.filter(pk=command.pk).update(state="unknown")
    settle_lost(command.pk)
    assert outcome(station) == {"Light": ("unknown", "")}
    answer(command, {"status": "Accepted"})
    assert outcome(station) == {"Light": ("accepted", "")}


# ---------------------------------------------------------------- monitors
def monitor(station: Station, **said: Any) -> VariableMonitor:
    wanted = {"kind": "UpperThreshold", "value": 60.0, "severity": 3, **said}
    place = Place("Temperature", "ChargingStation")
    return monitoring.set_monitor(station=station, place=place, requested_by=None, now=NOW, **wanted)


def monitor_result(row: VariableMonitor, status: str, **more: Any) -> dict[str, Any]:
    said = {**row.place.wire(), "type": row.kind, "severity": row.severity, "status": status, **more}
    return {"setMonitoringResult": [said]}


def test_a_monitor_is_set_tells_and_is_cleared() -> None:
    station = make_station(version="2.0.1")
    row = monitor(station)
    assert row.command is not None
    answer(row.command, monitor_result(row, "Accepted", id=7))
    row.refresh_from_db()
    assert (row.state, row.number) == ("set", 7)
    told = {
        "eventId": 1, "timestamp": wire(NOW), "trigger": "Alerting", "actualValue": "61.5",
        "eventNotificationType": "CustomMonitor", "variableMonitoringId": 7, **row.place.wire(),
    }  # fmt: skip
    assert say(station, "NotifyEvent", {"generatedAt": wire(NOW), "seqNo": 0, "eventData": [told]}) == {}
    event = happened(station, "device_event")[0]
    assert (event["severity"], event["component"], event["variable"], event["value"]) == (
        3, "ChargingStation", "Temperature", "61.5",
    )  # fmt: skip
    command = monitoring.clear_monitor(monitor=row, requested_by=None, now=NOW)
    assert command is not None
    assert command.payload == {"id": [7]}
    answer(command, {"clearMonitoringResult": [{"id": 7, "status": "Accepted"}]})
    assert not VariableMonitor.objects.exists()


def test_a_monitor_that_is_refused_says_why() -> None:
    station = make_station(version="2.0.1")
    row = monitor(station)
    assert row.command is not None
    info = {"reasonCode": "NoSensor"}
    answer(row.command, monitor_result(row, "UnsupportedMonitorType", statusInfo=info))
    row.refresh_from_db()
    assert (row.state, row.reason) == ("refused", "UnsupportedMonitorType, NoSensor")


def test_a_report_of_monitors_replaces_what_was_known() -> None:
    station = make_station(version="2.1")
    gone = VariableMonitor.objects.create(
        station=station, component="A", name="B", number=1, kind="Delta", value=1, severity=5,
        read_at=NOW - dt.timedelta(days=1),
    )  # fmt: skip
    command = device_model.read_monitors(station=station, now=NOW)
    assert command is not None
    answer(command, {"status": "Accepted"})
    said = {
        "id": 2, "transaction": True, "value": 10.0, "type": "TargetDelta", "severity": 4,
        "eventNotificationType": "HardWiredMonitor",
    }  # fmt: skip
    payload = {
        "requestId": command.payload["requestId"], "seqNo": 0, "generatedAt": wire(NOW),
        "monitor": [{**Place("Power", "EVSE", evse=1).wire(), "variableMonitoring": [said]}],
    }  # fmt: skip
    for _repeat in range(2):
        assert say(station, "NotifyMonitoringReport", payload) == {}
    row = VariableMonitor.objects.get()
    assert row.pk != gone.pk
    assert (row.component, row.number, row.only_in_transactions, row.made_by) == (
        "EVSE#1", 2, True, "HardWiredMonitor",
    )  # fmt: skip
    assert DeviceReading.objects.get().state == "complete"


def test_a_secret_that_a_monitor_tells_is_masked_and_thousands_of_events_are_not_kept() -> None:
    station = make_station(version="2.0.1")
    told = {
        "eventId": 1, "timestamp": wire(NOW), "trigger": "Delta", "actualValue": "hunter2",
        "eventNotificationType": "HardWiredNotification", **Place("BasicAuthPassword", "SecurityCtrlr").wire(),
    }  # fmt: skip
    say(station, "NotifyEvent", {"generatedAt": wire(NOW), "seqNo": 0, "eventData": [told] * 205})
    events = happened(station, "device_event")
    assert len(events) == monitoring.MOST_EVENTS + 1
    assert events[-1] == {"severity": None, "left_out": 5}
    assert events[0]["value"] == "•••"


def test_a_report_that_nobody_asked_for_is_kept_too() -> None:
    station = make_station(version="2.0.1")
    report(station, [entry("A", "B", "1")], request_id=99)
    assert value_of(station, "B").value == "1"
