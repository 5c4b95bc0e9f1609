"""What people change is in the audit log: by which door, before and after, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.http import HttpRequest
from django.test import Client

from portal.accounts.models import User
from stations import events, nudges
from stations.audit import _visit, visiting
from stations.models import AuditEntry, Concession, Station
from stations.models.access import Role
from tests.factories import (
    NOW,
    make_api_key,
    make_concession,
    make_driver,
    make_official,
    make_operator,
    make_site,
    make_staff,
    make_station,
    make_superuser,
    make_tariff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def station() -> Station:
    return make_station("NL-LOG-1", version="1.6", password="not-to-be-seen")


@pytest.fixture
def manager(station: Station) -> User:
    return make_staff(role=Role.ADMINISTRATOR, email="mara@alpha.example", is_staff=True)


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def of(model: str, **found: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(model=model, **found).order_by("pk"))


# ---------------------------------------------------------------- the doors
def test_a_page_that_updates_without_a_save(station: Station, manager: User) -> None:
    response = signed_in(manager).post("/stations/NL-LOG-1/toegang/beleid/", {"policy": "any_token"})
    [entry] = of("stations.station")
    assert entry.changes == {"free_vend": ["", "any_token"]}
    assert (entry.action, entry.door, entry.label) == ("changed", "page", "NL-LOG-1")
    assert (entry.user, entry.who) == (manager, "mara@alpha.example")
    assert (entry.party, entry.role) == ("Alpha", Role.ADMINISTRATOR)
    assert (entry.operator, entry.municipality) == (
        station.site.operator,
        station.site.concession.municipality,
    )
    assert entry.station == station
    assert entry.request_id == response.headers["X-Request-ID"]


def test_the_api_with_a_token(station: Station, manager: User) -> None:
    key = make_api_key(manager)
    response = Client().post(
        "/api/v1/stations/NL-LOG-1/commands/",
        {"action": "Reset", "payload": {"type": "Soft"}},
        content_type="application/json",
        headers={"Authorization": f"Token {key}"},
    )
    assert response.status_code == 202
    [entry] = of("stations.command")
    assert (entry.who, entry.door, entry.action) == ("mara@alpha.example", "api", "created")
    assert entry.changes["payload"] == [None, {"type": "Soft"}]
    assert entry.municipality is None  # an official sees no commands, nor who gave them


def test_the_admin(station: Station, manager: User) -> None:
    tariff = make_tariff()
    station.site.operator.tariffs.add(tariff)
    body = {
        "site": station.site.pk,
        "name": "Kerkstraat 1",
        "ocpp_version": "1.6",
        "connection_phases": 3,
        "connection_a": 35,
        "tariff": tariff.pk,
        "evses-TOTAL_FORMS": 0,
        "evses-INITIAL_FORMS": 0,
    }
    response = signed_in(manager).post(f"/beheer/stations/station/{station.pk}/change/", body)
    assert response.status_code == 302, response.content.decode()
    [entry] = of("stations.station")
    assert entry.door == "admin"
    assert entry.changes == {
        "name": ["", "Kerkstraat 1"],
        "connection_a": [25, 35],
        "tariff": [None, "Standard"],
    }


def test_a_relation_to_many() -> None:
    concession = make_concession(operators=(make_operator("alpha"),))
    beta = make_operator("beta")
    body = {
        "name": concession.name,
        "slug": concession.slug,
        "municipality": concession.municipality_id,
        "starts_on": "2025-01-01",
        "officials_may_probe": "on",
        "operators": [beta.pk],
    }
    response = signed_in(make_superuser("root@example.test")).post(
        f"/beheer/stations/concession/{concession.pk}/change/", body
    )
    assert response.status_code == 302, response.content.decode()
    changes = [entry.changes["operators"] for entry in of("stations.concession")]
    assert changes[0][0] == ["Alpha"]
    assert changes[-1][1] == ["Beta"]
    assert [entry.role for entry in of("stations.concession")] == ["superuser"] * len(changes)


def test_a_deletion_keeps_what_it_was(manager: User) -> None:
    site = make_site(name="Oude Plein", operator=make_operator())
    Station.objects.all().delete()
    pk = site.pk
    response = signed_in(manager).post(f"/beheer/stations/site/{pk}/delete/", {"post": "yes"})
    assert response.status_code == 302
    [entry] = of("stations.site")
    assert (entry.action, entry.label, entry.key) == ("deleted", "Oude Plein", str(pk))
    assert entry.changes["name"] == ["Oude Plein", None]
    assert entry.operator == make_operator()


# ---------------------------------------------------------------- secrets
def test_a_password_is_only_said_to_have_changed() -> None:
    user = make_superuser("root@example.test", password="right-and-long-enough")
    body = {
        "oldpassword": "right-and-long-enough",
        "password1": "another-and-longer-one",
        "password2": "another-and-longer-one",
    }
    assert signed_in(user).post("/account/password/change/", body).status_code == 302
    [entry] = of("accounts.user")
    assert entry.changes == {"password": ["•••", "•••"]}


def test_a_token_of_the_api_is_told_of_without_its_key(manager: User) -> None:
    client = signed_in(manager)
    said = {"name": "Planning", "scopes": ["read"], "days": "30", "party": f"operator-{make_operator().pk}"}
    assert client.post("/account/tokens/nieuw/", said).status_code == 200
    [entry] = of("accounts.apitoken")
    assert (entry.label, entry.action, entry.operator) == ("Planning", "created", make_operator())
    assert entry.changes["digest"] == [None, "•••"]


def test_a_new_password_of_a_station(station: Station, manager: User) -> None:
    body = {"action": "rotate_secrets", "_selected_action": [station.pk]}
    assert signed_in(manager).post("/beheer/stations/station/", body).status_code == 302
    [entry] = of("stations.station")
    station.refresh_from_db()
    assert entry.changes["secret_hash"] == ["•••", "•••"]
    assert station.secret_hash not in str(entry.changes)


def test_a_driver_is_not_named_anywhere() -> None:
    """An account can be erased, and a row of the log cannot."""
    driver = make_driver(email="dirk@home.example", name="Dirk", password="right-and-long-enough")
    body = {
        "oldpassword": "right-and-long-enough",
        "password1": "another-and-longer-one",
        "password2": "another-and-longer-one",
    }
    assert signed_in(driver).post("/account/password/change/", body).status_code == 302
    root = signed_in(make_superuser("root@example.test"))
    person = {"email": "dirk@work.example", "name": "Dirk D.", "is_active": "on"}
    assert root.post(f"/beheer/accounts/user/{driver.pk}/change/", person).status_code == 302
    own, roots = of("accounts.user")
    assert (own.user, own.who, own.role) == (driver, "", "")
    assert roots.changes == {"email": ["•••", "•••"], "name": ["•••", "•••"]}
    assert "dirk" not in repr([vars(own), vars(roots)]).lower()


# ---------------------------------------------------------------- what is no change of a person
def test_a_sign_in_is_no_change() -> None:
    root = make_superuser("root@example.test", password="right-and-long-enough")
    # An account without a row of its address gets one at its first sign-in, and that is a change.
    EmailAddress.objects.create(user=root, email=root.email, primary=True, verified=True)
    body = {"login": "root@example.test", "password": "right-and-long-enough"}
    assert Client().post("/account/login/", body).status_code == 302
    assert list(AuditEntry.objects.values_list("model", "action", "changes")) == []


def test_what_stays_the_same_is_no_change(station: Station, manager: User) -> None:
    signed_in(manager).post("/stations/NL-LOG-1/toegang/beleid/", {"policy": ""})
    assert not of("stations.station")


def test_what_stations_and_tasks_do_is_in_their_events(station: Station) -> None:
    Station.objects.filter(pk=station.pk).update(status="Available")
    station.name = "New"
    station.save()
    events.record(station_id=station.pk, kind="status", at=NOW, now=NOW)
    assert not AuditEntry.objects.exists()


def test_what_a_nudge_sets_going_is_not_laid_at_the_visitors_door(station: Station, manager: User) -> None:
    """A gateway that is woken within a request goes on by itself."""
    seen: list[object] = []
    end = nudges.listen_to_gateways(lambda _stations: seen.append(_visit()))

    request = HttpRequest()
    request.user = manager
    try:
        with visiting(request):
            assert _visit() is not None
            nudges.deliver("gateways", frozenset({station.pk}))
    finally:
        end()
    assert seen == [None]


# ---------------------------------------------------------------- with whom
def test_a_person_of_two_parties_acts_for_the_one_the_object_is_of(station: Station, manager: User) -> None:
    official = make_official()
    manager.memberships.create(role=Role.OFFICIAL, municipality=official.memberships.get().municipality)
    manager.memberships.create(role=Role.READER, operator=make_operator("beta"))
    token_group = {"operator": station.site.operator_id, "name": "Taxi", "group_id": "GTAXI"}
    response = signed_in(manager).post("/beheer/stations/tokengroup/add/", token_group)
    assert response.status_code == 302
    [entry] = of("stations.tokengroup")
    assert (entry.party, entry.role) == ("Alpha", Role.ADMINISTRATOR)


def test_a_change_that_fails_leaves_no_trace(station: Station, manager: User) -> None:
    body = {"name": "", "slug": ""}
    root, pk = make_superuser(), Concession.objects.get().pk
    signed_in(root).post(f"/beheer/stations/concession/{pk}/change/", body)
    assert not AuditEntry.objects.exists()
