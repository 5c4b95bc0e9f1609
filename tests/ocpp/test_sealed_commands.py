"""A token, a password or a key that is on its way to a station never stands plain in its row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stations import commands
from stations.models import Command, Station
from stations.ocpp.masking import MASK
from stations.sealing import unseal
from tests.factories import NOW, make_station

pytestmark = pytest.mark.django_db

SECRETS: list[tuple[str, str, dict[str, Any]]] = [
    ("1.6", "RemoteStartTransaction", {"idTag": "S3CR3T"}),
    ("1.6", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "S3CR3T"}),
    ("1.6", "GetDiagnostics", {"location": "ftp://me:S3CR3T@files.example/x"}),
    (
        "1.6",
        "SendLocalList",
        {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "S3CR3T"}, {"idTag": "S3CR3T2"}],
        },
    ),
    (
        "2.0.1",
        "RequestStartTransaction",
        {"idToken": {"idToken": "S3CR3T", "type": "ISO14443"}, "remoteStartId": 1},
    ),
    (
        "2.0.1",
        "SetVariables",
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": "S3CR3T",
                }
            ]
        },
    ),
    (
        "2.1",
        "SetNetworkProfile",
        {
            "configurationSlot": 1,
            "connectionData": {
                "ocppInterface": "Wired0",
                "ocppTransport": "JSON",
                "messageTimeout": 30,
                "ocppCsmsUrl": "wss://a.example",
                "securityProfile": 2,
                "basicAuthPassword": "S3CR3T",
            },
        },
    ),
]


def ask(station: Station, action: str, payload: dict[str, Any]) -> Command:
    return commands.request(station=station, action=action, payload=payload, now=NOW)


def row_of(command: Command) -> str:
    """All columns of the row, as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM stations_command WHERE id = %s", [command.pk])
        return str(cursor.fetchone())


@pytest.mark.parametrize(("version", "action", "payload"), SECRETS)
def test_it_is_sealed_while_it_waits_and_wiped_when_it_leaves(
    version: str, action: str, payload: dict[str, Any]
) -> None:
    station = make_station(version=version)
    command = ask(station, action, payload)
    assert "S3CR3T" not in row_of(command)
    assert MASK in orjson.dumps(command.payload).decode()
    assert orjson.loads(unseal(command.sealed_payload)) == payload

    (claimed,) = commands.claim([station.pk], now=NOW)
    assert claimed.payload == payload
    left = Command.objects.get()
    assert (left.state, left.sealed_payload) == ("sent", "")
    assert "S3CR3T" not in row_of(command)


@pytest.mark.parametrize("how", ["cancel", "expire", "withdraw"])
def test_what_is_never_sent_is_wiped_too(how: str) -> None:
    station = make_station()
    command = ask(station, "RemoteStartTransaction", {"idTag": "S3CR3T"})
    if how == "cancel":
        assert commands.cancel(command, now=NOW)
    elif how == "expire":
        assert commands.expire(NOW + dt.timedelta(hours=1)) == 1
    else:
        station.ocpp_version = "2.0.1"
        assert commands.withdraw_unsayable(station, now=NOW) == 1
    left = Command.objects.get()
    assert (left.state, left.sealed_payload) == ("expired" if how == "expire" else "cancelled", "")


def test_what_still_can_be_said_in_the_new_version_goes_out_whole() -> None:
    """Judged by what was asked, not by what the row shows of it."""
    station = make_station(version="2.0.1")
    payload = {"idToken": {"idToken": "S3CR3T", "type": "ISO14443"}, "remoteStartId": 1}
    ask(station, "RequestStartTransaction", payload)
    station.ocpp_version = "2.1"
    assert commands.withdraw_unsayable(station, now=NOW) == 0
    (claimed,) = commands.claim([station.pk], now=NOW)
    assert claimed.payload == payload


def test_one_that_cannot_be_opened_fails_alone(settings: Any) -> None:
    first, second = make_station(), make_station()
    lost = ask(first, "RemoteStartTransaction", {"idTag": "S3CR3T"})
    ask(second, "Reset", {"type": "Soft"})
    settings.SECRET_KEY = "another"
    settings.SECRET_KEY_FALLBACKS = []
    assert [one.action for one in commands.claim([first.pk, second.pk], now=NOW)] == ["Reset"]
    lost.refresh_from_db()
    assert (lost.state, lost.sealed_payload) == ("failed", "")
    assert "SECRET_KEY" in lost.error


def test_a_claim_takes_as_many_queries_for_fifty_stations_as_for_one() -> None:
    def queries(count: int) -> int:
        stations = [make_station() for _ in range(count)]
        for station in stations:
            ask(station, "RemoteStartTransaction", {"idTag": "S3CR3T"})
        with CaptureQueriesContext(connection) as captured:
            assert len(commands.claim([one.pk for one in stations], now=NOW)) == count
        return len(captured)

    assert queries(50) == queries(1)


def test_without_secrets_nothing_is_sealed() -> None:
    command = ask(make_station(), "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"})
    assert command.sealed_payload == ""
    assert command.payload == {"key": "MeterValueSampleInterval", "value": "60"}
