"""A 2.x station whose list of profiles does not end, or is larger than any: bounded work, and no list that counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smartcharging import dispatch, profile_lists
from smartcharging.models import ProfileReport, ReportedProfile
from smartcharging.receivers import reconcile_after
from smartcharging.tasks import reconcile
from stations.models import Event
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation, Payload

MOST_QUERIES = 60


def asked_for_a_list(answer: Any) -> FakeStation:
    """A station with a limit that stood, which connects again; `answer` tells its list."""
    station = FakeStation("2.1", capabilities={})
    station.connects()
    wants(station, 14, duration_s=86_400)
    station.works()
    station.answers["GetChargingProfiles"] = answer
    station.reboots()
    return station


def rows_of(station: FakeStation, first: int, count: int) -> list[Payload]:
    (held, *_) = station.schedules.profiles
    return [{**held.wire, "id": number} for number in range(first, first + count)]


@pytest.mark.django_db
def test_parts_without_an_end_are_taken_in_once_and_are_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_lists, "MOST_PARTS", 40)

    def endless(payload: Payload) -> Payload:
        for number in range(60):
            station.reports(payload["requestId"], 0, rows_of(station, 10 * number, 10), is_last=False)
        return {"status": "Accepted"}

    station = asked_for_a_list(endless)
    station.works()
    report = ProfileReport.objects.get()
    assert (report.state, report.profiles.count()) == ("asked", 0)
    with CaptureQueriesContext(connection) as captured:
        dispatch.reconcile(station.row.pk, station.now)
    assert len(captured) < MOST_QUERIES
    assert not [query for query in captured if "reportedprofile" in query["sql"] and "INSERT" in query["sql"]]

    station.works(seconds=120)

    report.refresh_from_db()
    assert (report.state, report.profiles.count()) == ("incomplete", 410)


@pytest.mark.django_db
@pytest.mark.parametrize("most", ["MOST_PARTS", "MOST_PROFILES"])
def test_a_list_that_is_longer_than_any_is_not_whole(monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    monkeypatch.setattr(profile_lists, most, 5)

    def long(payload: Payload) -> Payload:
        for number in range(8):
            station.reports(payload["requestId"], 0, rows_of(station, number, 1), is_last=number == 7)
        return {"status": "Accepted"}

    station = asked_for_a_list(long)
    station.works()
    assert set(ProfileReport.objects.values_list("state", flat=True)) == {"incomplete"}
    assert ReportedProfile.objects.exists()


@pytest.mark.django_db
def test_only_the_last_part_moves_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    station = asked_for_a_list(lambda _payload: {"status": "NoProfiles"})
    enqueued: list[int] = []
    monkeypatch.setattr(reconcile, "delay", enqueued.append)
    for is_last in (False, True):
        station.reports(1, 0, [], is_last=is_last)
        event = Event.objects.order_by("-pk").first()
        assert event is not None
        reconcile_after(event=event, among=[event])
    assert enqueued == [station.row.pk]
