"""The storing rules through the API: as a limit that is set, and as a command that is written by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from smartcharging.domain.profiles import Version
from smartcharging.domain.rules import Rule
from smartcharging.models import DesiredProfile
from stations.models import Command, Station
from tests.api.conftest import Signed
from tests.api.rule_rows import can_be_wanted, command, rows_of, stands, station_of, wish
from tests.domain.charging import NOW
from tests.domain.storing_rows import Row
from tests.factories import make_staff, make_station

API = "/api/v1"
VERSIONS: list[Version] = ["1.6", "2.0.1", "2.1"]
# What the fields of the API refuse before any rule does, or cannot say; a limit on a taken place supersedes.
NOT_AS_A_LIMIT = {
    Rule.NOT_A_NUMBER,
    Rule.DURATION,
    Rule.STARTING_PURPOSE,
    Rule.STARTING_TRANSACTION,
    Rule.DUPLICATE,
    Rule.SAME_TRANSACTION_LEVEL,
    Rule.RESERVED_ID,
    Rule.EXTERNAL_ID,
    Rule.PHASES_DC,
}
# What is never written to the payload of a version: it goes out by hand in a test of its own, or no JSON has it.
NOT_AS_A_COMMAND = {Rule.NOT_A_NUMBER, Rule.DECIMALS, Rule.NOT_IN_VERSION, Rule.DURATION}


@pytest.fixture
def alice(signed: Signed) -> APIClient:
    return signed(make_staff())


def shift() -> timedelta:
    return timezone.now().replace(microsecond=0) - NOW


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_that_breaks_a_rule_is_refused_by_its_clause(alice: APIClient, version: Version) -> None:
    station = station_of(version)
    rows = [(row, clause) for row, clause in rows_of(version) if _can_be_set(row)]
    by = shift()

    answers = {}
    for row, _ in rows:
        stands(station, row.place, by)
        answers[row] = alice.post(f"{API}/profiles/", wish(row.new, by), format="json")

    assert len(rows) > 25
    assert {row: answer.status_code for row, answer in answers.items()} == dict.fromkeys(answers, 400)
    assert {row: _told(answer.json()) for row, answer in answers.items()} == {
        row: (row.field, row.field, str(row.rule), clause) for row, clause in rows
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_command_by_hand_that_breaks_a_rule_is_refused_by_its_clause(
    alice: APIClient, version: Version
) -> None:
    station = station_of(version)
    by = shift()
    asked = [
        (row, clause, body)
        for row, clause in rows_of(version)
        if row.rule not in NOT_AS_A_COMMAND and (body := command(row, version, by))
    ]

    told = {}
    for row, _, body in asked:
        stands(station, row.place, by)
        answer = alice.post(f"{API}/stations/NL-ALF-1/commands/", body, format="json").json()
        told[row] = _told(answer)[2:] if answer.keys() != {"id"} else ("sent", "")

    assert len(asked) > 30
    assert told == {row: (str(row.rule), clause) for row, clause, _ in asked}
    assert not Command.objects.exists()


def _can_be_set(row: Row) -> bool:
    return can_be_wanted(row.new) and row.rule not in NOT_AS_A_LIMIT


def _told(answer: dict[str, Any]) -> tuple[str, str, str, str]:
    """The key, and of what it says the field, the code and the clause."""
    ((key, said),) = answer.items()
    first = said[0]
    if isinstance(first, str):
        return key, "", first, ""
    assert first["text"]
    return key, first["field"], first["code"], first["clause"]


@pytest.fixture
def station(db: None) -> Station:
    return make_station("NL-ALF-1", version="2.0.1")


def forever(**changes: Any) -> dict[str, Any]:
    profile = {
        "id": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "startSchedule": "2026-01-01T00:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
            }
        ],
        **changes,
    }
    return {"action": "SetChargingProfile", "payload": {"evseId": 0, "chargingProfile": profile}}


def test_a_refusal_has_the_path_of_the_payload(alice: APIClient, station: Station) -> None:
    body = forever(validTo="2030-01-01T00:00:00Z")
    period = body["payload"]["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    path = "payload.chargingProfile.chargingSchedule.0.chargingSchedulePeriod.0"
    url = f"{API}/stations/NL-ALF-1/commands/"

    period["limit"] = 6.05
    assert alice.post(url, body, format="json", HTTP_ACCEPT_LANGUAGE="en").json() == {
        f"{path}.limit": [
            {
                "field": f"{path}.limit",
                "code": "decimals",
                "text": "6.05 has more than one decimal; OCPP knows tenths.",
                "clause": "OCPP 2.0.1 ChargingSchedulePeriodType",
            }
        ]
    }
    period["limit"], period["startPeriod"] = 6, 5
    first = alice.post(url, body, format="json").json()[f"{path}.startPeriod"][0]
    assert (first["code"], first["clause"]) == ("first_period", "OCPP 2.0.1 K01.FR.31")
    period["startPeriod"] = 0
    assert alice.post(url, body, format="json").status_code == 202


def test_who_wants_to_see_what_a_station_does_with_a_bad_profile_can(
    alice: APIClient, station: Station
) -> None:
    url = f"{API}/stations/NL-ALF-1/commands/"
    assert alice.post(url, forever(), format="json").status_code == 400  # without an end

    answer = alice.post(url, {**forever(), "check": False}, format="json")

    assert answer.status_code == 202
    assert Command.objects.get().payload == forever()["payload"]
    nonsense = {**forever(chargingProfilePurpose="Nonsense"), "check": False}
    assert alice.post(url, nonsense, format="json").status_code == 400  # the schema is never passed over


def test_more_than_one_schedule_is_for_iso_15118(alice: APIClient, station: Station) -> None:
    """K01.FR.34"""
    body = forever(validTo="2030-01-01T00:00:00Z")
    body["payload"]["chargingProfile"]["chargingSchedule"] *= 2

    answer = alice.post(f"{API}/stations/NL-ALF-1/commands/", body, format="json").json()

    ((path, (first,)),) = answer.items()
    assert (path, first["clause"]) == ("payload.chargingProfile.chargingSchedule", "OCPP 2.0.1 K01.FR.34")


def test_a_stray_start_of_a_relative_profile_is_seen(alice: APIClient, station: Station) -> None:
    """K01.FR.41"""
    body = forever(
        chargingProfileKind="Relative",
        chargingProfilePurpose="TxDefaultProfile",
        validTo="2030-01-01T00:00:00Z",
    )

    answer = alice.post(f"{API}/stations/NL-ALF-1/commands/", body, format="json").json()

    ((_, (first,)),) = answer.items()
    assert first["clause"] == "OCPP 2.0.1 K01.FR.41"


def test_other_commands_are_not_held_up(alice: APIClient, station: Station) -> None:
    token = {"idToken": "ABC", "type": "Central"}
    start = {"action": "RequestStartTransaction", "payload": {"remoteStartId": 1, "idToken": token}}

    assert alice.post(f"{API}/stations/NL-ALF-1/commands/", start, format="json").status_code == 202
    assert not DesiredProfile.objects.exists()
