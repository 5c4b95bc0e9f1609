"""Stations are added with a password that is shown once; what people want becomes a command."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from stations import credentials, services
from stations.models import Command, Station
from stations.ocpp.masking import MASK
from stations.ocpp.validation import SchemaViolation
from tests.factories import NOW, make_concession, make_operator, make_station, make_user

pytestmark = pytest.mark.django_db


def add(**changed: Any) -> tuple[Station, str]:
    asked = {
        "identity": "NL-1",
        "operator": make_operator(),
        "concession": make_concession(operators=(make_operator(),)),
        "ocpp_version": "1.6",
        "now": NOW,
    }
    return services.add_station(**{**asked, **changed})


def test_a_new_station_has_a_password_that_only_its_hash_is_kept_of() -> None:
    station, password = add(name="Plein 1", connection_phases=1, connection_a=35)
    station.refresh_from_db()
    assert len(password) >= 32
    assert password not in station.secret_hash
    assert services.verify_secret(station, password.encode())
    assert not services.verify_secret(station, b"another")
    assert (station.connection_phases, station.connection_a, station.site.name) == (1, 35, "Plein 1")
    assert station.evses.count() == 2
    assert not services.verify_secret(make_station(), b""), "a station without a secret lets nobody in"


def test_a_chosen_password_gets_a_slow_hash_that_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    station, password = add(password="welcome-to-the-station")
    assert password == "welcome-to-the-station"
    assert station.secret_kind == "chosen"
    assert station.secret_hash.startswith("pbkdf2_")
    assert services.verify_secret(station, password.encode())
    monkeypatch.setattr(credentials, "check_password", lambda *_: pytest.fail("worked out twice"))
    assert services.verify_secret(station, password.encode())


def test_a_password_of_raw_bytes_is_a_password() -> None:
    raw = b"\xff\xfe\x00\x80-not-utf8"
    for kind in Station.Secret:
        station = make_station(secret_kind=kind, secret_hash=credentials.hash_secret(raw, kind=kind))
        assert services.verify_secret(station, raw)
        assert not services.verify_secret(station, raw[:-1])


def test_after_a_rotation_the_old_password_opens_nothing() -> None:
    station, old = add(password="welcome-to-the-station")
    assert services.verify_secret(station, old.encode())
    new = services.rotate_secret(station=station)
    station = Station.objects.get()
    assert services.verify_secret(station, new.encode())
    assert not services.verify_secret(station, old.encode())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"identity": "a b"}, "identity"),
        ({"identity": "x" * 49}, "identity"),
        ({"connection_a": 2}, "connection_a"),
        ({"ocpp_version": "1.5"}, "ocpp_version"),
    ],
)
def test_what_cannot_be_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        add(**changed)
    assert list(refused.value.message_dict) == [field]
    assert not Station.objects.exists()


def test_a_token_is_the_same_in_every_case_and_never_plain() -> None:
    digest = services.digest_token("04aBcD")
    assert digest == services.digest_token("04ABCD") != services.digest_token("04ABCE")
    assert len(digest) == 64
    assert "04abcd" not in digest.lower()


IN_2X = [
    ("Reset", {"type": "Immediate"}),
    ("UnlockConnector", {"evseId": 2, "connectorId": 1}),
    (
        "RequestStartTransaction",
        {"evseId": 2, "idToken": {"idToken": MASK, "type": "Central"}, "remoteStartId": 1782907200},
    ),
    ("RequestStopTransaction", {"transactionId": "7"}),
]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (
            "1.6",
            [
                ("Reset", {"type": "Hard"}),
                ("UnlockConnector", {"connectorId": 2}),
                ("RemoteStartTransaction", {"connectorId": 2, "idTag": MASK}),
                ("RemoteStopTransaction", {"transactionId": 7}),
            ],
        ),
        ("2.0.1", IN_2X),
        ("2.1", IN_2X),
    ],
)
def test_what_people_want_becomes_a_command_of_the_stations_version(
    version: str, expected: list[Any]
) -> None:
    station, person = make_station(version=version), make_user()
    services.reset(station=station, hard=True, requested_by=person, now=NOW)
    services.unlock(station=station, evse_number=2, requested_by=person, now=NOW)
    services.remote_start(station=station, evse_number=2, id_token="TAG1", requested_by=person, now=NOW)
    services.remote_stop(station=station, transaction_id="7", requested_by=person, now=NOW)
    rows = Command.objects.order_by("pk")
    assert [(row.action, row.payload) for row in rows] == expected
    assert {row.requested_by for row in rows} == {person}


def test_a_token_that_is_too_long_for_the_version_is_refused_by_name() -> None:
    with pytest.raises(SchemaViolation, match="idTag"):
        services.remote_start(
            station=make_station(), evse_number=1, id_token="x" * 21, requested_by=None, now=NOW
        )


# ---------------------------------------------------------------- commands
def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_add_station_prints_address_and_password_once(settings: Any) -> None:
    settings.PUBLIC_URL = "https://portal.example"
    make_concession(operators=(make_operator(),))
    out = run(
        "add_station",
        "NL-1",
        "--operator",
        "alpha",
        "--municipality",
        "voorbeeldstad",
        "--ocpp",
        "2.0.1",
        "--connection",
        "1x35",
    )
    station = Station.objects.get()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["address"] == "wss://portal.example/ocpp/NL-1"
    assert services.verify_secret(station, lines["password"].encode())
    assert (station.ocpp_version, station.connection_phases, station.connection_a) == ("2.0.1", 1, 35)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"--operator": "nobody"}, "No operator 'nobody'. There are: alpha, beta"),
        ({"--operator": "beta"}, "Operator 'beta' has no concession"),
        ({"--municipality": "nowhere"}, "has no concession of municipality 'nowhere'"),
        ({"--connection": "4x25"}, "--connection '4x25'"),
        ({"--connection": "3x2"}, "connection_a"),
    ],
)
def test_add_station_says_what_is_wrong(changed: dict[str, str], problem: str) -> None:
    make_operator("beta")
    make_concession(operators=(make_operator(),))
    options = {"--operator": "alpha", "--municipality": "voorbeeldstad", "--ocpp": "1.6", **changed}
    with pytest.raises(CommandError) as refused:
        run("add_station", "NL-1", *[part for option in options.items() for part in option])
    assert problem in str(refused.value)


def test_a_station_is_added_once() -> None:
    make_station("NL-1")
    with pytest.raises(CommandError, match="identity"):
        run("add_station", "NL-1", "--operator", "alpha", "--municipality", "voorbeeldstad", "--ocpp", "1.6")


def test_api_token_prints_a_token_that_works(client: Client) -> None:
    make_user("someone@example.test")
    token = run("api_token", "Someone@example.test").strip()
    assert token != run("api_token", "someone@example.test").strip()
    answer = client.get("/api/v1/stations/", headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 200
    with pytest.raises(CommandError, match="No user"):
        run("api_token", "nobody@example.test")
