"""A station introduces itself, keeps in touch, and says what is wrong when it is turned away."""

from __future__ import annotations

import asyncio

import pytest

from portal.simulator.link import StationRefusedError, address
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk


async def test_it_boots_and_tells_the_status_of_every_socket(
    csms: Csms, connect: Connect, version: str
) -> None:
    await connect(firmware="3.2.1", vendor="Acme", model="Twin")
    boot = csms.calls[0]
    assert boot.action == "BootNotification"
    if version == "1.6":
        assert boot.payload["chargePointVendor"] == "Acme"
        assert boot.payload["firmwareVersion"] == "3.2.1"
        told = {
            call.payload["connectorId"]: call.payload["status"] for call in csms.seen("StatusNotification")
        }
        assert told == {0: "Available", 1: "Available", 2: "Available"}
    else:
        assert boot.payload["reason"] == "PowerUp"
        assert boot.payload["chargingStation"]["firmwareVersion"] == "3.2.1"
        told = {
            call.payload["evseId"]: call.payload["connectorStatus"]
            for call in csms.seen("StatusNotification")
        }
        assert told == {1: "Available", 2: "Available"}


async def test_it_says_nothing_else_until_its_boot_is_accepted(csms: Csms, connect: Connect) -> None:
    csms.boots = ["Pending", "Rejected"]
    await connect(speed=6000)  # told to wait 300 s twice
    assert [call.action for call in csms.calls[:4]] == ["BootNotification"] * 3 + ["StatusNotification"]


async def test_heartbeats_come_at_the_interval_of_the_boot_answer(csms: Csms, connect: Connect) -> None:
    await connect(speed=6000)
    await csms.sees("Heartbeat", times=3)


async def test_it_comes_back_after_a_lost_connection_without_booting_again(
    csms: Csms, connect: Connect
) -> None:
    await connect()
    assert csms.socket is not None
    statuses = len(csms.seen("StatusNotification"))
    await csms.socket.close()
    await csms.sees("StatusNotification", times=statuses * 2)
    assert csms.connections == 2
    assert len(csms.seen("BootNotification")) == 1


@pytest.mark.parametrize(
    ("identity", "password", "told"),
    [
        ("ST-1", "wrong", "HTTP 401.*--password"),
        ("ST-1", None, "HTTP 401.*--password"),
        ("ST-9", "secret", "HTTP 404.*add_station"),
    ],
)
async def test_a_refusal_says_what_to_do(
    csms: Csms, version: str, identity: str, password: str | None, told: str
) -> None:
    station = SimulatedStation(StationSpec(identity, csms.url, ocpp=version, password=password))
    with pytest.raises(StationRefusedError, match=told):
        await asyncio.wait_for(station.run(), 60)


async def test_no_version_in_common_says_so(csms: Csms, version: str) -> None:
    other = "2.0.1" if version == "1.6" else "1.6"
    station = SimulatedStation(StationSpec("ST-1", csms.url, ocpp=other, password="secret"))
    with pytest.raises(StationRefusedError, match="--ocpp"):
        await asyncio.wait_for(station.run(), 60)


async def test_the_password_stays_out_of_the_log(
    csms: Csms, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="portal.simulator")
    csms.password = "Sesame-Open-77"
    await connect(password="Sesame-Open-77")
    assert "ST-1: connected" in caplog.text
    assert "Sesame" not in caplog.text


def test_the_identity_is_appended_once() -> None:
    assert address("ws://host/ocpp/", "A 1") == "ws://host/ocpp/A%201"
    assert address("ws://host/ocpp/ST-1", "ST-1") == "ws://host/ocpp/ST-1"


async def test_what_is_triggered_comes(csms: Csms, connect: Connect, desk: Desk, version: str) -> None:
    await connect()
    for message in ("Heartbeat", "BootNotification", "MeterValues", "StatusNotification"):
        before = len(csms.seen(message))
        assert await desk.triggers(message) == "Accepted"
        await csms.sees(message, times=before + 1)
    assert await desk.triggers("FirmwareStatusNotification") == "Accepted"
    await csms.sees("FirmwareStatusNotification", status="Idle")
    of_files = "DiagnosticsStatusNotification" if version == "1.6" else "LogStatusNotification"
    assert await desk.triggers(of_files) == "Accepted"
    await csms.sees(of_files, status="Idle")
