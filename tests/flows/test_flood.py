"""One station gone mad (rule 14): its neighbours are answered all the while."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from websockets.exceptions import ConnectionClosed

from stations.events import Kind
from stations.models import Event, Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

# Not on the shared server: its pings are so short that a station with no time for an answer loses its line.
pytestmark = pytest.mark.xdist_group("mortal")


def test_ten_thousand_frames_at_once_do_not_hold_up_a_neighbour(mortal_portal: Portal) -> None:
    """They do not wait to be taken in: a station that goes on so is shown out (tests/faults/test_stations.py)."""
    mad, calm = make_station(password=PASSWORD), make_station(password=PASSWORD)
    good, bad = json.dumps([2, "flood", "Heartbeat", {}]), "not a frame"
    slowest_s = 0.0
    with (
        FakeStation(mortal_portal.port, mad.identity) as flooding,
        FakeStation(mortal_portal.port, calm.identity) as neighbour,
    ):
        for number in range(40):
            with contextlib.suppress(ConnectionClosed):
                for _ in range(125):
                    flooding.socket.send(good)
                    flooding.socket.send(bad)
            if number % 4 == 3:
                asked = time.monotonic()
                neighbour.call("Heartbeat", {})
                slowest_s = max(slowest_s, time.monotonic() - asked)
        assert slowest_s < 10
        with contextlib.suppress(OSError):
            flooding.drop()
        until(lambda: Presence.objects.get(station=mad).connection is None)
        assert neighbour.call("Heartbeat", {})
    # A few of the broken ones are there to be read, and one line says how many more there were.
    assert Event.objects.filter(station=mad, kind=Kind.BAD_FRAME).count() < 200
