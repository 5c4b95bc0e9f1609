"""What the engineer of a station maker reads who tries the endpoint with a plain client, such as curl."""

from __future__ import annotations

import base64
import http.client
from dataclasses import dataclass
from typing import Any

import pytest

from stations.models import Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD

pytestmark = pytest.mark.xdist_group("portal")

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: http.client.HTTPMessage


def ask(portal: Portal, path: str, *, user: str = "", password: str = PASSWORD, **headers: str) -> Answer:
    sent = {**UPGRADE, "Sec-WebSocket-Protocol": "ocpp1.6"}
    if user:
        sent["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    line = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)
    line.request("GET", path, headers={name: value for name, value in sent.items() if value})
    response = line.getresponse()
    return Answer(
        response.status, response.read().decode() if response.status != 101 else "", response.headers
    )


@pytest.fixture
def station(portal: Portal) -> Station:
    return make_station(password=PASSWORD)


def test_what_is_in_order_is_upgraded(portal: Portal, station: Station) -> None:
    answer = ask(portal, f"/ocpp/{station.identity}", user=station.identity)
    assert (answer.status, answer.headers["Sec-WebSocket-Protocol"]) == (101, "ocpp1.6")


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ({}, 401, "as user name the identity, written as in this address"),
        ({"user": "somebody"}, 401, "as user name the identity, written as in this address"),
        ({"user": "{identity}", "password": "wrong"}, 401, "Its operator can give it a new one"),
        ({"user": "{identity}", "Sec_WebSocket_Protocol": "ocpp1.5"}, 400, "ocpp2.1, ocpp2.0.1, ocpp1.6"),
        ({"user": "{identity}", "Sec_WebSocket_Protocol": ""}, 400, "Sec-WebSocket-Protocol"),
        ({"user": "{identity}", "Upgrade": "", "Connection": ""}, 426, "connect with ws or wss"),
    ],
)
def test_a_refusal_says_what_to_do(
    portal: Portal, station: Station, how: dict[str, Any], status: int, says: str
) -> None:
    answer = ask(
        portal,
        f"/ocpp/{station.identity}",
        **{name: str(value).format(identity=station.identity) for name, value in how.items()},
    )
    assert (answer.status, says in answer.text) == (status, True), answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/ocpp/NL-NOBODY-9", 'No station "NL-NOBODY-9" is registered here'),
        ("/ocpp/%00", "Stations connect to /ocpp/"),
        ("/ocpp/" + "x" * 500, "is registered here"),
        ("/ocpp/", "Stations connect to /ocpp/"),
        ("/ocpp/NL-1/", "Stations connect to /ocpp/"),
        ("/NL-1", "Stations connect to /ocpp/"),
        ("/", "Stations connect to /ocpp/"),
    ],
)
def test_a_wrong_address_is_told_apart_from_a_wrong_password(portal: Portal, path: str, says: str) -> None:
    answer = ask(portal, path, user="NL-1")
    assert (answer.status, says in answer.text) == (404, True), answer.text


def test_who_guesses_is_told_how_long_to_wait(portal: Portal, station: Station) -> None:
    path = f"/ocpp/{station.identity}"
    for number in range(4):
        ask(portal, path, user=station.identity, password=f"wrong-{number}")
    slowed = ask(portal, path, user=station.identity, password="wrong-9")
    assert slowed.status == 429
    assert f"after {slowed.headers['Retry-After']} s" in slowed.text
