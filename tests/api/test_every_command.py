"""Every action that a CSMS may ask of a station can be asked through the API; what only a station asks is refused."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from stations.models import Command
from stations.ocpp import validation
from stations.ocpp.directions import BOTH_WAYS, TO_STATION, from_station
from tests.factories import make_staff, make_station
from tests.ocpp.samples import smallest_request

pytestmark = pytest.mark.django_db

TO = [(version, action) for version in TO_STATION for action in sorted(TO_STATION[version])]
FROM = [(version, action) for version in TO_STATION for action in sorted(from_station(version) - BOTH_WAYS)]


def post(version: str, action: str, payload: dict[str, Any], **more: Any) -> Any:
    client = APIClient()
    client.force_authenticate(make_staff())
    station = make_station("NL-1", version=version)
    body = {"action": action, "payload": payload, **more}
    return client.post(f"/api/v1/stations/{station.identity}/commands/", body, format="json")


@pytest.mark.parametrize("version", validation.VERSIONS)
def test_each_action_goes_one_way_or_both(version: str) -> None:
    assert TO_STATION[version] | from_station(version) == validation.actions(version)
    assert TO_STATION[version] & from_station(version) == BOTH_WAYS
    assert "BootNotification" in from_station(version)
    assert "Reset" in TO_STATION[version]


@pytest.mark.parametrize(("version", "action"), TO)
def test_what_a_csms_asks_is_queued(version: str, action: str) -> None:
    # `check` false: the smallest profile that the schema takes breaks rules of charging.
    response = post(version, action, smallest_request(version, action), check=False)
    assert response.status_code == 202, response.json()
    row = Command.objects.get(pk=response.json()["id"])
    assert (row.action, row.state, row.origin) == (action, "queued", "api")


@pytest.mark.parametrize(("version", "action"), FROM)
def test_what_a_station_asks_is_refused_by_its_field(version: str, action: str) -> None:
    response = post(version, action, smallest_request(version, action))
    assert response.status_code == 400
    assert list(response.json()) == ["action"]
    assert "a station sends" in response.json()["action"][0]
    assert not Command.objects.exists()


def test_an_action_of_another_version_is_refused_by_its_field() -> None:
    response = post("1.6", "GetVariables", {"getVariableData": []})
    assert response.status_code == 400
    assert "has no action 'GetVariables'" in response.json()["action"][0]


@pytest.mark.parametrize(
    ("version", "action", "payload", "field"),
    [
        ("1.6", "Reset", {}, "payload"),
        ("1.6", "Reset", {"type": "Perhaps"}, "payload.type"),
        (
            "2.0.1",
            "ReserveNow",
            {"id": 1, "expiryDateTime": "x", "idToken": {"idToken": "A"}},
            "payload.idToken",
        ),
        ("2.1", "Reset", {"type": "OnIdle", "evseId": "one"}, "payload.evseId"),
    ],
)
def test_a_payload_against_its_schema_is_refused_by_its_field(
    version: str, action: str, payload: dict[str, Any], field: str
) -> None:
    response = post(version, action, payload)
    assert response.status_code == 400
    assert list(response.json()) == [field]
