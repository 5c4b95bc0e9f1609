"""What opened a station's socket is taken away while it is open: it is closed, with a reason that says which."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stations import admitting, presence
from stations.events import Kind
from stations.models import Event, Presence, Station
from stations.services import rotate_secret
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")
# By a nudge at once; where processes share no Redis, at the next renewal of the lease.
WITHIN_S = 3 * presence.RENEWAL_S


def close_of(connected: FakeStation) -> tuple[int, str]:
    """Code and reason of the close frame."""
    connected.closed_with(WITHIN_S)
    with pytest.raises(ConnectionClosed) as closed:
        connected.socket.recv(timeout=1)
    assert closed.value.rcvd
    return closed.value.rcvd.code, closed.value.rcvd.reason


def refused(portal: Portal, identity: str, **how: Any) -> int:
    with pytest.raises(InvalidStatus) as error:
        FakeStation(portal.port, identity, **how)
    return int(error.value.response.status_code)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_password_that_is_replaced_closes_the_socket_and_opens_none(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as connected:
        connected.call("Heartbeat", {})
        new = rotate_secret(station=station)
        assert close_of(connected) == (1008, "the password was replaced")
    until(Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists)
    gone = Event.objects.get(station=station, kind=Kind.DISCONNECTED)
    assert gone.data == {"reason": "the password was replaced"}
    assert Presence.objects.get(station=station).close_reason == "the password was replaced"
    assert refused(portal, station.identity, version=version) == 401
    with FakeStation(portal.port, station.identity, version=version, password=new) as back:
        assert back.call("Heartbeat", {})["currentTime"]
    assert Event.objects.filter(station=station, kind=Kind.DISCONNECTED).count() <= 2


def test_a_station_that_is_deleted_is_shown_out_and_no_neighbour_is(portal: Portal) -> None:
    station, neighbour = make_station(password=PASSWORD), make_station(password=PASSWORD)
    with (
        FakeStation(portal.port, station.identity) as connected,
        FakeStation(portal.port, neighbour.identity) as beside,
    ):
        connected.call("Heartbeat", {})
        station.delete()
        assert close_of(connected) == (1008, "the station is not registered here any more")
        assert refused(portal, station.identity) == 404
        assert beside.call("Heartbeat", {})["currentTime"]


def test_a_password_that_is_replaced_while_it_is_being_checked_opens_nothing(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    admitted = admitting.Admitted(Station.objects.get(pk=station.pk), level=1)
    assert admitting.who_still_holds([admitted]) == [True]
    rotate_secret(station=station)
    assert admitting.who_still_holds([admitted]) == [False]
    station.delete()
    assert admitting.who_still_holds([admitted]) == [False]
