"""Guessing, spoofing and a new password, seen from the station's side of a real socket."""

from __future__ import annotations

import datetime as dt

import pytest
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from stations import securing
from stations.events import Kind
from stations.models import Event, Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")


def refused(portal: Portal, identity: str, **how: object) -> Response:
    with pytest.raises(InvalidStatus) as error:
        FakeStation(portal.port, identity, **how)  # type: ignore[arg-type]
    return error.value.response


def test_guessing_is_slowed_with_a_time_to_come_back_and_counted_events(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    answers = [refused(portal, station.identity, password=f"wrong-{n}") for n in range(6)]
    assert [answer.status_code for answer in answers[:4]] == [401] * 4
    slowed = answers[-1]
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) >= 1
    assert b"Too many wrong attempts" in slowed.body
    with FakeStation(portal.port, station.identity) as connected:  # its own password is not a guess
        assert connected.call("Heartbeat", {})["currentTime"]
    rows = Event.objects.filter(station=station, kind=Kind.CONNECTION_REFUSED).order_by("pk")
    reasons = until(lambda: [row.data["reason"] for row in rows] if len(rows.all()) >= 2 else [])
    assert reasons == ["password", "slowed"]


def test_a_header_that_a_station_makes_up_makes_no_tls(portal: Portal) -> None:
    """This portal trusts no proxy, be it on its own machine."""
    station = make_station(password=PASSWORD, security_profile=2)
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    answer = refused(portal, station.identity, headers=headers)
    assert answer.status_code == 403
    assert b"TLS" in answer.body
    rows = Event.objects.filter(station=station, kind=Kind.CONNECTION_REFUSED)
    until(rows.exists)
    assert rows.get().data == {"reason": "no_tls", "address": "127.0.0.1", "count": 1}


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_station_takes_a_new_password_and_comes_back_with_it(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as connected:
        rotation = securing.rotate_over_ocpp(station=station, now=dt.datetime.now(dt.UTC))
        new = take(connected, version)
        until(lambda: state_of(station) == "accepted")
    with FakeStation(portal.port, station.identity, version=version) as still_old:
        still_old.call("Heartbeat", {})
    with FakeStation(portal.port, station.identity, version=version, password=new) as back:
        back.call("Heartbeat", {})
        until(lambda: state_of(station) == "done")
    assert refused(portal, station.identity, version=version).status_code == 401
    rotation.refresh_from_db()
    assert rotation.hashes == []


def take(connected: FakeStation, version: str) -> bytes:
    """What a station does with the message; gives its new password."""
    if version == "1.6":
        question = connected.question("ChangeConfiguration")
        connected.answer(question, {"status": "Accepted"})
        return bytes.fromhex(question.payload["value"])
    question = connected.question("SetVariables")
    (item,) = question.payload["setVariableData"]
    result = {
        "attributeStatus": "Accepted",
        "component": item["component"],
        "variable": item["variable"],
    }
    connected.answer(question, {"setVariableResult": [result]})
    return str(item["attributeValue"]).encode()


def state_of(station: Station) -> str:
    return str(station.secret_rotations.get().state)
