"""Who holds a station's socket (rule 9): the newest connection, for as long as it lives."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from stations.events import Kind
from stations.models import Event, Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.silent import ask_for_the_upgrade, open_and_say_nothing
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")


def test_a_station_that_returns_evicts_its_old_socket(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as old:
        before = Presence.objects.get(station=station)
        with FakeStation(portal.port, station.identity) as new:
            assert old.closed_with() == 1000
            assert new.call("Heartbeat", {})["currentTime"]
            now = Presence.objects.get(station=station)
            assert now.connection not in (None, before.connection)
            # The old one's close came after the new one's coming: it unregisters nobody.
            assert not Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists()
        until(lambda: Presence.objects.get(station=station).connection is None)
    gone = Event.objects.get(station=station, kind=Kind.DISCONNECTED)
    assert gone.data["reason"].startswith("closed with 1000")


def test_a_late_close_of_a_half_open_socket_does_not_unregister_the_new_one(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    silent = open_and_say_nothing(portal.port, station.identity)
    with FakeStation(portal.port, station.identity) as new:
        # The portal gives up on the silent one after two pings; by then it is not the owner any more.
        deadline = time.monotonic() + 2.5 * float(portal.environment["OCPP_PING_S"])
        while time.monotonic() < deadline:
            assert new.call("Heartbeat", {})
            time.sleep(0.1)
        silent.close()
        assert new.call("Heartbeat", {})
        assert Presence.objects.get(station=station).connection is not None
        assert not Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists()


def test_a_half_open_socket_is_found_by_pings(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    opened = time.monotonic()
    silent = open_and_say_nothing(portal.port, station.identity)
    assert Presence.objects.get(station=station).connection is not None
    until(lambda: Presence.objects.get(station=station).connection is None)
    found_after_s = time.monotonic() - opened
    silent.close()
    ping_s = float(portal.environment["OCPP_PING_S"])
    assert ping_s < found_after_s < 10 * ping_s
    reason = Event.objects.get(station=station, kind=Kind.DISCONNECTED).data["reason"]
    assert "silent to pings" in reason


def test_ten_returns_in_a_row_leave_one_socket(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    sockets = [FakeStation(portal.port, station.identity) for _ in range(10)]
    for old in sockets[:-1]:
        assert old.closed_with() == 1000
    assert sockets[-1].call("Heartbeat", {})
    assert Presence.objects.get(station=station).connection is not None
    sockets[-1].socket.close()
    until(lambda: Presence.objects.get(station=station).connection is None)
    assert Event.objects.filter(station=station, kind=Kind.CONNECTED).count() == 10
    assert Event.objects.filter(station=station, kind=Kind.DISCONNECTED).count() == 1


def test_a_station_that_is_gone_before_it_was_let_in_leaves_no_lease(portal: Portal) -> None:
    stations = [make_station(password=PASSWORD) for _ in range(20)]
    for station in stations:
        line = ask_for_the_upgrade(portal.port, station.identity)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leave by a reset
        line.close()
    with FakeStation(portal.port, make_station(password=PASSWORD).identity) as last:
        assert last.call("Heartbeat", {})
    held = Presence.objects.filter(station__in=stations, connection__isnull=False)
    until(lambda: not held.exists())
