"""Bad input on an open socket (rule 14): the right error by name, the socket stays open, and nobody else notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from stations.events import Kind
from stations.framelog import frames_of
from stations.models import Event, MeterReading, Presence, Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

VERSIONS = ("1.6", "2.0.1", "2.1")
AT = "2026-07-01T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Line:
    """A station's row and its open socket."""

    row: Station
    socket: FakeStation

    def bad_frames(self) -> list[dict[str, Any]]:
        rows = Event.objects.filter(station=self.row, kind=Kind.BAD_FRAME).order_by("pk")
        return list(rows.values_list("data", flat=True))


@pytest.fixture
def lines(portal: Portal) -> Iterator[dict[str, Line]]:
    rows = {version: make_station(version=version, password=PASSWORD) for version in VERSIONS}
    opened = {
        version: Line(row, FakeStation(portal.port, row.identity, version=version))
        for version, row in rows.items()
    }
    yield opened
    for line in opened.values():
        line.socket.socket.close()


def boot(version: str, **changes: Any) -> dict[str, Any]:
    if version == "1.6":
        return {"chargePointVendor": "V", "chargePointModel": "M", **changes}
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}, **changes}


def named(version: str, vendor: str) -> dict[str, Any]:
    if version == "1.6":
        return {"chargePointVendor": vendor}
    return {"chargingStation": {"vendorName": vendor, "model": "M"}}


BAD = [
    # frame, id of the answer (None: there is none), code in 1.6, code in 2.0.1
    ("hello", "-1", "ProtocolError", "RpcFrameworkError"),
    ('[2,"a","Heartbeat",{}', "-1", "ProtocolError", "RpcFrameworkError"),
    ("", "-1", "ProtocolError", "RpcFrameworkError"),
    ({"not": "an array"}, "-1", "ProtocolError", "RpcFrameworkError"),
    ([], "-1", "ProtocolError", "RpcFrameworkError"),
    ("[" * 100_000, "-1", "ProtocolError", "RpcFrameworkError"),
    ([2], "-1", "FormationViolation", "FormatViolation"),
    ([2, "short", "Heartbeat"], "short", "FormationViolation", "FormatViolation"),
    ([2, "long", "Heartbeat", {}, {}], "long", "FormationViolation", "FormatViolation"),
    ([2, "list", "Heartbeat", []], "list", "FormationViolation", "FormatViolation"),
    ([2, 7, "Heartbeat", {}], "-1", "FormationViolation", "FormatViolation"),
    ([2, "", "Heartbeat", {}], "-1", "ProtocolError", "RpcFrameworkError"),
    ([2, "i" * 37, "Heartbeat", {}], "-1", "ProtocolError", "RpcFrameworkError"),
    ([2, "act", "MakeCoffee", {}], "act", "NotImplemented", "NotImplemented"),
    ([2, "path", "../v21/schemas/Heartbeat", {}], "path", "NotImplemented", "NotImplemented"),
    ([2, "nul", "Heart\x00beat", {}], "nul", "NotImplemented", "NotImplemented"),
    ([2, "extra", "Heartbeat", {"a": 1}], "extra", "FormationViolation", "FormatViolation"),
    ([2, "n\x00l", "Heartbeat", {"a\x00": 1}], "n\x00l", "FormationViolation", "FormatViolation"),
    (
        [2, "none", "BootNotification", {}],
        "none",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
    ),
    ([9, "type", "Heartbeat", {}], None, "ProtocolError", "MessageTypeNotSupported"),
    (["2", "type", "Heartbeat", {}], None, "ProtocolError", "MessageTypeNotSupported"),
    ([3, "never-asked", {}], None, "ProtocolError", "ProtocolError"),
    ([4, "never-asked", "InternalError", "", {}], None, "ProtocolError", "ProtocolError"),
    ([3, "wrong", []], None, "FormationViolation", "FormatViolation"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_bad_frame_gets_its_error_and_an_event_and_the_socket_stays_open(
    lines: dict[str, Line], version: str
) -> None:
    line = lines[version]
    for number, (frame, answered_id, code_16, code_2) in enumerate(BAD, start=1):
        code = code_16 if version == "1.6" else code_2
        line.socket.send(frame)
        if answered_id is not None:
            answer = line.socket.answer_to(answered_id)
            assert answer[0] == 4, frame
            assert answer[2] == code, frame
        # Whatever it was, the next question is answered, and nothing else comes.
        assert line.socket.call("Heartbeat", {})["currentTime"], frame
        assert line.socket.unread == [], frame
        seen = line.bad_frames()
        assert len(seen) == number, frame
        assert seen[-1]["code"] == code
        assert seen[-1]["description"], frame


@pytest.mark.parametrize("version", VERSIONS)
def test_a_schema_violation_names_its_kind_and_its_field(lines: dict[str, Line], version: str) -> None:
    vendor = "chargePointVendor" if version == "1.6" else "chargingStation"
    cases = [
        (boot(version, **{vendor: 7}), "TypeConstraintViolation"),
        (boot(version, reason="Boredom"), "PropertyConstraintViolation")
        if version != "1.6"
        else (boot(version, chargePointVendor="V" * 21), "PropertyConstraintViolation"),
    ]
    for payload, code in cases:
        answer = lines[version].socket.ask("BootNotification", payload)
        assert answer[2] == code
        assert answer[4]["field"] in payload
        assert answer[4]["field"] in answer[3]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_frame_log_shows_what_was_sent_and_what_was_answered(
    lines: dict[str, Line], version: str
) -> None:
    line = lines[version]
    line.socket.send("this is \x00 not a frame")
    answer = line.socket.answer_to("-1")
    shown = {(one.direction, one.kind): one.text for one in frames_of(line.row)}
    assert shown["in", "broken"].startswith("this is ")
    assert "\x00" not in shown["in", "broken"]
    assert json.loads(shown["out", "error"]) == answer


def test_a_nul_in_a_text_is_taken_in_with_a_mark_in_its_place(lines: dict[str, Line]) -> None:
    """PostgreSQL takes no NUL in a text; refused, the station would repeat a transaction for ever (rule 6)."""
    for version, line in lines.items():
        assert (
            line.socket.call("BootNotification", boot(version) | named(version, "a\x00b"))["status"]
            == "Accepted"
        )
        line.row.refresh_from_db()
        assert line.row.vendor == "a\ufffdb"
    start = {"connectorId": 1, "idTag": "A\x00", "meterStart": 0, "timestamp": AT}
    one = lines["1.6"].socket
    number = one.call("StartTransaction", start)["transactionId"]
    one.call("StopTransaction", {"transactionId": number, "meterStop": 3, "timestamp": AT, "idTag": "A\x00"})
    event = {
        "eventType": "Ended",
        "timestamp": AT,
        "triggerReason": "StopAuthorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t\x001"},
        "idToken": {"idToken": "A\x00", "type": "Local"},
        "evse": {"id": 1, "customData": {"vendorId": "V", "a\x00": ["\x00"]}},
    }
    for version in ("2.0.1", "2.1"):
        assert lines[version].socket.call("TransactionEvent", event)["idTokenInfo"]
    for version, line in lines.items():
        value = {"timestamp": AT, "sampledValue": [{"value": "5" if version == "1.6" else 5.0}]}
        sample = {"connectorId" if version == "1.6" else "evseId": 1, "meterValue": [value]}
        assert line.socket.call("MeterValues", sample, message_id="m\x001") == {}, version
        session = line.row.sessions.get()
        assert session.state == "ended", version
        assert session.transaction_id == str(number) if version == "1.6" else "t\ufffd1"
        assert line.bad_frames() == [], version


def test_a_nul_in_a_value_that_the_schema_refuses_is_quoted_without_harm(lines: dict[str, Line]) -> None:
    answer = lines["1.6"].socket.ask(
        "StatusNotification", {"connectorId": 1, "errorCode": "No\x00", "status": "Available"}
    )
    assert answer[2] == "PropertyConstraintViolation"
    assert len(lines["1.6"].bad_frames()) == 1


def test_a_binary_frame_is_read_as_text(lines: dict[str, Line]) -> None:
    for line in lines.values():
        line.socket.send(json.dumps([2, "binary", "Heartbeat", {}]).encode())
        assert line.socket.answer_to("binary")[0] == 3
        line.socket.send(b"\xff\xfe\x00")
        assert line.socket.answer_to("-1")[0] == 4


def test_a_text_that_is_not_utf8_closes_that_socket(lines: dict[str, Line]) -> None:
    lines["1.6"].socket.socket.send(b'[2,"\xff","Heartbeat",{}]', text=True)
    assert lines["1.6"].socket.closed_with() == 1007
    until(lambda: Presence.objects.get(station=lines["1.6"].row).connection is None)
    event = Event.objects.get(station=lines["1.6"].row, kind=Kind.DISCONNECTED)
    assert event.data["reason"].startswith("closed with 1007")
    assert lines["2.0.1"].socket.call("Heartbeat", {})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_huge_frame_closes_that_socket_and_says_why(lines: dict[str, Line], version: str) -> None:
    line, other = lines[version], next(one for key, one in lines.items() if key != version)
    line.socket.send([2, "huge", "Heartbeat", {"a": "x" * 1024 * 1024}])
    assert line.socket.closed_with() == 1009
    until(lambda: Presence.objects.get(station=line.row).connection is None)
    event = Event.objects.get(station=line.row, kind=Kind.DISCONNECTED)
    assert event.data["reason"].startswith("closed with 1009 ")
    assert "262144 bytes" in event.data["reason"]
    assert other.socket.call("Heartbeat", {})


def test_numbers_without_end_are_taken_or_refused_by_name(lines: dict[str, Line]) -> None:
    """1e300 makes the validator of the `ocpp` package raise decimal.InvalidOperation; 1e999 is no JSON number."""
    limit = {"chargingLimitSource": "EMS"}
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1e300}],
    }
    two = lines["2.0.1"].socket
    assert two.call("NotifyChargingLimit", {"chargingLimit": limit, "chargingSchedule": [schedule]}) == {}
    two.send(
        '[2,"inf","NotifyChargingLimit",{"chargingLimit":{"chargingLimitSource":"EMS"},"chargingSchedule":[{"id":1,'
        '"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":1e999,"limit":1e999}]}]}]'
    )
    assert two.answer_to("inf" if two.is_answered("inf") else "-1")[0] == 4
    for value in ("1e300", "1e999", "-1e999", "nan", "١٢"):
        sample = {"timestamp": AT, "sampledValue": [{"value": value}]}
        assert lines["1.6"].socket.call("MeterValues", {"connectorId": 1, "meterValue": [sample]}) == {}
    assert two.call("Heartbeat", {})


@pytest.mark.parametrize("number", [-1, -32_769, 32_768, 10**9, 10**18])
def test_a_connector_that_cannot_be_is_refused_by_name(lines: dict[str, Line], number: int) -> None:
    sample = {"timestamp": AT, "sampledValue": [{"value": "1", "context": "Sample.Clock"}]}
    status = {"connectorId": number, "errorCode": "NoError", "status": "Available"}
    start = {"connectorId": number, "idTag": "A", "meterStart": 0, "timestamp": AT}
    one = lines["1.6"].socket
    for action, payload in (
        ("MeterValues", {"connectorId": number, "meterValue": [sample]}),
        ("StatusNotification", status),
        ("StartTransaction", start),
    ):
        assert one.ask(action, payload)[2] == "PropertyConstraintViolation", action
    assert not MeterReading.objects.filter(station=lines["1.6"].row).exists()
    event = {
        "eventType": "Started",
        "timestamp": AT,
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t1"},
        "evse": {"id": number},
    }
    two = lines["2.0.1"].socket
    assert two.ask("TransactionEvent", event)[2] == "PropertyConstraintViolation"
    sample = {"timestamp": AT, "sampledValue": [{"value": 1.0}]}
    assert (
        two.ask("MeterValues", {"evseId": number, "meterValue": [sample]})[2] == "PropertyConstraintViolation"
    )


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026"]
)
def test_a_time_that_is_none_is_refused_by_name(lines: dict[str, Line], text: str) -> None:
    sample = {"timestamp": text, "sampledValue": [{"value": "1"}]}
    one = lines["1.6"].socket
    payloads = {
        "MeterValues": {"connectorId": 1, "meterValue": [sample]},
        "StartTransaction": {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": text},
    }
    for action, payload in payloads.items():
        answer = one.ask(action, payload)
        # "2026" alone is a whole year to some; Python's parser refuses it.
        assert answer[0] == 4, (action, answer)
        assert answer[2] in {"PropertyConstraintViolation", "FormationViolation"}


def test_json_as_deep_as_the_parser_takes_is_answered(lines: dict[str, Line]) -> None:
    for depth in (50, 300, 1000):
        inside: Any = '{"a":' * depth + "1" + "}" * depth
        text = f'[2,"deep{depth}","DataTransfer",{{"vendorId":"V","data":{inside}}}]'
        for line in lines.values():
            line.socket.send(text)
            assert line.socket.answer_to(f"deep{depth}")[0] in (3, 4), (depth, line.row.ocpp_version)
