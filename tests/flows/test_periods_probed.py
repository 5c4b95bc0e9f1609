"""The probe of requirement 207 over a real socket, by a running portal: fakes with habits, and simulated stations."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from portal.compliance import catalogue, probes
from portal.compliance.models import Probe
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from stations.models import Capabilities, Evse, Presence, Station
from tests.compliance.fakes import Clock, FakeStation
from tests.compliance.test_habits import WholeAmperes
from tests.compliance.test_periods import KeepsOnly, TakesOnly
from tests.factories import make_concession, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.station import FakeStation as Line
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")


def asked_for_207(version: str) -> Station:
    """A station of 3 x 25 A with one socket, in a concession that asks for the shipped set."""
    concession = make_concession()
    shipped = catalogue.import_requirements(
        content=catalogue.SHIPPED.read_bytes(), name="Smart charging", version="1", now=timezone.now()
    )
    catalogue.apply_to(concession=concession, requirement_set=shipped)
    station = make_station(
        version=version, concession=concession, password=PASSWORD, connection_a=25, evses=1
    )
    Evse.objects.filter(station=station).update(socket_a=16)
    return station


def probed(station: Station) -> Probe:
    """Asked for here, run by the portal."""
    until(lambda: Presence.objects.filter(station=station, connection__isnull=False).exists())
    probe = probes.start_probe(station=station, code="207", requested_by=None, now=timezone.now())
    until(lambda: not Probe.objects.filter(pk=probe.pk, state__in=Probe.OPEN).exists())
    probe.refresh_from_db()
    return probe


def figures_of(probe: Probe) -> dict[str, Any]:
    assert probe.evidence is not None, probe.reason
    return {figure["key"]: figure["value"] for figure in probe.evidence.figures}


# ---------------------------------------------------------------- stations of the test's own
@dataclass
class OnTheLine(FakeStation):
    """Its answers, given over a socket: it knows no database."""

    def _list(self, payload: dict[str, Any]) -> dict[str, Any]:
        assert not self.profiles
        return {"status": "NoProfiles"}


@dataclass
class RefusesEleven(TakesOnly, OnTheLine):
    pass


@dataclass
class Cuts(KeepsOnly, OnTheLine):
    pass


@dataclass
class Rounds(WholeAmperes, OnTheLine):
    pass


@contextlib.contextmanager
def answering(portal: Portal, station: FakeStation) -> Iterator[None]:
    """The station answers whatever it is asked, until the end of the block."""
    over = threading.Event()

    def answer(line: Line) -> None:
        while not over.is_set():
            if line.is_asked(within_s=0.05):
                question = line.question()
                station.clock.at = datetime.now(UTC)
                try:
                    line.answer(question, station.answer(question.action, question.payload))
                except (KeyError, AssertionError):
                    line.answer_error(question, "NotSupported")

    with Line(portal.port, station.row.identity, version=station.version) as line:
        thread = threading.Thread(target=answer, args=(line,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(5)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize(
    ("kind", "flags", "verdict", "said"),
    [
        (RefusesEleven, {}, "deviation", "at most 10 periods"),
        (Cuts, {}, "deviation", "10 came back"),
        (Rounds, {}, "proven", "all 20 came back"),
        (OnTheLine, {"leaves_defaults_out": True}, "undecided", "while a car charges"),
    ],
    ids=["refuses eleven", "cuts", "rounds", "leaves defaults out"],
)
def test_over_a_socket(
    portal: Portal, version: str, kind: type[FakeStation], flags: dict[str, Any], verdict: str, said: str
) -> None:
    row = asked_for_207(version)
    station = kind(row, Clock(), evses=(1,), **flags)
    with answering(portal, station):
        probe = probed(row)
    assert (probe.verdict, probe.restored) == (verdict, True), probe.reason
    assert said in probe.reason
    assert station.profiles == []


# ---------------------------------------------------------------- simulated stations
@contextlib.contextmanager
def simulated(portal: Portal, row: Station, defect: str | None) -> Iterator[None]:
    """A simulated station on a loop of its own, read out by the portal."""
    spec = StationSpec(
        identity=row.identity,
        url=f"ws://127.0.0.1:{portal.port}/ocpp",
        ocpp=row.ocpp_version,
        password=PASSWORD,
        sockets=1,
        connection="3x25",
        defect=defect,
    )
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(SimulatedStation(spec).run_until(stop),), daemon=True
    )
    thread.start()
    try:
        until(
            lambda: Capabilities.objects.filter(station=row, max_periods__isnull=False).exists(), within_s=60
        )
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_simulated_station_that_takes_ten_periods(portal: Portal, version: str) -> None:
    row = asked_for_207(version)
    with simulated(portal, row, "ten-periods"):
        probe = probed(row)
        assert (probe.verdict, probe.restored) == ("deviation", True), probe.reason
        assert "at most 10 periods" in probe.reason
        assert "states a maximum of 24" in probe.reason
        assert figures_of(probe)["periods_accepted_tx_default"] == 10


@pytest.mark.parametrize(
    ("version", "defect"), [("1.6", None), ("2.0.1", None), ("2.1", None), ("1.6", "no-stacking")]
)
def test_a_simulated_station_that_takes_them_all(portal: Portal, version: str, defect: str | None) -> None:
    row = asked_for_207(version)
    with simulated(portal, row, defect):
        probe = probed(row)
        assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
        figures = figures_of(probe)
        assert figures["periods_seen_station_max"] == figures["periods_seen_tx_default"] == 20
        assert figures["periods_stated"] == 24
