"""What a script sees of stations, commands, sessions and registers."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from stations.models import Command, Frame, Station
from stations.models.access import Role
from stations.sealing import unseal
from tests.api.conftest import Signed
from tests.factories import (
    NOW,
    make_capabilities,
    make_driver,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_superuser,
    make_token,
)

API = "/api/v1"


@pytest.fixture
def station(db: None) -> Station:
    station = make_station("NL-ALF-E1*1", version="1.6", name="Kade 1")
    make_capabilities(station)
    return station


@pytest.fixture
def alice(station: Station, signed: Signed) -> APIClient:
    """Works for the operator of the station."""
    return signed(make_staff())


@pytest.fixture
def bob(station: Station, signed: Signed) -> APIClient:
    """Works for another operator."""
    return signed(make_staff(operator=make_operator("beta")))


def test_the_list_has_the_own_stations_and_no_others(alice: APIClient, bob: APIClient) -> None:
    answer = alice.get(f"{API}/stations/").json()

    assert answer["count"] == 1
    assert {key: answer["results"][0][key] for key in ("id", "operator", "online", "connection_a")} == {
        "id": "NL-ALF-E1*1",
        "operator": "alpha",
        "online": False,
        "connection_a": 25,
    }
    assert answer["results"][0]["capabilities"]["max_periods"] == 24
    assert [evse["number"] for evse in answer["results"][0]["evses"]] == [1, 2]
    assert bob.get(f"{API}/stations/").json()["count"] == 0


def test_a_list_is_cut_by_limit_and_offset(alice: APIClient) -> None:
    for number in range(3):
        make_station(f"NL-ALF-X{number}")

    answer = alice.get(f"{API}/stations/?limit=2&offset=1").json()

    assert (answer["count"], len(answer["results"])) == (4, 2)
    assert "offset=3" in answer["next"]


def test_the_queries_of_the_list_do_not_grow_with_it(
    alice: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        make_station(f"NL-ALF-X{number}")
    with django_assert_max_num_queries(6):
        assert alice.get(f"{API}/stations/").json()["count"] == 11


@pytest.mark.parametrize(
    "address",
    ["", "messages/", "limit/", "schedule/"],
)
def test_a_stranger_finds_no_station(alice: APIClient, bob: APIClient, address: str) -> None:
    url = f"{API}/stations/NL-ALF-E1*1/{address}"

    assert alice.get(url).status_code == 200
    assert bob.get(url).status_code == 404
    assert APIClient().get(url).status_code == 401


def test_messages_are_for_the_operator_and_not_for_the_official(
    alice: APIClient, station: Station, signed: Signed
) -> None:
    Frame.objects.create(
        station=station,
        at=NOW,
        direction="in",
        kind="call",
        action="Heartbeat",
        text='[2,"1","Heartbeat",{}]',
    )
    url = f"{API}/stations/{station.identity}/messages/"

    assert [line["action"] for line in alice.get(url).json()["results"]] == ["Heartbeat"]
    assert alice.get(f"{url}?action=MeterValues").json()["results"] == []
    assert alice.get(f"{url}?before=yesterday").json().keys() == {"before"}
    official = signed(make_official())
    assert official.get(f"{API}/stations/{station.identity}/").status_code == 200
    assert official.get(url).status_code == 404


def test_a_command_is_queued_and_can_be_followed(alice: APIClient, bob: APIClient, station: Station) -> None:
    wish = {"action": "RemoteStartTransaction", "payload": {"idTag": "ABC", "connectorId": 1}}

    answer = alice.post(f"{API}/stations/{station.identity}/commands/", wish, format="json")

    assert answer.status_code == 202
    number = answer.json()["id"]
    row = Command.objects.get(pk=number)
    assert row.payload == {"idTag": "•••", "connectorId": 1}, "the token is in no row that can be read"
    assert json.loads(unseal(row.sealed_payload)) == wish["payload"]
    followed = alice.get(f"{API}/commands/{number}/").json()
    assert (followed["state"], followed["response"], followed["error"]) == ("queued", None, "")
    assert bob.get(f"{API}/commands/{number}/").status_code == 404
    assert bob.post(f"{API}/stations/{station.identity}/commands/", wish, format="json").status_code == 404


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_profiles_are_asked_for_in_the_words_of_the_stations_version(
    alice: APIClient, station: Station, version: str
) -> None:
    url = f"{API}/stations/{station.identity}/commands/"
    wish = {"action": "GetChargingProfiles", "payload": {"requestId": 1, "chargingProfile": {}}}
    refused = alice.post(url, wish, format="json")
    assert (refused.status_code, list(refused.json())) == (400, ["action"]), "1.6 has no such question"

    Station.objects.update(ocpp_version=version)
    assert alice.post(url, wish, format="json").status_code == 202
    assert Command.objects.get().payload == wish["payload"]

    local = {"requestId": 2, "chargingProfile": {"chargingProfilePurpose": "LocalGeneration"}}
    answer = alice.post(url, {**wish, "payload": local}, format="json")
    assert answer.status_code == (202 if version == "2.1" else 400)


def test_what_a_station_of_21_said_it_can_is_shown(alice: APIClient) -> None:
    station = make_station("NL-ALF-21", version="2.1")
    make_capabilities(station, dynamic_profiles=True, supported_purposes=[], operation_modes=["ChargingOnly"])

    shown = alice.get(f"{API}/stations/NL-ALF-21/").json()

    assert shown["ocpp_version"] == "2.1"
    said = shown["capabilities"]
    assert (said["dynamic_profiles"], said["supported_purposes"], said["operation_modes"]) == (
        True,
        [],
        ["ChargingOnly"],
    )
    assert (said["local_time"], said["ac_phase_switching"], said["measurands_offered"]) == (None, None, None)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"payload": {}}, "action"),
        ({"action": "Explode", "payload": {}}, "action"),
        ({"action": "../../etc", "payload": {}}, "action"),
        ({"action": "Reset", "payload": {}}, "payload"),
        ({"action": "Reset", "payload": {"type": "Warm"}}, "payload.type"),
        ({"action": "Reset", "payload": []}, "payload"),
    ],
)
def test_what_the_schema_refuses_is_not_queued(
    alice: APIClient, station: Station, wish: dict[str, Any], field: str
) -> None:
    answer = alice.post(f"{API}/stations/{station.identity}/commands/", wish, format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Command.objects.exists()


def test_a_planner_reads_but_sends_no_commands(station: Station, signed: Signed) -> None:
    planner = signed(make_staff(role=Role.PLANNER))
    wish = {"action": "Reset", "payload": {"type": "Soft"}}

    assert planner.get(f"{API}/stations/").json()["count"] == 1
    assert (
        planner.post(f"{API}/stations/{station.identity}/commands/", wish, format="json").status_code == 404
    )


def test_a_driver_sees_the_own_sessions_only(alice: APIClient, station: Station, signed: Signed) -> None:
    charlie = make_driver()
    own = make_session(
        station,
        token=make_token(user=charlie),
        state="ended",
        ended_at=NOW + dt.timedelta(hours=2),
        end_import_wh=12_500.0,
    )
    make_session(station, evse_number=2)
    client = signed(charlie)

    sessions = client.get(f"{API}/sessions/?station={station.identity}").json()["results"]

    assert [(session["id"], session["energy_wh"], session["exported_wh"]) for session in sessions] == [
        (own.pk, 11_500.0, None)
    ]
    assert alice.get(f"{API}/sessions/").json()["count"] == 2
    assert client.get(f"{API}/stations/").json()["count"] == 0
    assert signed(make_official()).get(f"{API}/sessions/").json()["count"] == 0
    assert signed(make_superuser()).get(f"{API}/sessions/").json()["count"] == 2


def test_the_readings_of_a_session_come_in_order(alice: APIClient, bob: APIClient, station: Station) -> None:
    session = make_session(station)
    for minute in (5, 1):
        make_reading(
            station,
            transaction_id=session.transaction_id,
            sampled_at=NOW + dt.timedelta(minutes=minute),
            import_wh=1000.0 + minute,
        )

    url = f"{API}/sessions/{session.pk}/readings/"
    readings = alice.get(url).json()["results"]

    assert [reading["import_wh"] for reading in readings] == [1001.0, 1005.0]
    assert readings[0]["sampled_at"].endswith(("Z", "+02:00"))
    assert bob.get(url).status_code == 404


def test_registers_keep_import_and_export_apart(alice: APIClient, bob: APIClient, station: Station) -> None:
    now = timezone.now()
    make_reading(station, import_wh=5000.0, export_wh=100.0, sampled_at=now - dt.timedelta(minutes=1))
    make_reading(station, import_wh=5200.0, sampled_at=now)

    first, second = alice.get(f"{API}/registers/").json()["results"]

    assert (first["evse"], first["import_wh"], first["export_wh"]) == (1, 5200.0, 100.0)
    assert first["export_at"] < first["import_at"]
    assert (second["evse"], second["import_wh"], second["export_wh"]) == (2, None, None)
    assert bob.get(f"{API}/registers/").json()["count"] == 0


def test_the_description_is_complete_and_its_page_shows_every_operation(
    alice: APIClient, client: Client
) -> None:
    schema = alice.get(f"{API}/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert schema.status_code == 200
    paths = schema.json()["paths"]
    wanted = {"stations/", "stations/{id}/", "stations/{id}/messages/", "stations/{id}/limit/", "profiles/",
              "stations/{id}/schedule/", "stations/{id}/commands/", "commands/{id}/", "sessions/",
              "sessions/{id}/readings/", "registers/"}  # fmt: skip
    assert {f"{API}/{path}" for path in wanted} <= set(paths)

    client.force_login(make_driver())
    page = client.get(f"{API}/docs/").content.decode()
    for path, methods in paths.items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    assert "payload" in page  # of a command's body
