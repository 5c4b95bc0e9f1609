"""SIGKILL under load (rule 10): nothing that was acknowledged is lost, and nothing is double after the retries."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from stations.models import ChargingSession, MeterReading, TransactionEvent
from tests.factories import make_site, make_station
from tests.fakes.busy_station import SAMPLES, BusyStation
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD

pytestmark = pytest.mark.xdist_group("mortal")


async def charge_until_killed(stations: list[BusyStation], portal: Portal, after_s: float) -> None:
    """All of them, all the time; the server is killed in the middle of it."""
    never = asyncio.Event()
    charging = asyncio.gather(*(station.charge(portal.port, never) for station in stations))
    await asyncio.sleep(after_s)
    assert not charging.done()
    portal.kill()
    await asyncio.wait_for(charging, 60)


async def come_to_an_end(stations: list[BusyStation], portal: Portal) -> None:
    """They repeat what was not acknowledged, go on for a moment, and stop between two messages."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)
    await asyncio.gather(*(station.charge(portal.port, stop) for station in stations))


@pytest.mark.parametrize(
    ("count", "kills", "seconds"),
    [(24, 2, 1.0), pytest.param(200, 10, 5.0, marks=pytest.mark.nightly)],
)
def test_nothing_acknowledged_is_lost_and_nothing_is_double(
    mortal_portal: Portal, count: int, kills: int, seconds: float
) -> None:
    site = make_site()
    stations = []
    for number in range(count):
        version = ("1.6", "2.0.1", "2.1")[number % 3]
        row = make_station(version=version, password=PASSWORD, site=site)
        stations.append(BusyStation(row.identity, version, repeats_with_new_id=number % 4 > 1))
    for _ in range(kills):
        asyncio.run(charge_until_killed(stations, mortal_portal, seconds))
        mortal_portal.start()
    asyncio.run(come_to_an_end(stations, mortal_portal))

    assert sum(station.repeated for station in stations) > 0, "no kill hit a message on its way"
    for station in stations:
        assert station.pending is None
        check_rows(station)


def check_rows(station: BusyStation) -> None:
    """By now every message of the station was acknowledged: the rows are exactly these, each once."""
    sessions = ChargingSession.objects.filter(station__identity=station.identity)
    assert Counter(sessions.values_list("started_at", flat=True)) == Counter(station.starts)
    assert Counter(sessions.filter(state="ended").values_list("ended_at", flat=True)) == Counter(
        station.stops
    )
    assert not sessions.filter(state="orphan").exists()
    readings = MeterReading.objects.filter(station__identity=station.identity)
    assert Counter(readings.values_list("sampled_at", flat=True)) == Counter(station.samples)
    if station.version != "1.6":
        for session in sessions.filter(state="ended"):
            kept = TransactionEvent.objects.filter(session=session).values_list("seq_no", flat=True)
            assert list(kept) == list(range(SAMPLES + 2))
