"""The page of who may charge: free or by token, what the station does by itself, and its list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from stations.models import Command, ConfigurationValue, LocalList, Station
from stations.models.access import Role
from tests.factories import NOW, make_staff, make_station, make_token
from tests.pages.visiting import MOST_QUERIES, queries_of, sees

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return make_staff()


def path(station: Station, more: str = "") -> str:
    return f"/stations/{station.identity}/toegang/{more}"


def posts(user: Any, address: str, **fields: str) -> None:
    client = Client()
    client.force_login(user)
    assert client.post(address, fields).status_code == 302


def test_what_the_station_does_by_itself_is_told_in_words(operator: User) -> None:
    station = make_station()
    assert "The station has not said this yet" in sees(operator, path(station))
    ConfigurationValue.objects.create(
        station=station, name="AllowOfflineTxForUnknownId", value="true", read_at=NOW
    )
    page = sees(operator, path(station))
    assert "AllowOfflineTxForUnknownId" in page
    assert "takes tokens that it does not know" in page


def test_free_charging_is_set_here_and_told_to_the_station(operator: User) -> None:
    station = make_station(version="2.0.1")
    posts(operator, path(station, "beleid/"), policy="no_token")
    station.refresh_from_db()
    assert station.free_vend == Station.FreeVend.NO_TOKEN
    command = Command.objects.get()
    values = {data["variable"]["name"]: data["attributeValue"] for data in command.payload["setVariableData"]}
    assert values == {"Enabled": "false", "OfflineTxForUnknownIdEnabled": "true"}
    posts(operator, path(station, "beleid/"), policy="")
    station.refresh_from_db()
    assert station.free_vend == Station.FreeVend.OFF


def test_a_station_of_1_6_hears_the_one_key_that_there_is(operator: User) -> None:
    station = make_station()
    posts(operator, path(station, "beleid/"), policy="any_token")
    command = Command.objects.get()
    assert command.payload == {"key": "AllowOfflineTxForUnknownId", "value": "true"}


def test_a_policy_that_is_none_changes_nothing(operator: User) -> None:
    station = make_station()
    posts(operator, path(station, "beleid/"), policy="party")
    station.refresh_from_db()
    assert (station.free_vend, Command.objects.count()) == ("", 0)


def test_the_list_is_sent_from_here_and_shows_how_far_it_is(operator: User) -> None:
    station = make_station()
    make_token("A1")
    make_token("B2", sealed_number="")
    page = sees(operator, path(station))
    assert "never sent" in page
    assert "1 token cannot be on it" in page
    posts(operator, path(station, "lijst/"))
    assert Command.objects.get().action == "SendLocalList"
    assert "0 of 1 parts accepted" in sees(operator, path(station))


def test_the_version_is_asked(operator: User) -> None:
    station = make_station()
    posts(operator, path(station, "lijst/versie/"))
    assert Command.objects.get().action == "GetLocalListVersion"


def test_a_problem_has_its_words(operator: User) -> None:
    station = make_station()
    LocalList.objects.create(station=station, state="failed", problem="Failed", changed_at=NOW)
    assert "The station could not store the list." in sees(operator, path(station))


def test_who_only_reads_has_no_buttons() -> None:
    page = sees(make_staff(role=Role.READER), path(make_station()))
    assert "Sync now" not in page


def test_few_queries(operator: User) -> None:
    assert queries_of(operator, path(make_station())) <= MOST_QUERIES
