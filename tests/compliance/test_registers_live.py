"""Requirement 211 from end to end: stations that were offline tell their past to a portal that runs, and it judges."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from portal.compliance.models import Evidence
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from stations.models import Station
from tests.compliance.discharging import v2g
from tests.compliance.fakes import make_asking_concession
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

CAST = (
    ("1.6", None, "proven"),
    ("2.0.1", "single-register", "deviation"),
    ("2.1", "netted-register", "deviation"),
    ("2.1", None, "proven"),
)


async def _until(stop: threading.Event, specs: list[StationSpec]) -> None:
    running = [asyncio.create_task(SimulatedStation(spec).run()) for spec in specs]
    await asyncio.to_thread(stop.wait)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@contextlib.contextmanager
def telling(specs: list[StationSpec]) -> Iterator[None]:
    """All of them at once, beside the test: only its own thread looks at the portal's database."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_until(stop, specs)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _judged() -> set[str]:
    rows = Evidence.objects.filter(requirement__code="211", method="observation")
    return set(rows.values_list("station__identity", flat=True))


def test_a_past_through_the_socket_becomes_evidence(portal: Portal) -> None:
    concession = make_asking_concession(slug="levend")
    yesterday = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=1)
    specs, wanted = [], {}
    for version, defect, verdict in CAST:
        station: Station = make_station(
            version=version, concession=concession, connection_a=25, password=PASSWORD
        )
        wanted[station.identity] = verdict
        specs.append(
            StationSpec(
                station.identity,
                f"ws://127.0.0.1:{portal.port}/ocpp",
                ocpp=version,
                password=PASSWORD,
                defect=defect,
                past=(v2g(yesterday, sample_interval_s=900, discharge_wh=11_000.0),),
                boot_s=0.1,
            )
        )
    with telling(specs):
        until(lambda: _judged() >= set(wanted), within_s=60)
    rows = Evidence.objects.filter(requirement__code="211", method="observation", concession=concession)
    assert {row.station.identity: row.verdict for row in rows if row.station} == wanted
    assert {row.firmware for row in rows} == {"1.0.0"}
    call_command("verify_evidence", concession="levend")
    call_command("reproduce", concession="levend")
