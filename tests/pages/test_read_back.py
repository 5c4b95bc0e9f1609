"""What a station turned out to hold, and what it had lost: the page, the button, the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from smartcharging.drifts import is_repaired
from smartcharging.models import (
    Delivery,
    DesiredProfile,
    Drift,
    ExternalLimit,
    ProfileReport,
    ReportedProfile,
)
from stations.models import Station
from stations.models.access import Role
from tests.factories import make_command, make_official, make_staff, make_station
from tests.pages.visiting import MOST_QUERIES, queries_of, sees, want

pytestmark = pytest.mark.django_db
PAGE = "/stations/S-1/teruggelezen/"


def lose(desired: DesiredProfile, **fields: Any) -> Drift:
    now = timezone.now()
    said = {"found_at": now, "occasion": "reboot", "reason_code": "not_listed", **fields}
    return Drift.objects.create(desired=desired, **said)


def lists(station: Station, *profiles: dict[str, Any], state: str = "complete") -> ProfileReport:
    """The station gave this list."""
    now = timezone.now()
    command = make_command(station, "GetChargingProfiles", state="accepted")
    report = ProfileReport.objects.create(
        station=station, command=command, request_id=command.pk, asked_at=now, read_at=now, state=state
    )
    for profile in profiles:
        ReportedProfile.objects.create(
            report=report, evse_number=0, source="CSO", profile_id=profile["id"], profile=profile
        )
    return report


def on_the_wire(number: int, **fields: Any) -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": 12}]
    schedule = {"id": 1, "chargingRateUnit": "A", "startSchedule": "2026-01-01T00:00:00Z"}
    return {
        "id": number,
        "stackLevel": 5,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{**schedule, "chargingSchedulePeriod": periods}],
        **fields,
    }


def test_a_lost_limit_says_what_since_when_and_how_it_was_found() -> None:
    station = make_station("S-1", version="2.0.1")
    lost = want(station, "Evening", state="drifted", settled_at=timezone.now())
    lose(lost)
    page = sees(make_staff(), PAGE)
    assert "Evening" in page
    assert "after the station started anew" in page
    assert "it is not in its list of profiles" in page
    assert "Still lost" in page


def test_who_plans_puts_it_back_and_an_official_only_looks() -> None:
    station = make_station("S-1", version="2.0.1")
    lost = want(station, "Evening", state="drifted", settled_at=timezone.now())
    drift = lose(lost)
    assert "Put back" not in sees(make_official(), PAGE)
    planner = make_staff(role=Role.PLANNER)
    assert "Put back" in sees(planner, PAGE)

    client = Client(headers={"Accept-Language": "en"})
    client.force_login(planner)
    answer = client.post(f"/stations/S-1/limiet/{lost.pk}/terugzetten/", follow=True)
    assert "is being put back" in answer.content.decode()
    lost.refresh_from_db()
    drift.refresh_from_db()
    assert (lost.state, drift.put_back_by) == ("pending", planner)
    again = client.post(f"/stations/S-1/limiet/{lost.pk}/terugzetten/", follow=True)
    assert "There is nothing to put back" in again.content.decode()


def test_the_stations_first_page_leads_to_the_button() -> None:
    station = make_station("S-1", version="2.0.1")
    lose(want(station, "Evening", state="drifted", settled_at=timezone.now(), reason_code="not_listed"))
    page = sees(make_staff(role=Role.PLANNER), "/stations/S-1/")
    assert "it is not in its list of profiles. It is not sent again by itself." in page
    assert 'href="/stations/S-1/teruggelezen/"' in page


def test_an_operator_chooses_that_lost_limits_are_only_shown() -> None:
    station = make_station("S-1")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(make_staff(role=Role.ADMINISTRATOR, is_staff=True))
    form = {"operator": station.site.operator_id, "on_drift": "show"}
    assert client.post("/beheer/smartcharging/driftpolicy/add/", form).status_code == 302
    row = want(station, confirmed_at=timezone.now())
    assert is_repaired(row) is False
    assert is_repaired(want(station, stack_level=1)) is True  # it never stood: it is still being set


def test_the_filter_and_the_empty_states() -> None:
    station = make_station("S-1")
    assert "This station has lost no limits" in sees(make_staff(), PAGE)
    assert "OCPP 1.6 has no list of profiles" in sees(make_staff(), PAGE)
    assert "Nobody else limits this station" in sees(make_staff(), PAGE)
    now = timezone.now()
    lose(want(station, "Morning"), ended_at=now, end="repaired")
    assert "sent again by itself" in sees(make_staff(), PAGE, state="ended")
    assert "No lost limit fits this filter" in sees(make_staff(), PAGE, state="open")


def test_long_lists_are_paged() -> None:
    station = make_station("S-1")
    row, now = want(station), timezone.now()
    for _ in range(26):
        lose(row, ended_at=now, end="repaired")
    assert 'rel="next"' in sees(make_staff(), PAGE)
    assert sees(make_staff(), PAGE, page="2").count("sent again by itself") == 1


def test_the_stations_own_list_beside_what_we_want() -> None:
    station = make_station("S-1", version="2.0.1")
    want(station, "Kept", profile_id=1000, duration_s=None, start_schedule="2026-01-01T00:00:00Z")
    want(station, "Changed", profile_id=1001, stack_level=4)
    want(station, "Gone", profile_id=1002, stack_level=3)
    lists(station, on_the_wire(1000), on_the_wire(1001), on_the_wire(7), on_the_wire(900_001))
    page = sees(make_staff(), PAGE)
    assert "As we want it" in page
    assert "stackLevel" in page
    assert "Not on the list" in page
    assert "Not ours, left alone" in page
    assert "Of a probe" in page


def test_a_limit_that_was_sent_again_after_the_list_is_not_called_lost() -> None:
    station = make_station("S-1", version="2.0.1")
    gone = want(station, "Gone")
    lists(station)
    assert "Not on the list" in sees(make_staff(), PAGE)
    command = make_command(station, "SetChargingProfile", state="accepted")
    Delivery.objects.create(desired=gone, command=command, intent="set")
    page = sees(make_staff(), PAGE)
    assert "Sent again after this list" in page
    assert "Not on the list" not in page


def test_limits_of_others_are_shown_with_who_and_how_low() -> None:
    station = make_station("S-1", version="2.1")
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}]}
    now = timezone.now()
    for number, schedules in enumerate(([schedule], [])):
        ExternalLimit.objects.create(
            station=station,
            evse_number=number,
            source="EMS",
            schedules=schedules,
            since=now - timedelta(hours=1),
            event_id=number,
            is_grid_critical=True,
        )
    page = sees(make_staff(), PAGE)
    assert "8 A" in page
    assert "it did not say how low" in page
    assert "critical for the grid" in page


def test_the_page_asks_few_questions_however_long_the_list_is() -> None:
    station = make_station("S-1", version="2.0.1")
    for number in range(12):
        want(station, f"P{number}", profile_id=1000 + number, stack_level=number)
    lists(station, *(on_the_wire(1000 + number, stackLevel=number) for number in range(12)))
    assert queries_of(make_staff(), PAGE) <= MOST_QUERIES


def test_the_api_lists_lost_limits_and_limits_of_others() -> None:
    station = make_station("S-1", version="2.0.1")
    lose(want(station, "Old"), ended_at=timezone.now(), end="repaired")
    lose(want(station, "New", stack_level=4, state="drifted", settled_at=timezone.now()))
    lists(station, on_the_wire(7))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(make_staff(role=Role.PLANNER))

    found = client.get("/api/v1/drifts/", {"station": "S-1", "open": "true"}).json()["results"]
    assert [(one["name"], one["reason_code"], one["occasion"]) for one in found] == [
        ("New", "not_listed", "reboot")
    ]
    assert client.get("/api/v1/drifts/", {"station": "S-1", "open": "false"}).json()["count"] == 1
    put_back = client.post(f"/api/v1/drifts/{found[0]['id']}/put_back/")
    assert put_back.status_code == 202
    assert client.post(f"/api/v1/drifts/{found[0]['id']}/put_back/").status_code == 400
    listed = client.get("/api/v1/stations/S-1/installed/").json()
    assert [one["profile"]["id"] for one in listed["profiles"]] == [7]
    assert client.get("/api/v1/external-limits/", {"open": "true"}).json()["results"] == []
