"""Keys that programs had before tokens had scopes (rest_framework.authtoken) go on, and are kept in full no longer.

The migration itself runs, on a database of its own that was brought back to the day before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from rest_framework.test import APIClient

from portal.accounts.api_tokens import ApiToken
from tests.factories import make_staff, make_station
from tests.fakes.databases import Databases, looking_at

BEFORE, AFTER = ("accounts", "0005_last_visit"), ("accounts", "0006_api_scopes")
KEY, OTHER = "0123456789abcdef" * 2 + "01234567", "f" * 40
MADE = dt.datetime(2025, 3, 30, 0, 59, 59, tzinfo=dt.UTC)


def migrate(target: tuple[str, str]) -> ProjectState:
    executor = MigrationExecutor(connection)
    return executor.migrate([target])


@pytest.fixture
def day_before(databases: Databases, django_db_blocker: Any) -> Iterator[ProjectState]:
    """The models as they were then, over a database that is as it was then, without the table of the keys."""
    with django_db_blocker.unblock(), looking_at(databases.new()):
        yield migrate(BEFORE)


def install_authtoken(state: ProjectState) -> Any:
    """What the app made of itself when it was installed, by its own migration; its model."""
    first = import_module("rest_framework.authtoken.migrations.0001_initial").Migration(
        "0001_initial", "authtoken"
    )
    with connection.schema_editor() as editor:
        state = first.apply(state, editor)
    return state.apps.get_model("authtoken", "Token")


def tables() -> list[str]:
    return connection.introspection.table_names()


def test_each_key_goes_on_as_a_token_for_all_that_its_person_may_and_its_text_is_gone(
    day_before: ProjectState,
) -> None:
    keys = install_authtoken(day_before)
    first, second = make_staff(), make_staff()
    for user, key in ((first, KEY), (second, OTHER)):
        keys.objects.create(user_id=user.pk, key=key)
        keys.objects.filter(key=key).update(created=MADE)
    assert "accounts_apitoken" not in tables()
    migrate(AFTER)
    assert "authtoken_token" not in tables()
    token = ApiToken.objects.get(user=first)
    assert (token.digest, token.prefix) == (sha256(KEY.encode()).hexdigest(), "01234567")
    assert (token.made_at, token.expires_at, token.revoked_at) == (MADE, None, None)
    assert token.is_whole
    assert token.party is None
    assert ApiToken.objects.get(user=second).prefix == "ffffffff"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apitoken")
        assert KEY not in str(cursor.fetchall())


def test_a_program_goes_on_with_the_key_that_it_has(day_before: ProjectState) -> None:
    user = make_staff()
    install_authtoken(day_before).objects.create(user_id=user.pk, key=KEY)
    migrate(AFTER)
    make_station("S-1")
    program, stranger = APIClient(), APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {KEY}")
    assert [row["id"] for row in program.get("/api/v1/stations/").json()["results"]] == ["S-1"]
    asked = {"action": "Reset", "payload": {"type": "Soft"}}
    assert program.post("/api/v1/stations/S-1/commands/", asked, format="json").status_code == 202
    stranger.credentials(HTTP_AUTHORIZATION=f"Token {OTHER}")
    assert stranger.get("/api/v1/stations/").status_code == 401


def test_its_person_can_be_erased_afterwards(day_before: ProjectState) -> None:
    user = make_staff()
    install_authtoken(day_before).objects.create(user_id=user.pk, key=KEY)
    migrate(AFTER)
    user.delete()  # the table of before would have held on to the row
    connection.check_constraints()
    assert not ApiToken.objects.exists()


def test_an_installation_without_such_keys_is_migrated_too(day_before: ProjectState) -> None:
    assert "authtoken_token" not in tables()
    migrate(AFTER)
    assert not ApiToken.objects.exists()
