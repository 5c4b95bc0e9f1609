"""A stop in order (SIGTERM), as with every new version: stations are told, and what they said is kept."""

from __future__ import annotations

import pytest

from stations.models import MeterReading, Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("mortal")


def test_a_stop_closes_the_sockets_with_1012_and_gives_the_leases_back(mortal_portal: Portal) -> None:
    stations = [make_station(password=PASSWORD) for _ in range(5)]
    lines = [FakeStation(mortal_portal.port, one.identity) for one in stations]
    sample = {"timestamp": "2026-07-01T12:00:00Z", "sampledValue": [{"value": "1"}]}
    for line in lines:
        line.call("MeterValues", {"connectorId": 1, "meterValue": [sample]})
    mortal_portal.stop()
    assert [line.closed_with() for line in lines] == [1012] * 5
    assert not Presence.objects.filter(station__in=stations, connection__isnull=False).exists()
    assert MeterReading.objects.filter(station__in=stations).count() == 5
    mortal_portal.start()
    with FakeStation(mortal_portal.port, stations[0].identity) as line:
        assert line.call("Heartbeat", {})
    until(lambda: Presence.objects.get(station=stations[0]).connection is None)
