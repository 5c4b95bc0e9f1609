"""A line that swallows all: neither side is told, and pings find it."""

from __future__ import annotations

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from stations import commands
from stations.models import Command, Presence, Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.proxy import Proxy
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.faults.breaking import have_ended

pytestmark = pytest.mark.xdist_group("portal")


def ask(station: Station) -> Command:
    return commands.request(station=station, action="ClearCache", payload={}, now=timezone.now())


def test_a_half_open_line_is_found_and_the_station_is_back_by_itself(portal: Portal) -> None:
    """Pings go each two seconds here."""
    station = make_station(password=PASSWORD)
    with Proxy(("127.0.0.1", portal.port)) as swallowing:
        lost = FakeStation(swallowing.port, station.identity)
        assert lost.call("Heartbeat", {})
        swallowing.hold()
        asked = ask(station)
        until(lambda: Presence.objects.get(station=station).connection is None)
        assert have_ended([asked.pk]) == {"unknown": 1}
        with FakeStation(portal.port, station.identity) as line:
            again = ask(station)
            line.answer(line.question("ClearCache"), {"status": "Accepted"})
            assert have_ended([again.pk]) == {"accepted": 1}
    with pytest.raises((ConnectionClosed, OSError, TimeoutError)):
        lost.call("Heartbeat", {})
