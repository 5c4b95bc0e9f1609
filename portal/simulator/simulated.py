"""Puts a simulated station together from its description."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import MutableMapping
from typing import Any

from portal.simulator import defects
from portal.simulator.cars import Car
from portal.simulator.clock import Clock
from portal.simulator.defects import Defect
from portal.simulator.dialect import Dialect
from portal.simulator.limits import Limit
from portal.simulator.link import Link
from portal.simulator.memory import Memory
from portal.simulator.metering import Meter
from portal.simulator.schedules import Schedules
from portal.simulator.sockets import Socket
from portal.simulator.spec import StationSpec, connection
from portal.simulator.station import Station
from portal.simulator.storing import Capabilities
from portal.simulator.v2 import Speech2
from portal.simulator.v2_answers import Answers2
from portal.simulator.v16 import Speech16
from portal.simulator.v16_answers import Answers16
from portal.simulator.v21_answers import Answers21

METERS_APART_WH = 412_000.0


class _Named(logging.LoggerAdapter[logging.Logger]):
    """Puts the station's identity in front of every line."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return f"{self.extra['identity'] if self.extra else '?'}: {msg}", kwargs


class SimulatedStation:
    """One OCPP charging station; everything of it runs in the event loop that awaits `run`."""

    def __init__(self, spec: StationSpec, *, clock: Clock | None = None) -> None:
        self.spec = spec
        self.clock = clock or Clock()
        log = _Named(logging.getLogger("portal.simulator"), {"identity": spec.identity})
        able = Capabilities()
        dialect: Dialect = Speech16(spec, able) if spec.ocpp == "1.6" else Speech2(spec, able)
        self.link = Link(
            url=spec.url,
            identity=spec.identity,
            password=spec.password,
            version=dialect.version,
            clock=self.clock,
            log=log,
        )
        self.station = Station(
            spec,
            dialect=dialect,
            schedules=_schedules(spec, dialect, able),
            link=self.link,
            clock=self.clock,
            log=log,
            sockets=_sockets(spec),
            memory=Memory(spec.memory),
        )
        answers: dict[str, type[Answers16 | Answers2]] = {
            "1.6": Answers16,
            "2.0.1": Answers2,
            "2.1": Answers21,
        }
        self.link.answer = answers[spec.ocpp](self.station).answer
        self.limit_externally(spec.external_limit_a)

    async def run(self) -> None:
        """Until cancelled. StationRefusedError when the CSMS turns the station away at the door."""
        await self.station.run()

    async def run_until(self, stop: asyncio.Event) -> None:
        """As `run`, but until `stop` is set; transactions are ended first, so that none stays open."""
        running, stopping = asyncio.create_task(self.run()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await self.station.power_off()
        finally:
            stopping.cancel()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def plug_in(self, evse: int, car: Car, token: str | None = None) -> bool:
        """A car arrives at `evse`; True when a transaction began."""
        return await self.station.plug_in(evse, car, token or car.token)

    async def unplug(self, evse: int) -> None:
        await self.station.unplug(evse)

    async def reboot(self) -> None:
        """A power cycle: transactions end, the connection drops, and `boot_s` later the station boots with the
        profiles it stored (none for a station that forgets them)."""
        await self.station.reboot("PowerLoss", boot_reason="PowerUp")

    def limit_externally(self, amperes: float | None) -> None:
        """Somebody else than the CSMS limits the whole station per phase; None: no longer. 2.x says so."""
        self.station.limit_externally(amperes)

    async def disconnect(self) -> None:
        """Lose the connection and stay away; charging goes on, messages are kept."""
        await self.link.disconnect()

    def reconnect(self) -> None:
        self.link.reconnect()


def _schedules(spec: StationSpec, dialect: Dialect, able: Capabilities) -> Schedules:
    defect = defects.named(spec.defect)
    phases, grid_a = connection(spec.connection)
    hardware = {evse: Limit(min(spec.socket_a, grid_a), phases) for evse in range(1, spec.sockets + 1)}
    return Schedules(
        hardware={0: Limit(grid_a, phases)} | hardware,
        capabilities=able,
        read=dialect.read_profile,
        path=spec.profile_store,
        one_per_purpose=defect.one_profile_per_purpose,
        most_periods=defect.most_periods,
        forgetful=defect.forgets_profiles,
        rules_of_16=spec.ocpp == "1.6",
    )


def _sockets(spec: StationSpec) -> dict[int, Socket]:
    defect = defects.named(spec.defect)
    return {
        evse: Socket(evse, spec.socket_a, _meter(spec, evse, defect)) for evse in range(1, spec.sockets + 1)
    }


def _meter(spec: StationSpec, evse: int, defect: Defect) -> Meter:
    """Of its own for each socket: two that show the same would look like one."""
    return Meter(spec.import_wh + (evse - 1) * METERS_APART_WH, spec.export_wh, defect=defect)
