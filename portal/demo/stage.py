"""The demo's stations: simulated, in a thread with a loop of its own, and in touch with the portal by socket only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from portal.demo.cast import DRIVER_TOKEN, GUESTS, OTHER_TOKENS, STATIONS, StationRole
from portal.simulator.cars import Car
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import PastSession, StationSpec

# Days ago, hour, hours, kWh in, kWh back, at which of an operator's first two stations the driver was (the others had
# someone else), socket, A per phase.
PAST = (
    (39, 18, 4, 24.9, 0.0, 0, 1, 13.0),
    (33, 8, 2, 11.7, 0.0, 1, 2, 16.0),
    (12, 18, 3, 19.4, 0.0, 0, 1, 11.0),
    (9, 17, 4, 27.2, 0.0, 1, 2, 16.0),
    (6, 8, 2, 12.1, 0.0, 0, 1, 16.0),
    (4, 19, 4, 15.8, 3.1, 1, 1, 8.0),
    (2, 18, 4, 22.6, 4.2, 0, 2, 13.0),
    (1, 17, 3, 17.3, 0.0, 1, 1, 16.0),
)
# A register that rises while power flows out is only seen in samples that are close together.
OFTEN_S, SELDOM_S = 120, 900


class Stage:
    """Starts the stations and lets cars arrive; `stop` ends them all.

    `newcomers`: those that the database does not know yet; they have a past to tell.
    """

    def __init__(
        self, *, url: str, passwords: Mapping[str, str], newcomers: Collection[str], folder: Path
    ) -> None:
        now = datetime.now(UTC)
        folder.mkdir(parents=True, exist_ok=True)
        for identity in newcomers:  # what one of an earlier demo remembers is not known to this database
            for kept in folder.glob(f"{identity}*.json"):
                kept.unlink()
        self._loop = asyncio.new_event_loop()
        self._stations = {
            role.identity: SimulatedStation(
                _spec(
                    role,
                    url=url,
                    password=passwords[role.identity],
                    past=_past(role, now) if role.identity in newcomers else (),
                    folder=folder,
                    now=now,
                )
            )
            for role in STATIONS
        }
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)

    def cars_arrive(self) -> None:
        """The driver's, one of somebody else on the same connection, and elsewhere one that gives back."""
        self._soon(self._stations["ALF-0001"].plug_in(1, Car(soc=0.35, token=DRIVER_TOKEN)))
        self._soon(
            self._stations["ALF-0001"].plug_in(
                2, Car(soc=0.55, max_current_a=16, token=OTHER_TOKENS["alpha"])
            )
        )
        self.car_gives_back("ALF-0002")

    def car_gives_back(self, identity: str) -> None:
        """A car arrives whose battery is full enough to give back at once."""
        car = Car(
            soc=0.8, discharge_a=16, discharges_at=0.8, discharges_to=0.6, token=self._token_at(identity)
        )
        self._soon(self._stations[identity].plug_in(2, car))

    def reboot(self, identity: str) -> None:
        """The station loses its power for a moment."""
        self._soon(self._stations[identity].reboot())

    def _token_at(self, identity: str) -> str:
        return OTHER_TOKENS[next(role.operator for role in STATIONS if role.identity == identity)]

    def _soon(self, doing: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        running = [self._loop.create_task(station.run()) for station in self._stations.values()]
        self._loop.run_forever()
        for task in running:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        self._loop.close()


def _spec(
    role: StationRole, *, url: str, password: str, past: tuple[PastSession, ...], folder: Path, now: datetime
) -> StationSpec:
    phases, amperes = role.connection
    return StationSpec(
        identity=role.identity,
        url=url,
        ocpp=role.ocpp,
        password=password,
        connection=f"{phases}x{amperes}",
        past=past,
        defect=role.defect,
        meter_interval_s=10,
        firmware="4.2.1" if role.operator == "beta" else "7.4.0",
        serial=f"SN-{role.identity}",
        # A meter goes on between two runs of the demo, and never falls.
        import_wh=round((now - datetime(2024, 1, 1, tzinfo=UTC)).total_seconds() / 2),
        profile_store=folder / f"{role.identity}.json",
        memory=folder / f"{role.identity}-memory.json",
    )


def _past(role: StationRole, now: datetime) -> tuple[PastSession, ...]:
    """What the station did before it first reached the portal; the driver charges at Alpha, in one place at a time."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    place = int(role.identity[-1]) - 1
    sessions = []
    guests = GUESTS[role.operator]
    for number, (days, hour, hours, energy_kwh, back_kwh, driver_at, evse, current_a) in enumerate(PAST):
        started_at = midnight - timedelta(days=days) + timedelta(hours=hour)
        is_driver = role.operator == "alpha" and driver_at == place
        sessions.append(
            PastSession(
                evse=evse,
                token=DRIVER_TOKEN if is_driver else guests[(2 * place + number) % len(guests)],
                started_at=started_at,
                ended_at=started_at + timedelta(hours=hours),
                energy_wh=energy_kwh * 1000,
                current_a=current_a,
                discharge_wh=back_kwh * 1000,
                sample_interval_s=OFTEN_S if back_kwh else SELDOM_S,
            )
        )
    # One of today, so that the day's picture has something to show.
    sessions.append(
        PastSession(
            evse=2,
            token=OTHER_TOKENS[role.operator],
            started_at=now - timedelta(hours=7),
            ended_at=now - timedelta(hours=3),
            energy_wh=21_000,
            current_a=13.0,
            discharge_wh=8_000,
            sample_interval_s=OFTEN_S,
        )
    )
    return tuple(sessions)
