"""Reset and power cuts: back soon, with every profile but those of transactions, unless the station forgets."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.simulator.cars import Car
from portal.simulator.simulated import SimulatedStation
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

HOUR_S = 3600


def whole(station: SimulatedStation) -> datetime:
    return station.clock.now().replace(microsecond=0)


async def filled(connect: Connect, desk: Desk, *, speed: float = 60, **options: object) -> SimulatedStation:
    """A station with a maximum of 20 A, 9 A for every session and 7 A for the one that runs."""
    station = await connect(speed=speed, **options)
    now = whole(station) - timedelta(hours=1)  # its clock is fast: another process begins with the true time
    await station.plug_in(1, Car(), "A")
    transaction = await desk.begun(1)
    for evse, profile in (
        (0, desk.profile(1, [(0, 20.0)], purpose="max", start=now)),
        (1, desk.profile(2, [(0, 9.0)], start=now)),
        (1, desk.profile(3, [(0, 7.0)], purpose="tx", level=1, transactionId=transaction)),
    ):
        assert await desk.installs(evse, profile) == "Accepted"
    assert [await desk.limit(1), await desk.limit(2)] == [7.0, 20.0]
    return station


async def back(csms: Csms, station: SimulatedStation) -> None:
    await csms.sees("BootNotification", times=2)
    await csms.until(lambda: station.link.registered, "the boot accepted")


@pytest.mark.parametrize("way", ["Reset", "power"])
@pytest.mark.parametrize(
    ("defect", "left"), [(None, [9.0, 20.0]), ("forgets-profiles-on-reboot", [25.0, 25.0])]
)
async def test_what_is_left_after_a_reboot(
    csms: Csms, connect: Connect, desk: Desk, way: str, defect: str | None, left: list[float]
) -> None:
    station = await filled(connect, desk, defect=defect)
    if way == "Reset":
        assert await desk.resets() == "Accepted"
    else:
        await station.reboot()
    await back(csms, station)
    assert [await desk.limit(1), await desk.limit(2)] == left
    assert len(desk.endings()) == 1
    if not desk.early:
        reasons = [call.payload["reason"] for call in csms.seen("BootNotification")]
        assert reasons == ["PowerUp", "RemoteReset" if way == "Reset" else "PowerUp"]


@pytest.mark.parametrize(
    ("defect", "left"), [(None, [9.0, 20.0]), ("forgets-profiles-on-reboot", [25.0, 25.0])]
)
async def test_what_is_left_after_the_process_was_killed(
    csms: Csms, connect: Connect, desk: Desk, tmp_path: Path, defect: str | None, left: list[float]
) -> None:
    store = tmp_path / "profiles.json"
    station = await filled(connect, desk, defect=defect, profile_store=store)
    await station.disconnect()
    again = await connect(defect=defect, profile_store=store, wait=False)
    await back(csms, again)
    assert [await desk.limit(1), await desk.limit(2)] == left


async def test_forgetting_breaks_nothing_before_the_reboot(connect: Connect, desk: Desk) -> None:
    station = await filled(connect, desk, defect="forgets-profiles-on-reboot")
    await station.disconnect()
    station.reconnect()
    await asyncio.sleep(0.2)
    assert [await desk.limit(1), await desk.limit(2)] == [7.0, 20.0]


@pytest.mark.parametrize("version", ["2.1"], indirect=True)
async def test_it_is_back_soon(csms: Csms, connect: Connect) -> None:
    station = await connect(speed=1)
    began = time.monotonic()
    await station.reboot()
    await back(csms, station)
    assert time.monotonic() - began < 20
    assert csms.connections == 2


@pytest.mark.parametrize(("purpose", "evse"), [("max", 0), ("default", 1), ("tx", 1)])
async def test_ten_periods_are_taken_and_eleven_refused(
    csms: Csms, connect: Connect, desk: Desk, purpose: str, evse: int
) -> None:
    station = await connect(speed=1, defect="ten-periods")
    await station.plug_in(1, Car(), "A")
    extra: dict[str, Any] = {"transactionId": await desk.begun(1)} if purpose == "tx" else {}
    start = None if purpose == "tx" else whole(station)
    answers = []
    for count in (10, 11):
        periods = [(n * 60, 6.0 + n) for n in range(count)]
        profile = desk.profile(count, periods, purpose=purpose, level=count - 10, start=start, **extra)
        answers.append(await desk.installs(evse, profile))
    assert answers == ["Accepted", "Rejected"]
    assert len(await desk.composite(1, 600)) == 10
    assert await states_periods(csms) == "24"


async def states_periods(csms: Csms) -> str:
    if csms.subprotocol == "ocpp1.6":
        answer = await csms.ask("GetConfiguration", {"key": ["ChargingScheduleMaxPeriods"]})
        return str(answer["configurationKey"][0]["value"])
    row = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "PeriodsPerSchedule"}}
    answer = await csms.ask("GetVariables", {"getVariableData": [row]})
    return str(answer["getVariableResult"][0]["attributeValue"])
