"""Setting a limit by the API, and what it says of the limit now."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from smartcharging.models import DesiredProfile
from stations.models import Event, Station
from stations.models.access import Role
from tests.api.conftest import Signed
from tests.factories import make_capabilities, make_official, make_operator, make_staff, make_station

API = "/api/v1"


@pytest.fixture
def station(db: None) -> Station:
    station = make_station("NL-ALF-1")
    make_capabilities(station)
    return station


@pytest.fixture
def planner(station: Station, signed: Signed) -> APIClient:
    return signed(make_staff(role=Role.PLANNER))


def wish(**changes: Any) -> dict[str, Any]:
    return {
        "station": "NL-ALF-1",
        "name": "Netbewust",
        "purpose": "station_max",
        "kind": "absolute",
        "unit": "A",
        "stack_level": 1,
        "start_schedule": timezone.now().isoformat(),
        "duration_s": 7200,
        "periods": [{"start_s": 0, "limit": 14}, {"start_s": 3600, "limit": 10.5}],
        **changes,
    }


def test_a_profile_is_set_and_listed(planner: APIClient) -> None:
    answer = planner.post(f"{API}/profiles/", wish(), format="json")

    assert answer.status_code == 201, answer.json()
    assert (answer.json()["state"], answer.json()["profile_id"]) == ("pending", 1000)
    listed = planner.get(f"{API}/profiles/?station=NL-ALF-1").json()
    assert [row["id"] for row in listed["results"]] == [answer.json()["id"]]
    assert Event.objects.filter(kind="limit_changed").count() == 1


def test_a_profile_is_withdrawn_by_deleting_it(planner: APIClient) -> None:
    number = planner.post(f"{API}/profiles/", wish(), format="json").json()["id"]

    answer = planner.delete(f"{API}/profiles/{number}/")

    assert (answer.status_code, answer.json()["state"]) == (202, "cleared")
    assert planner.delete(f"{API}/profiles/{number}/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"unit": "kW"}, "unit"),
        ({"evse_number": 1}, "evse_number"),
        ({"evse_number": 7, "purpose": "tx_default"}, "evse_number"),
        ({"kind": "relative", "start_schedule": None}, "kind"),
        ({"start_schedule": None}, "start_schedule"),
        ({"kind": "recurring", "recurrency": "daily"}, "valid_to"),
        ({"kind": "recurring"}, "recurrency"),
        ({"duration_s": None}, "valid_to"),
        ({"duration_s": 10**12}, "duration_s"),
        ({"start_schedule": "2020-01-01T00:00:00Z"}, "duration_s"),
        ({"stack_level": 11}, "stack_level"),
        ({"purpose": "tx", "evse_number": 1, "transaction_id": "5"}, "transaction_id"),
        ({"periods": []}, "periods"),
        ({"periods": [{"start_s": 60, "limit": 6}]}, "periods[0].start_s"),
        ({"periods": [{"start_s": 0, "limit": 6}, {"start_s": 0, "limit": 7}]}, "periods[1].start_s"),
        ({"periods": [{"start_s": 0, "limit": -1}]}, "periods[0].limit"),
        ({"periods": [{"start_s": 0, "limit": 1e300}]}, "periods[0].limit"),
        ({"periods": [{"start_s": 0, "limit": 14.15}]}, "periods[0].limit"),
        ({"periods": [{"start_s": 0, "limit": 6, "phases": 4}]}, "periods[0].phases"),
        ({"periods": [{"start_s": second, "limit": 6} for second in range(25)]}, "periods"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_what_cannot_be_names_its_field(planner: APIClient, changes: dict[str, Any], field: str) -> None:
    answer = planner.post(f"{API}/profiles/", wish(**changes), format="json")

    assert (answer.status_code, list(answer.json())) == (400, [field]), answer.json()
    assert not DesiredProfile.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_limit_that_is_no_number_is_refused(planner: APIClient, number: str) -> None:
    body = json.dumps(wish()).replace("10.5", number)

    answer = planner.post(f"{API}/profiles/", body, content_type="application/json")

    assert answer.status_code == 400
    assert not DesiredProfile.objects.exists()


def test_a_refusal_quotes_the_requirement_and_the_clause(planner: APIClient) -> None:
    many = [{"start_s": second, "limit": 6} for second in range(25)]

    answer = planner.post(
        f"{API}/profiles/", wish(periods=many), format="json", HTTP_ACCEPT_LANGUAGE="en"
    ).json()

    assert answer == {
        "periods": [
            {
                "field": "periods",
                "code": "periods",
                "text": "The station takes 24 periods, this profile has 25: requirement 207.",
                "clause": "OCPP 1.6 9.4 ChargingScheduleMaxPeriods",
            }
        ]
    }


def test_only_who_may_plan_there_sets_a_limit(station: Station, signed: Signed) -> None:
    for user in (
        make_staff(operator=make_operator("beta")),
        make_staff(role=Role.READER),
        make_official(),
    ):
        assert signed(user).post(f"{API}/profiles/", wish(), format="json").status_code == 404
    assert APIClient().post(f"{API}/profiles/", wish(), format="json").status_code == 401


def test_the_limit_now_says_which_profile_wins_and_until_when(planner: APIClient) -> None:
    planner.post(f"{API}/profiles/", wish(), format="json")
    before = planner.get(f"{API}/stations/NL-ALF-1/limit/").json()
    assert (before["limit_a"], before["profile"]) == (25, None)  # what is only wanted does not count yet

    row = DesiredProfile.objects.get()
    DesiredProfile.objects.update(state="confirmed")
    answer = planner.get(f"{API}/stations/NL-ALF-1/limit/?evse=1").json()

    assert (answer["limit_a"], answer["because"], answer["profile"]) == (14, "Netbewust", row.pk)
    assert answer["next_limit_a"] == 10.5
    assert row.start_schedule is not None
    assert dt.datetime.fromisoformat(answer["until"]) == row.start_schedule + dt.timedelta(hours=1)
    assert [(reason["by"], reason["outcome"]) for reason in answer["reasons"]] == [
        ("profile", "wins"),
        ("connection", "higher"),
        ("socket", "higher"),
    ]
    assert answer["over_time"] == []
    assert planner.get(f"{API}/stations/NL-ALF-1/limit/?evse=9").json().keys() == {"evse"}


def test_the_limit_over_time_says_who_wins_when(planner: APIClient) -> None:
    planner.post(f"{API}/profiles/", wish(), format="json")
    DesiredProfile.objects.update(state="confirmed")
    start = DesiredProfile.objects.get().start_schedule
    assert start is not None

    answer = planner.get(
        f"{API}/stations/NL-ALF-1/limit/", {"evse": "1", "at": start.isoformat(), "hours": "3"}
    ).json()

    told = [
        (stretch["limit_a"], [item["by"] for item in stretch["reasons"] if item["outcome"] == "wins"])
        for stretch in answer["over_time"]
    ]
    assert told == [(14, ["profile"]), (10.5, ["profile"]), (16, ["socket"])]
    assert planner.get(f"{API}/stations/NL-ALF-1/limit/?hours=999").json().keys() == {"hours"}


def test_the_schedule_has_ours_and_none_reported_yet(planner: APIClient) -> None:
    planner.post(f"{API}/profiles/", wish(), format="json")
    DesiredProfile.objects.update(state="accepted")

    answer = planner.get(f"{API}/stations/NL-ALF-1/schedule/?evse=1&hours=3").json()

    assert [period["limit"] for period in answer["ours"]["periods"]] == [14, 10.5, None]
    assert answer["reported"] is None
    assert planner.get(f"{API}/stations/NL-ALF-1/schedule/?hours=0").json().keys() == {"hours"}
