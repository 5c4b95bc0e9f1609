"""Two server processes over one database: a station may return at the other one, and its commands follow it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from stations import commands
from stations.events import Kind
from stations.models import Command, Event, Presence
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.silent import open_and_say_nothing
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("mortal")


@pytest.fixture
def other(mortal_portal: Portal) -> Iterator[Portal]:
    twin = mortal_portal.twin()
    twin.start()
    yield twin
    twin.stop()


def test_commands_follow_a_station_that_returns_at_the_other_server(
    mortal_portal: Portal, other: Portal
) -> None:
    station = make_station(password=PASSWORD)
    # The first server believes for a while that it still holds the station.
    silent = open_and_say_nothing(mortal_portal.port, station.identity)
    with FakeStation(other.port, station.identity) as line:
        for _ in range(6):
            command = commands.request(
                station=station, action="GetConfiguration", payload={}, now=timezone.now()
            )
            line.answer(line.question(), {})
            until(lambda key=command.pk: Command.objects.get(pk=key).state == "accepted")  # type: ignore[misc]
        silent.close()
        assert line.call("Heartbeat", {})
        assert Presence.objects.get(station=station).connection is not None
        assert not Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists()
    until(lambda: Presence.objects.get(station=station).connection is None)


def test_commands_of_many_stations_reach_each_at_its_own_server(mortal_portal: Portal, other: Portal) -> None:
    stations = [make_station(password=PASSWORD) for _ in range(10)]
    lines = [
        FakeStation((mortal_portal, other)[number % 2].port, station.identity)
        for number, station in enumerate(stations)
    ]
    for station in stations:
        commands.request(station=station, action="ClearCache", payload={}, now=timezone.now())
    for line in lines:
        line.answer(line.question("ClearCache"), {"status": "Accepted"})
    until(lambda: not Command.objects.filter(station__in=stations).exclude(state="accepted").exists())
    for line in lines:
        line.socket.close()
