"""A CSMS, and stations that connect to it, for as long as a test lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from portal.simulator.clock import Clock
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

VERSIONS = ("1.6", "2.0.1", "2.1")
Connect = Callable[..., Awaitable[SimulatedStation]]


def station_of(spec: StationSpec, *, speed: float = 60.0, on_the_clock: bool = False) -> SimulatedStation:
    """Says nothing on the clock, else a quarter-hour that passes would bring readings between those of a test."""
    station = SimulatedStation(spec, clock=Clock(speed=speed))
    if not on_the_clock:
        is_16 = spec.ocpp == "1.6"
        name, component = ("ClockAlignedDataInterval", "") if is_16 else ("Interval", "AlignedDataCtrlr")
        station.station.dialect.settings.change(name, "0", component)
    return station


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def csms(version: str) -> AsyncIterator[Csms]:
    """Afterwards: every frame the station sent fitted the schema of its version."""
    csms = Csms(subprotocol=f"ocpp{version}")
    await csms.start()
    yield csms
    await csms.stop()
    assert csms.faults == []


@pytest.fixture
async def connect(csms: Csms, version: str) -> AsyncIterator[Connect]:
    """Start a station, by default 60 times as fast as time and without readings on the clock; wait until it booted."""
    running: list[asyncio.Task[None]] = []

    async def start(
        *, speed: float = 60.0, wait: bool = True, on_the_clock: bool = False, **options: Any
    ) -> SimulatedStation:
        spec = StationSpec(
            **{"identity": "ST-1", "url": csms.url, "ocpp": version, "password": "secret"} | options
        )
        station = station_of(spec, speed=speed, on_the_clock=on_the_clock)
        running.append(asyncio.create_task(station.run()))
        if wait:
            await csms.sees("StatusNotification", times=3 if version == "1.6" else 2)
        return station

    yield start
    for task in running:
        task.cancel()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        assert isinstance(outcome, asyncio.CancelledError), outcome


@pytest.fixture
def desk(csms: Csms, version: str) -> Desk:
    return Desk(csms, version)
