"""Tokens of the API: what each may be used for, for which party, how long and how often."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from rest_framework.test import APIClient

from portal import api
from portal.accounts.api_access import scope_of
from portal.accounts.api_tokens import ApiToken
from stations.models import Command, Membership
from stations.models.access import Role
from stations.scopes import Scope
from tests.factories import (
    make_api_key,
    make_driver,
    make_official,
    make_operator,
    make_session,
    make_staff,
    make_station,
    make_superuser,
    make_token,
)

pytestmark = pytest.mark.django_db

PASSWORD = "right-and-long-enough"
RESET = {"action": "Reset", "payload": {"type": "Soft"}}


def program(key: str, word: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{word} {key}")
    return client


def stations_of(client: APIClient) -> set[str]:
    answer = client.get("/api/v1/stations/")
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


# ---------------------------------------------------------------- scopes
def test_a_token_that_reads_sends_no_command_and_says_which_scope_it_lacks() -> None:
    make_station("S-1")
    user = make_staff()
    reading = program(make_api_key(user, scopes=[Scope.READ]))
    assert stations_of(reading) == {"S-1"}
    answer = reading.post("/api/v1/stations/S-1/commands/", RESET, format="json")
    assert answer.status_code == 403
    assert '"command"' in answer.json()["detail"]
    assert not Command.objects.exists()
    commanding = program(make_api_key(user, scopes=[Scope.COMMAND]))
    assert commanding.post("/api/v1/stations/S-1/commands/", RESET, format="json").status_code == 202
    assert commanding.get("/api/v1/stations/").status_code == 403


def test_a_scope_gives_no_more_than_the_role_of_now() -> None:
    make_station("S-1")
    user = make_staff(role=Role.ADMINISTRATOR)
    client = program(make_api_key(user, operator=make_operator()))
    assert client.get("/api/v1/people/").status_code == 200
    Membership.objects.filter(user=user).update(role=Role.READER)
    assert client.get("/api/v1/people/").status_code == 404
    assert client.post("/api/v1/stations/S-1/commands/", RESET, format="json").status_code == 404
    Membership.objects.filter(user=user).delete()
    assert stations_of(client) == set()


def test_a_token_is_for_one_party_of_a_person_who_works_for_two() -> None:
    alpha, beta = make_operator("alpha"), make_operator("beta")
    make_station("S-A", operator=alpha)
    make_station("S-B", operator=beta)
    user = make_staff(operator=alpha)
    Membership.objects.create(user=user, role=Role.READER, operator=beta)
    assert stations_of(program(make_api_key(user, operator=beta))) == {"S-B"}
    assert stations_of(program(make_api_key(user))) == {"S-A", "S-B"}


def test_a_token_for_a_party_is_not_for_the_own_sessions_nor_the_other_way_round() -> None:
    user = make_staff(operator=make_operator("alpha"))
    other = make_station(operator=make_operator("beta"))
    own = make_session(other, token=make_token(user=user, operator=make_operator("beta")))
    at_work, private = make_api_key(user, operator=make_operator("alpha")), make_api_key(user, is_whole=False)
    assert program(at_work).get("/api/v1/sessions/").json()["results"] == []
    assert [row["id"] for row in program(private).get("/api/v1/sessions/").json()["results"]] == [own.pk]
    assert stations_of(program(private)) == set()


def test_a_superusers_token_for_a_party_is_no_superusers() -> None:
    make_station("S-A", operator=make_operator("alpha"))
    root = make_superuser()
    assert stations_of(program(make_api_key(root, operator=make_operator("alpha")))) == set()
    assert stations_of(program(make_api_key(root))) == {"S-A"}
    root.refresh_from_db()
    assert root.is_superuser


def routes(patterns: Any) -> Any:
    for part in patterns:
        if isinstance(part, URLResolver):
            yield from routes(part.url_patterns)
        else:
            yield part


def test_every_view_of_the_api_names_its_scope() -> None:
    """The description and its page are for whoever is signed in."""
    nameless = []
    for route in routes(api.urlpatterns):
        view: Any = getattr(route.callback, "cls", None)
        assert isinstance(route, URLPattern)
        if route.name in {"schema", "docs"}:
            continue
        if view is None or getattr(view, "scope", None) not in Scope.values:
            nameless.append(str(route.pattern))
        else:
            assert scope_of(view, "GET") in Scope.values
    assert nameless == []


# ---------------------------------------------------------------- in force
def test_a_token_that_is_wrong_expired_or_revoked_opens_nothing() -> None:
    user, now = make_staff(), timezone.now()
    expired = make_api_key(user, expires_at=now - dt.timedelta(seconds=1))
    revoked = make_api_key(user)
    ApiToken.objects.filter(prefix=revoked[:8]).update(revoked_at=now)
    for key in ("", "x", "\N{SNOWMAN}".encode().decode("latin-1"), expired, revoked):
        answer = program(key).get("/api/v1/stations/")
        assert answer.status_code == 401, key
        assert answer["WWW-Authenticate"] == "Token"
    good = make_api_key(user)
    assert program(good, "Bearer").get("/api/v1/stations/").status_code == 200
    user.is_active = False
    user.save()
    assert program(good).get("/api/v1/stations/").status_code == 401


def test_only_a_hash_of_it_is_kept_and_when_it_was_used() -> None:
    key = make_api_key(make_staff())
    row = ApiToken.objects.get()
    assert key not in str(ApiToken.objects.values())
    assert row.last_used_at is None
    program(key).get("/api/v1/stations/")
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_it_is_told_when_it_asks_too_often_and_others_are_not(settings: Any) -> None:
    settings.API_READS_PER_MINUTE, settings.API_WRITES_PER_MINUTE = 3, 1
    make_station("S-1")
    user = make_staff()
    busy, calm = program(make_api_key(user)), program(make_api_key(user))
    assert [busy.get("/api/v1/sessions/").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = busy.get("/api/v1/sessions/")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert calm.get("/api/v1/sessions/").status_code == 200
    path = "/api/v1/stations/S-1/commands/"
    assert [busy.post(path, RESET, format="json").status_code for _ in range(2)] == [202, 429]


# ---------------------------------------------------------------- the page
def browser(user: Any) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})  # what matters asks for it once more
    return client


def test_a_person_makes_one_sees_it_once_uses_it_and_revokes_it() -> None:
    make_station("S-1")
    operator = make_operator()
    user = make_staff(operator=operator, password=PASSWORD)
    client = browser(user)
    said = {"name": "Planning", "party": f"operator-{operator.pk}", "scopes": ["read"], "days": "30"}
    page = client.post("/account/tokens/nieuw/", said)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    key = page.content.decode().partition('tabindex="0">')[2].partition("<")[0]
    assert stations_of(program(key)) == {"S-1"}
    listed = client.get("/account/tokens/").content.decode()
    assert key not in listed
    assert key[:8] in listed
    client.post(f"/account/tokens/{ApiToken.objects.get().pk}/intrekken/")
    assert program(key).get("/api/v1/stations/").status_code == 401


@pytest.mark.parametrize(
    ("make", "offered"),
    [
        (make_driver, {"read"}),
        (make_official, {"read", "probe"}),
        (lambda **more: make_staff(role=Role.READER, **more), {"read"}),
        (lambda **more: make_staff(role=Role.PLANNER, **more), {"read", "plan"}),
        (make_staff, {"read", "plan", "command", "configure", "probe"}),
        (lambda **more: make_staff(role=Role.ADMINISTRATOR, **more), set(Scope.values)),
    ],
)
def test_no_scope_is_offered_that_the_role_could_not_use(make: Any, offered: set[str]) -> None:
    client = browser(make(password=PASSWORD))
    page = client.get("/account/tokens/nieuw/").content.decode()
    assert {scope for scope in Scope.values if f'value="{scope}"' in page} == offered


def test_nobody_makes_one_for_a_party_of_others() -> None:
    client = browser(make_staff(password=PASSWORD))
    beta = make_operator("beta")
    said = {"name": "x", "party": f"operator-{beta.pk}", "scopes": ["read"], "days": "30"}
    assert client.post("/account/tokens/nieuw/", said).status_code == 422
    assert not ApiToken.objects.exists()
