"""A restart with two thousand stations that storm back (target 5 of the specification of speed)."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator

import pytest

from stations.credentials import hash_secret
from stations.events import Kind
from stations.models import Event, Presence, Station
from tests.bench.load import PASSWORD, LoadStation, text_frame
from tests.factories import make_site
from tests.fakes.portal import Portal

pytestmark = [pytest.mark.xdist_group("mortal"), pytest.mark.nightly]

COUNT = 2000
WITHIN_S = 30
BOOT = b'[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Sockets are files; the server inherits the limit at its start."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(10_000, usual[1]), usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


async def storm(identities: list[str], port: int) -> float:
    """All connect and boot as they are let in; gives the seconds until the last one is booted."""
    began = time.monotonic()
    stations = await asyncio.gather(*(connect_and_boot(identity, port) for identity in identities))
    while any(station.answered == 0 for station in stations):
        assert time.monotonic() - began < 2 * WITHIN_S
        await asyncio.sleep(0.05)
    took_s = time.monotonic() - began
    assert sum(station.errors for station in stations) == 0
    for station in stations:
        station.transport.abort()
    return took_s


async def connect_and_boot(identity: str, port: int) -> LoadStation:
    loop = asyncio.get_running_loop()
    _, station = await loop.create_connection(
        lambda: LoadStation(identity, port, PASSWORD), "127.0.0.1", port
    )
    await station.open
    station.transport.write(text_frame(BOOT))
    return station


@pytest.mark.usefixtures("_many_files")
def test_all_are_booted_again_soon_after_a_restart(mortal_portal: Portal) -> None:
    site = make_site()
    secret = hash_secret(PASSWORD.encode(), kind=Station.Secret.GENERATED)
    identities = [f"STORM-{number:04}" for number in range(COUNT)]
    Station.objects.bulk_create(
        Station(site=site, identity=identity, ocpp_version="1.6", secret_hash=secret)
        for identity in identities
    )
    mortal_portal.restart()
    asyncio.run(storm(identities, mortal_portal.port))
    mortal_portal.restart()
    took_s = asyncio.run(storm(identities, mortal_portal.port))
    assert took_s < WITHIN_S, f"{COUNT} stations booted again in {took_s:.1f} s"
    assert Event.objects.filter(station__identity__startswith="STORM-", kind=Kind.BOOTED).count() == 2 * COUNT
    assert Presence.objects.filter(station__identity__startswith="STORM-").count() == COUNT
