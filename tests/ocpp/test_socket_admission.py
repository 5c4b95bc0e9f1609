"""Who is let in, and as what: decided before the upgrade, seen from the station's side of a real socket."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from stations.credentials import hash_secret
from stations.models import Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation

pytestmark = pytest.mark.xdist_group("portal")


def refusal(portal: Portal, identity: str, **how: object) -> tuple[int, str, str]:
    """Status, body and WWW-Authenticate of the answer to an attempt that gets no upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        FakeStation(portal.port, identity, **how)  # type: ignore[arg-type]
    response = refused.value.response
    return response.status_code, response.body.decode(), response.headers.get("WWW-Authenticate", "")


def test_an_unknown_station_is_told_so(portal: Portal) -> None:
    status, text, _ = refusal(portal, "NL-NOBODY-1")
    assert status == 404
    assert "register" in text


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), b"\xff\xfe"])
def test_a_wrong_password_is_refused_with_a_challenge(portal: Portal, password: str | bytes) -> None:
    station = make_station(password=PASSWORD)
    status, _, challenge = refusal(portal, station.identity, password=password)
    assert status == 401
    assert challenge.startswith("Basic ")


def test_no_password_is_refused_with_a_challenge(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    status, _, challenge = refusal(portal, station.identity, password=None)
    assert status == 401
    assert challenge.startswith("Basic ")


def test_a_station_without_a_password_of_its_own_lets_nobody_in(portal: Portal) -> None:
    station = make_station()
    assert refusal(portal, station.identity, password="")[0] == 401


@pytest.mark.parametrize("kind", [Station.Secret.GENERATED, Station.Secret.CHOSEN])
def test_a_password_of_raw_bytes_opens(portal: Portal, kind: str) -> None:
    """Basic auth whose password is raw bytes, not UTF-8."""
    raw = b"\x00\xff\xfe:\x80 raw bytes, not UTF-8"
    station = make_station(secret_kind=kind, secret_hash=hash_secret(raw, kind=kind))
    with FakeStation(portal.port, station.identity, password=raw) as connected:
        assert connected.call("Heartbeat", {})["currentTime"]
    assert refusal(portal, station.identity, password=raw[:-1])[0] == 401


def test_no_common_version_is_refused(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    status, text, _ = refusal(portal, station.identity, subprotocols=("ocpp1.5", "mqtt"))
    assert status == 400
    assert "ocpp1.6" in text
    assert "ocpp2.0.1" in text
    assert "ocpp2.1" in text


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"),
        (("ocpp1.5", "ocpp1.6"), "ocpp1.6"),
        (("ocpp1.6",), "ocpp1.6"),
        (("ocpp1.6", "ocpp2.0.1", "ocpp2.1"), "ocpp2.1"),
        (("ocpp2.1", "ocpp2.0.1"), "ocpp2.1"),
        (("ocpp3.0", "ocpp2.1"), "ocpp2.1"),
        (("ocpp2.2", "ocpp2.0", "ocpp2.0.1"), "ocpp2.0.1"),
    ],
)
def test_the_best_common_version_is_chosen(portal: Portal, offered: tuple[str, ...], chosen: str) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity, subprotocols=offered) as connected:
        assert connected.socket.subprotocol == chosen
        connected.call("Heartbeat", {})
        station.refresh_from_db()
        assert station.ocpp_version == chosen.removeprefix("ocpp")
