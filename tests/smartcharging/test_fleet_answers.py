"""A fleet that answers within a second: who has wishes is asked for all at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from smartcharging.models import DesiredProfile
from smartcharging.tasks import reconcile
from stations import events
from stations.models import Station
from tests.factories import make_station

pytestmark = pytest.mark.django_db


def make_wish(station: Station) -> None:
    DesiredProfile.objects.create(
        station=station,
        evse_number=0,
        name="Night",
        profile_id=1000,
        purpose="tx_default",
        kind="absolute",
        stack_level=0,
        unit="A",
        start_schedule=timezone.now(),
        periods=[{"start_s": 0, "limit": 10, "phases": None}],
        state="confirmed",
        requested_at=timezone.now(),
    )


def answered(station: Station, action: str = "SetChargingProfile") -> events.Happening:
    now = timezone.now()
    data = {"command": 1, "action": action, "state": "accepted"}
    return events.Happening(station.pk, events.Kind.COMMAND_ANSWERED, now, now, data)


@pytest.fixture
def reconciled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stations that were to be reconciled, in their order."""
    enqueued: list[int] = []
    monkeypatch.setattr(reconcile, "delay", enqueued.append)
    return enqueued


def test_each_station_with_wishes_is_reconciled_once_and_no_other(
    reconciled: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    wishing, other, busy = make_station(), make_station(), make_station()
    make_wish(wishing)
    make_wish(busy)
    with django_capture_on_commit_callbacks(execute=True):
        events.record_all(
            [answered(wishing), answered(other), answered(wishing), answered(busy, "GetConfiguration")]
        )
    assert reconciled == [wishing.pk]


def test_a_fleet_costs_as_many_queries_as_two_stations(
    reconciled: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    stations = [make_station() for _ in range(12)]
    for station in stations:
        make_wish(station)

    def queries_of(some: list[Station]) -> int:
        with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
            events.record_all(answered(station) for station in some)
        return len(captured)

    assert queries_of(stations[:2]) == queries_of(stations[2:])
    assert sorted(reconciled) == sorted(station.pk for station in stations)
