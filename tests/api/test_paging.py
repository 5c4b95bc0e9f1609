"""Pages of lists that have no end: what is counted, what comes next, and whose sessions a page holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from portal import paging
from stations.models import Station
from stations.models.access import Role
from tests.api.conftest import Signed
from tests.factories import NOW, make_operator, make_session, make_staff, make_station, make_token

SESSIONS = "/api/v1/sessions/"


@pytest.fixture
def station(db: None) -> Station:
    return make_station("NL-ALF-1")


def test_a_count_ends_where_counting_takes_longer_than_the_page(
    station: Station, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED", 3)
    alice = signed(make_staff(role=Role.READER))
    for number in range(3):
        make_session(station, started_at=NOW + dt.timedelta(minutes=number))
    assert alice.get(f"{SESSIONS}?limit=2").json()["count"] == 3
    make_session(station, started_at=NOW + dt.timedelta(minutes=9))

    page = alice.get(f"{SESSIONS}?limit=2").json()
    last = alice.get(page["next"]).json()

    assert (page["count"], page["previous"], len(page["results"])) == (None, None, 2)
    assert (last["count"], last["next"], len(last["results"])) == (4, None, 2), "its end is seen"
    assert "offset" not in last["previous"]
    assert len({one["id"] for one in page["results"] + last["results"]}) == 4


def test_a_page_beyond_the_end_is_empty_and_says_how_many_there_are(station: Station, signed: Signed) -> None:
    make_session(station)
    page = signed(make_staff(role=Role.READER)).get(f"{SESSIONS}?offset=50").json()
    assert (page["count"], page["next"], page["results"]) == (1, None, [])


def test_the_list_of_a_page_that_ends_it_is_not_counted_again(
    station: Station, signed: Signed, django_assert_max_num_queries: Any
) -> None:
    make_session(station)
    alice = signed(make_staff(role=Role.READER))
    with django_assert_max_num_queries(5) as asked:
        alice.get(SESSIONS)
    assert isinstance(asked, CaptureQueriesContext)
    assert not [one for one in asked.captured_queries if "COUNT(" in one["sql"]]


def test_who_works_for_an_operator_and_drives_too_sees_both(station: Station, signed: Signed) -> None:
    elsewhere = make_station("NL-BET-1", operator=make_operator("beta"))
    alice = make_staff(role=Role.READER)
    own = make_session(elsewhere, token=make_token("T-1", user=alice, operator=elsewhere.site.operator))
    make_session(elsewhere, evse_number=2, started_at=NOW + dt.timedelta(hours=1))
    worked = make_session(station, started_at=NOW + dt.timedelta(hours=2))

    found = signed(alice).get(SESSIONS).json()["results"]

    assert [one["id"] for one in found] == [worked.pk, own.pk]


def test_the_description_says_that_a_count_may_be_null(db: None, signed: Signed) -> None:
    schema = signed(make_staff()).get("/api/v1/schema/?format=json").json()
    count = schema["components"]["schemas"]["PaginatedSessionList"]["properties"]["count"]
    assert count["nullable"]
    assert str(paging.COUNTED) in count["description"]
