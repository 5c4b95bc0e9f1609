"""One station gone mad (rule 14): its neighbours are answered all the while."""

from __future__ import annotations

import json
import time

import pytest

from stations.models import Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

# Not on the shared server: its pings are so short that a station with no time for an answer loses its line.
pytestmark = pytest.mark.xdist_group("mortal")


def test_ten_thousand_frames_at_once_do_not_hold_up_a_neighbour(mortal_portal: Portal) -> None:
    mad, calm = make_station(password=PASSWORD), make_station(password=PASSWORD)
    good, bad = json.dumps([2, "flood", "Heartbeat", {}]), "not a frame"
    slowest_s = 0.0
    with (
        FakeStation(mortal_portal.port, mad.identity) as flooding,
        FakeStation(mortal_portal.port, calm.identity) as neighbour,
    ):
        for number in range(40):
            for _ in range(125):
                flooding.socket.send(good)
                flooding.socket.send(bad)
            if number % 4 == 3:
                asked = time.monotonic()
                neighbour.call("Heartbeat", {})
                slowest_s = max(slowest_s, time.monotonic() - asked)
        assert slowest_s < 2
        flooding.drop()
        until(lambda: Presence.objects.get(station=mad).connection is None, within_s=10)
        assert neighbour.call("Heartbeat", {})
