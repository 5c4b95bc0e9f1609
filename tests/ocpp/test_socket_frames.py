"""What an operator can read of the line: every frame, both ways, without a token or a secret in it."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from stations import commands
from stations.framelog import frames_of
from stations.models import Command, ConfigurationValue, Event, Frame, MeterReading
from tests.factories import make_station, make_token
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

TOKEN = "04DEADBEEF77"
SECRET = "correct-horse-battery"
AT = "2026-07-01T12:00:00Z"


def test_every_frame_is_there_once_in_order_and_in_both_directions(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {}, message_id="one")
        sample = {"timestamp": AT, "sampledValue": [{"value": "1"}]}
        line.call("MeterValues", {"connectorId": 1, "meterValue": [sample]}, message_id="two")
        commands.request(
            station=station, action="GetConfiguration", payload={"key": ["K"]}, now=timezone.now()
        )
        line.answer(line.question("GetConfiguration"), {"unknownKey": ["K"]})
        until(lambda: Frame.objects.filter(station=station, action="GetConfiguration").count() == 2)
    said = [(one.direction, one.kind, one.action) for one in reversed(frames_of(station))]
    assert said == [
        ("in", "call", "Heartbeat"),
        ("out", "result", "Heartbeat"),
        ("in", "call", "MeterValues"),
        ("out", "result", "MeterValues"),
        ("out", "call", "GetConfiguration"),
        ("in", "result", "GetConfiguration"),
    ]
    assert [json.loads(one.text)[1] for one in reversed(frames_of(station))][:4] == [
        "one",
        "one",
        "two",
        "two",
    ]
    # The readings keep that message; it is not written a second time.
    assert not Frame.objects.filter(station=station, action="MeterValues").exists()


def test_a_token_is_nowhere_to_be_read_but_still_charges(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    make_token(TOKEN, operator=station.site.operator)
    with FakeStation(portal.port, station.identity) as line:
        assert line.call("Authorize", {"idTag": TOKEN})["idTagInfo"]["status"] == "Accepted"
        start = {"connectorId": 1, "idTag": TOKEN, "meterStart": 5, "timestamp": AT}
        number = line.call("StartTransaction", start)["transactionId"]
        stop = {"transactionId": number, "idTag": TOKEN.lower(), "meterStop": 9, "timestamp": AT}
        line.call("StopTransaction", stop)
        # Broken frames and refused ones are shown too, and hold no more of it.
        line.send(f'[2,"x","Authorize",{{"idTag":"{TOKEN}"')
        line.answer_to("-1")
        line.ask("Authorize", {"idTag": TOKEN * 3})
        line.ask("Authorize", {"idTag": TOKEN, "id_tag": TOKEN})
        line.ask("DataTransfer", {"vendorId": "V", "data": json.dumps({"idTag": TOKEN})})
    everything = [one.text for one in frames_of(station)]
    assert len(everything) == 14
    assert not [text for text in everything if TOKEN.lower() in text.lower()]
    assert not [event.data for event in Event.objects.filter(station=station) if TOKEN in str(event.data)]


def test_a_token_of_2_0_1_is_masked_too(portal: Portal) -> None:
    station = make_station(version="2.0.1", password=PASSWORD)
    with FakeStation(portal.port, station.identity, version="2.0.1") as line:
        token = {"idToken": TOKEN, "type": "ISO14443"}
        line.call("Authorize", {"idToken": token})
        event = {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t-1"},
            "evse": {"id": 1},
            "idToken": token,
        }
        line.call("TransactionEvent", event)
    everything = " ".join(one.text for one in frames_of(station))
    assert "t-1" in everything
    assert TOKEN not in everything


def test_a_readable_password_of_the_station_is_kept_nowhere(portal: Portal) -> None:
    """`AuthorizationKey` readable in GetConfiguration: masked, wherever it is kept."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        asked = commands.request(station=station, action="GetConfiguration", payload={}, now=timezone.now())
        keys = [
            {"key": "AuthorizationKey", "readonly": False, "value": SECRET},
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        ]
        line.answer(line.question(), {"configurationKey": keys})
        until(lambda: Command.objects.get(pk=asked.pk).state == "accepted")
        changed = commands.request(
            station=station,
            action="ChangeConfiguration",
            payload={"key": "AuthorizationKey", "value": SECRET + "2"},
            now=timezone.now(),
        )
        # The station gets it as it is.
        question = line.question("ChangeConfiguration")
        assert question.payload["value"] == SECRET + "2"
        line.answer(question, {"status": "Accepted"})
        until(lambda: Command.objects.get(pk=changed.pk).state == "accepted")
    kept = [
        *(one.text for one in frames_of(station)),
        *(row.value for row in ConfigurationValue.objects.filter(station=station)),
        str(Command.objects.get(pk=asked.pk).response),
    ]
    assert "300" in kept
    assert not [text for text in kept if SECRET in text]


def test_meter_values_that_name_a_token_are_masked(portal: Portal) -> None:
    """A vendor puts more into a message than it should: customData is open in 2.0.1."""
    station = make_station(version="2.0.1", password=PASSWORD)
    sample = {"timestamp": AT, "sampledValue": [{"value": 1.0}]}
    said = {"evseId": 1, "meterValue": [sample], "customData": {"vendorId": "V", "idTag": TOKEN}}
    with FakeStation(portal.port, station.identity, version="2.0.1") as line:
        assert line.call("MeterValues", said) == {}
    assert MeterReading.objects.get(station=station).import_wh == 1.0
    assert not [one.text for one in frames_of(station) if TOKEN in one.text]
