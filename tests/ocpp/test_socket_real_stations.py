"""What was seen from real stations, on the line itself; and that an answer means: it is durable (rule 10)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from stations import commands
from stations.events import Kind
from stations.models import ChargingSession, Command, Event, MeterReading, Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def meter_values(version: str, second: int, wh: float, **more: Any) -> dict[str, Any]:
    sampled: dict[str, Any] = {"value": str(wh) if version == "1.6" else wh}
    value = {"timestamp": (AT + timedelta(seconds=second)).isoformat(), "sampledValue": [sampled]}
    return {"connectorId" if version == "1.6" else "evseId": 1, "meterValue": [value], **more}


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_what_is_acknowledged_can_be_read_by_another_process_at_once(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as line:
        for second in range(50):
            assert line.call("MeterValues", meter_values(version, second, 100.0 + second)) == {}
            assert MeterReading.objects.filter(station=station, import_wh=100 + second).count() == 1


def test_there_is_no_answer_before_it_is_written(portal: Portal) -> None:
    """Another process holds the database for a moment: the station waits for its answer, and gets it."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        with transaction.atomic():  # on SQLite that alone holds all writers back
            if connection.vendor == "postgresql":
                connection.cursor().execute("LOCK TABLE stations_meterreading IN ACCESS EXCLUSIVE MODE")
            line.send([2, "waits", "MeterValues", meter_values("1.6", 0, 5.0)])
            assert not line.is_answered("waits", within_s=0.7)
        assert line.answer_to("waits") == [3, "waits", {}]
        assert MeterReading.objects.filter(station=station).count() == 1


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_sample_that_is_repeated_is_there_once(portal: Portal, version: str) -> None:
    """Some repeat under the same message id, others under a new one; clock-aligned ones have no transaction."""
    station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as line:
        for message_id in ("a", "a", "b"):
            assert line.call("MeterValues", meter_values(version, 0, 5.0), message_id=message_id) == {}
    reading = MeterReading.objects.get(station=station)
    assert (reading.evse_number, reading.transaction_id, reading.import_wh) == (1, "", 5.0)
    assert json.loads(reading.message)[1] == "a"


def test_a_start_under_the_same_id_and_under_a_new_one_is_one_transaction(portal: Portal) -> None:
    """The same transaction stopped twice with different message ids; and started so."""
    station = make_station(password=PASSWORD)
    start = {"connectorId": 1, "idTag": "A", "meterStart": 7, "timestamp": AT.isoformat()}
    with FakeStation(portal.port, station.identity) as line:
        numbers = {
            line.call("StartTransaction", start, message_id=message_id)["transactionId"]
            for message_id in ("a", "a", "b")
        }
        # The same transaction, stopped twice under other ids, and one that was never started here.
        for message_id, number in (("c", min(numbers)), ("d", min(numbers)), ("e", 2**31 - 1), ("f", -1)):
            stop = {
                "transactionId": number,
                "meterStop": 9,
                "timestamp": (AT + timedelta(hours=1)).isoformat(),
            }
            line.call("StopTransaction", stop, message_id=message_id)
    assert len(numbers) == 1
    sessions = ChargingSession.objects.filter(station=station)
    assert sessions.get(state="ended").energy_wh == 2.0
    assert sessions.filter(state="orphan").count() == 2


def test_json_on_the_line_is_compact(portal: Portal) -> None:
    """Send compact JSON (no space after a colon): some clients match text."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        line.send('[2,"a","Heartbeat",{}]')
        assert str(line.socket.recv(60)).startswith('[3,"a",{"currentTime":"')
        line.send('[2,"b","NoSuchThing",{}]')
        assert str(line.socket.recv(60)).startswith('[4,"b","NotImplemented","')
        commands.request(
            station=station,
            action="ChangeConfiguration",
            payload={"key": "K", "value": "1"},
            now=timezone.now(),
        )
        assert str(line.socket.recv(60)).endswith(',"ChangeConfiguration",{"key":"K","value":"1"}]')


def test_a_station_that_hangs_up_on_an_error_is_welcome_again(portal: Portal) -> None:
    """An unknown CALL of the vendor's own; a client that closes with 1006 on the CALLERROR that it gets."""
    station = make_station(password=PASSWORD)
    for _ in range(3):
        line = FakeStation(portal.port, station.identity)
        assert line.ask("VendorSpecial", {"serial": 1})[2] == "NotImplemented"
        line.drop()
        until(lambda: Presence.objects.get(station=station).connection is None)
    with FakeStation(portal.port, station.identity) as again:
        assert again.call("Heartbeat", {})


def test_a_socket_that_stays_open_over_a_reset_serves_the_station_after_it(portal: Portal) -> None:
    """A socket that stays open over a Reset."""
    station = make_station(password=PASSWORD)
    boot = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"}
    with FakeStation(portal.port, station.identity) as line:
        line.call("BootNotification", boot)
        line.answer(line.question("GetConfiguration"), {"configurationKey": []})
        reset = commands.request(
            station=station, action="Reset", payload={"type": "Hard"}, now=timezone.now()
        )
        line.answer(line.question("Reset"), {"status": "Accepted"})
        line.call("BootNotification", {**boot, "firmwareVersion": "2"})
        # It may have become another station: it is asked anew what it can do.
        line.answer(line.question("GetConfiguration"), {"configurationKey": []})
        until(lambda: not Command.objects.filter(station=station).exclude(state="accepted").exists())
    assert Command.objects.get(pk=reset.pk).state == "accepted"
    boots = Event.objects.filter(station=station, kind=Kind.BOOTED).order_by("pk")
    assert [one.data["firmware_changed"] for one in boots] == [False, True]
    assert Event.objects.filter(station=station, kind=Kind.CONNECTED).count() == 1
