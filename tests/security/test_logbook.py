"""The audit log as its readers see it: on its page, as a file, and through the API."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.pages.logbook_words import FIELD_WORDS, MODEL_WORDS, field_words
from stations.audit import audited_models
from stations.models import AuditEntry, Station
from stations.models.access import Role
from tests.factories import (
    NOW,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_staff,
    make_station,
    make_superuser,
)
from tests.pages.visiting import queries_of, sees

pytestmark = pytest.mark.django_db

PAGE, FILE, API = "/logboek/", "/logboek/logboek.csv", "/api/v1/audit/"


@pytest.fixture
def station() -> Station:
    return make_station("NL-LOG-1", name="Kerkstraat 1")


@pytest.fixture
def manager(station: Station) -> User:
    return make_staff(role=Role.ADMINISTRATOR, email="mara@alpha.example")


def entry(station: Station | None = None, **said: Any) -> AuditEntry:
    """A change of a station by the operator's administrator, unless said otherwise."""
    site = station.site if station else None
    about: dict[str, Any] = {
        "at": NOW,
        "who": "mara@alpha.example",
        "party": "Alpha",
        "role": "administrator",
        "door": "page",
        "action": "changed",
        "model": "stations.station",
        "key": str(station.pk) if station else "1",
        "label": station.identity if station else "thing",
        "station": station,
        "operator": site and site.operator,
        "municipality": site and site.concession.municipality,
        "changes": {"connection_a": [25, 35]},
        "request_id": "0" * 32,
    }
    return AuditEntry.objects.create(**{**about, **said})


def file_of(user: User, **query: Any) -> list[list[str]]:
    client = Client()
    client.force_login(user)
    response = client.get(FILE, query)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode())))


def listed(user: User, **query: Any) -> list[dict[str, Any]]:
    client = Client()
    client.force_login(user)
    response = client.get(API, query)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


# ---------------------------------------------------------------- who reads what
def test_each_party_reads_its_own(station: Station, manager: User) -> None:
    entry(station, label="SHARED")
    entry(station, label="OPERATOR-ONLY", municipality=None)
    entry(label="NOBODYS")
    elsewhere = make_official(municipality=make_municipality("elders"))
    rival = make_staff(role=Role.ADMINISTRATOR, operator=make_operator("beta"))
    readers = {
        make_superuser(): {"SHARED", "OPERATOR-ONLY", "NOBODYS"},
        manager: {"SHARED", "OPERATOR-ONLY"},
        make_official(): {"SHARED"},
        elsewhere: set(),
        rival: set(),
    }
    for user, labels in readers.items():
        assert {row["label"] for row in listed(user)} == labels
        assert {line[8] for line in file_of(user)[1:]} == labels
        page = sees(user, PAGE)
        assert {label for label in ("SHARED", "OPERATOR-ONLY", "NOBODYS") if label in page} == labels


@pytest.mark.parametrize("role", [Role.READER, Role.PLANNER, Role.OPERATOR, None])
def test_who_answers_for_no_party_finds_nothing_here(station: Station, role: Role | None) -> None:
    user = make_staff(role=role) if role else make_driver()
    client = Client()
    client.force_login(user)
    assert [client.get(path).status_code for path in (PAGE, FILE, API)] == [404, 404, 404]
    assert "Audit log" not in sees(user, "/stations/")


def test_of_a_driver_others_read_that_it_was_one(station: Station, manager: User) -> None:
    driver = make_driver(email="dirk@home.example")
    entry(station, user=driver, who="", party="", role="")
    assert "dirk" not in sees(manager, PAGE)
    assert "Driver" in sees(manager, PAGE)
    assert listed(manager)[0]["who"] == ""
    root = make_superuser()
    assert "dirk@home" in sees(root, PAGE).replace("<wbr>", "")
    assert file_of(root)[1][1] == "dirk@home.example"


# ---------------------------------------------------------------- the page
def test_a_change_is_readable(station: Station, manager: User) -> None:
    entry(
        station,
        changes={"connection_a": [25, 35], "free_vend": ["", "any_token"], "secret_hash": ["•••", "•••"]},
    )
    page = sees(manager, PAGE)
    assert 'connection (A per phase)</strong>: <span translate="no">25</span> <span' in page
    assert "any token that is not blocked" in page
    assert "password of the station</strong>: changed (a secret is not shown)" in page
    assert "mara@alpha.<wbr>example" in page
    assert "Administrator, Alpha" in page
    assert '<a class="utrecht-link utrecht-link--html-a" href="/stations/NL-LOG-1/">' in page


def test_it_is_empty_at_first(manager: User) -> None:
    assert "Nobody has changed anything yet" in sees(manager, PAGE)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"who": "mara"}, {"A", "B"}),
        ({"who": "voorbeeld"}, {"C"}),
        ({"object": "b"}, {"B"}),
        ({"model": "stations.site"}, {"B"}),
        ({"action": "deleted"}, {"B"}),
        ({"door": "api"}, {"C"}),
        ({"since": "2026-07-02"}, {"C"}),
        ({"until": "2026-07-01"}, {"A", "B"}),
        ({"station": "NL-LOG-1"}, {"A"}),
        ({"model": "stations.site", "key": "7"}, {"B"}),
        ({"who": "nobody"}, set()),
    ],
)
def test_it_is_narrowed_the_same_everywhere(station: Station, query: dict[str, Any], found: set[str]) -> None:
    entry(station, label="A")
    entry(label="B", model="stations.site", key="7", action="deleted", changes={"name": ["Plein", None]})
    entry(
        label="C",
        who="ada@stad.example",
        party="Voorbeeldstad",
        role="official",
        door="api",
        at=NOW + dt.timedelta(days=1),
    )
    root = make_superuser()
    assert {row["label"] for row in listed(root, **query)} == found
    assert {line[8] for line in file_of(root, **query)[1:]} == found
    page = sees(root, PAGE, **query)
    assert f"{len(found)} change" in page
    assert ("No change fits this search" in page) == (not found)


def test_a_day_that_cannot_be_read_says_so_and_narrows_nothing(station: Station, manager: User) -> None:
    entry(station)
    page = sees(manager, PAGE, since="yesterday")
    assert "Enter a valid date." in page
    assert "NL-LOG-1" in page


def test_the_api_refuses_what_it_cannot_read(manager: User) -> None:
    client = Client()
    client.force_login(manager)
    response = client.get(API, {"since": "yesterday"})
    assert (response.status_code, list(response.json())) == (400, ["since"])


def test_many_changes_come_in_pages(station: Station, manager: User) -> None:
    for number in range(26):
        entry(station, label=f"Change {number}.")
    first, second = sees(manager, PAGE), sees(manager, PAGE, page=2)
    assert "26 changes" in first
    assert "Change 25.<wbr>" in first
    assert "Change 0.<wbr>" not in first
    assert "Change 0.<wbr>" in second


def test_it_asks_no_more_for_more_rows(station: Station, manager: User) -> None:
    entry(station)
    few = queries_of(manager, PAGE)
    for number in range(30):
        entry(make_station(f"NL-LOG-{number + 2}"))
    assert queries_of(manager, PAGE) == few <= 15


# ---------------------------------------------------------------- from the object
def test_the_page_of_a_station_leads_to_its_own_changes(station: Station, manager: User) -> None:
    entry(station)
    entry(make_station("NL-LOG-2"))
    link = "/logboek/?station=NL-LOG-1"
    assert link in sees(manager, "/stations/NL-LOG-1/")
    assert link not in sees(make_staff(role=Role.READER), "/stations/NL-LOG-1/")
    page = sees(manager, PAGE, station="NL-LOG-1")
    assert "Who changed NL-LOG-1" in page
    assert "NL-LOG-2" not in page


# ---------------------------------------------------------------- words
def test_every_field_and_kind_has_a_word_for_people() -> None:
    for model, audited in audited_models().items():
        meta: Any = model._meta.concrete_model
        label = meta._meta.label_lower
        assert label in MODEL_WORDS or "verbose_name" in meta._meta.original_attrs or not _is_ours(model), (
            label
        )
        for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many):
            if field.name in audited.quiet or (field.primary_key and field.name == "id"):
                continue
            assert field._verbose_name or field.name in FIELD_WORDS, f"{label}.{field.name}"  # type: ignore[attr-defined]
            assert field_words(label, field.name)


def _is_ours(model: Any) -> bool:
    return model._meta.app_label in {"stations", "smartcharging", "accounts", "compliance", "notices"}
