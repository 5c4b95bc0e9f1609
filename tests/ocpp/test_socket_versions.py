"""OCPP 2.1 on the line, and a station that comes back with another version than it was known by."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from stations import commands
from stations.events import Kind
from stations.framelog import frames_of
from stations.models import Capabilities, Command, ConfigurationValue, Event, MeterReading, Presence, Station
from tests.factories import make_capabilities, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.ocpp.conversation import happened

pytestmark = pytest.mark.xdist_group("portal")

AT = "2026-07-01T12:00:00Z"
BOOT = {"reason": "FirmwareUpdate", "chargingStation": {"vendorName": "V", "model": "M"}}
LIMIT_21 = {
    "id": 5,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Dynamic",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint": -4000.0}]}
    ],
}  # fmt: skip


def ask(station: Station, action: str, payload: dict[str, Any]) -> Command:
    return commands.request(station=station, action=action, payload=payload, now=timezone.now())


def connected_as(portal: Portal, station: Station, version: str) -> list[str]:
    """Connect once in `version`; the commands that the station then gets."""
    with FakeStation(portal.port, station.identity, version=version) as line:
        line.call("Heartbeat", {})
        asked = []
        while line.is_asked():
            question = line.question()
            asked.append(question.action)
            line.answer_error(question, "InternalError")
        return asked


@pytest.mark.parametrize(
    ("known", "spoken"), [("2.0.1", "2.1"), ("2.1", "2.0.1"), ("1.6", "2.1"), ("2.1", "1.6")]
)
def test_the_version_that_was_agreed_on_is_the_one_that_counts(
    portal: Portal, known: str, spoken: str
) -> None:
    station = make_station(version=known, password=PASSWORD)
    for _ in range(2):
        connected_as(portal, station, spoken)
    station.refresh_from_db()
    assert station.ocpp_version == spoken
    assert Presence.objects.get(station=station).ocpp_version == spoken
    said = {"before": known, "ocpp_version": spoken, "withdrawn": 0}
    assert happened(station, "ocpp_changed") == [said], "said once, not at each connection"


def test_a_station_that_speaks_what_it_is_known_by_says_nothing_new(portal: Portal) -> None:
    station = make_station(version="2.1", password=PASSWORD)
    connected_as(portal, station, "2.1")
    assert happened(station, "ocpp_changed") == []
    assert happened(station, "connected") == [{"ocpp_version": "2.1"}]


def test_commands_that_wait_are_sent_only_in_words_that_the_station_has(portal: Portal) -> None:
    """Its firmware went back to 2.0.1: a reset is the same in both, a setpoint is not, and is not sent."""
    station = make_station(version="2.1", password=PASSWORD)
    setpoint = ask(station, "SetChargingProfile", {"evseId": 1, "chargingProfile": LIMIT_21})
    update = ask(
        station, "UpdateDynamicSchedule", {"chargingProfileId": 5, "scheduleUpdate": {"setpoint": 1}}
    )
    reset = ask(station, "Reset", {"type": "OnIdle"})
    assert connected_as(portal, station, "2.0.1") == ["Reset"]
    until(lambda: Command.objects.get(pk=reset.pk).state == "failed")
    withdrawn = Command.objects.filter(pk__in=[setpoint.pk, update.pk])
    assert {row.state for row in withdrawn} == {"cancelled"}
    assert all("another version than OCPP 2.0.1" in row.error for row in withdrawn)
    assert happened(station, "ocpp_changed")[0]["withdrawn"] == 2
    lost = Event.objects.filter(station=station, kind=Kind.COMMAND_LOST).values_list("data__state", flat=True)
    assert list(lost) == ["cancelled", "cancelled"], "who asked is told"


@pytest.mark.parametrize(
    ("known", "spoken", "is_kept"), [("1.6", "2.1", False), ("2.1", "1.6", False), ("2.0.1", "2.1", True)]
)
def test_what_was_read_in_another_model_is_known_no_more(
    portal: Portal, known: str, spoken: str, is_kept: bool
) -> None:
    station = make_station(version=known, password=PASSWORD)
    make_capabilities(station)
    ConfigurationValue.objects.create(station=station, name="X", value="1", read_at=timezone.now())
    connected_as(portal, station, spoken)
    assert Capabilities.objects.filter(station=station).exists() == is_kept
    assert ConfigurationValue.objects.filter(station=station).exists() == is_kept


def test_a_station_of_21_boots_charges_and_is_read_as_one_of_201(portal: Portal) -> None:
    station = make_station(version="2.0.1", password=PASSWORD, evses=1)
    with FakeStation(
        portal.port, station.identity, version="2.1", subprotocols=("ocpp2.0.1", "ocpp2.1")
    ) as line:
        assert line.call("BootNotification", BOOT)["status"] == "Accepted"
        event = {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t-1", "operationMode": "CentralSetpoint"},
            "evse": {"id": 1},
            "preconditioningStatus": "Ready",
            # A type that only 2.1 has room for: types are free text there.
            "idToken": {"idToken": "04C0FFEE2100", "type": "Telepathy"},
        }
        assert line.call("TransactionEvent", event)["idTokenInfo"]["status"] == "Invalid"
        sampled = [
            {"value": 12.5, "measurand": "Energy.Active.Export.Register", "unitOfMeasure": {"unit": "kWh"}},
            {"value": 7.0, "measurand": "Energy.Active.Setpoint.Interval"},
            {"value": 3.0, "measurand": "Energy.Active.Import.Register", "location": "Upstream"},
        ]
        sample = {"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": sampled}]}
        assert line.call("MeterValues", sample) == {}
    reading = MeterReading.objects.get(station=station)
    assert (reading.export_wh, reading.import_wh) == (12500.0, None), (
        "upstream of the outlet is another register"
    )
    session = station.sessions.get()
    assert (session.transaction_id, session.evse_number, session.state) == ("t-1", 1, "active")
    everything = " ".join(one.text for one in frames_of(station))
    assert "CentralSetpoint" in everything
    assert "04C0FFEE2100" not in everything
    assert "Telepathy" not in everything, "a type that we do not know may be anything"


def test_what_201_does_not_have_is_not_taken_in_201(portal: Portal) -> None:
    """Each version by its own schemas, on sockets side by side."""
    frames: list[tuple[str, dict[str, Any]]] = [
        ("NotifyPriorityCharging", {"transactionId": "t-1", "activated": True}),
        (
            "NotifyChargingLimit",
            {"chargingLimit": {"chargingLimitSource": "DSO-NL", "isLocalGeneration": True}},
        ),
    ]
    codes = {}
    for version in ("2.0.1", "2.1"):
        station = make_station(version=version, password=PASSWORD)
        with FakeStation(portal.port, station.identity, version=version) as line:
            codes[version] = [line.ask(action, payload)[2] for action, payload in frames]
    assert codes["2.1"] == [{}, {}]
    assert codes["2.0.1"][0] == "NotImplemented"
    assert codes["2.0.1"][1] in ("FormatViolation", "PropertyConstraintViolation")


def test_an_answer_of_21_counts_by_the_schema_of_21(portal: Portal) -> None:
    station = make_station(version="2.1", password=PASSWORD)
    payload = {"evseId": 1, "duration": 60, "chargingRateUnit": "W"}
    period = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -3000.0}
    schedule = {
        "evseId": 1,
        "duration": 60,
        "scheduleStart": AT,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [period],
    }
    with FakeStation(portal.port, station.identity, version="2.1") as line:
        line.call("Heartbeat", {})
        command = ask(station, "GetCompositeSchedule", payload)
        line.answer(line.question("GetCompositeSchedule"), {"status": "Accepted", "schedule": schedule})
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    assert Command.objects.get(pk=command.pk).response == {"status": "Accepted", "schedule": schedule}
