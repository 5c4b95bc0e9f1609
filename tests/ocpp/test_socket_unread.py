"""A boot whose after-effect got lost: the round finds the station, and asks it what it can do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from stations.capabilities import how_known
from stations.models import Capabilities, Command, Station
from stations.tasks import ask_unread_capabilities
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.faults.breaking import quiet_log
from tests.skips import ONLY_WITH_REDIS

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
LONG_AGO = timedelta(minutes=10)


def is_read(station: Station) -> bool:
    return Capabilities.objects.filter(station=station).exists()


@pytest.mark.xdist_group("portal")
def test_who_was_not_asked_after_its_boot_is_asked_by_the_round_and_no_more(portal: Portal) -> None:
    station = make_station(password=PASSWORD, booted_at=timezone.now() - LONG_AGO)
    away = make_station(password=PASSWORD, booted_at=timezone.now() - LONG_AGO)
    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        ask_unread_capabilities()
        line.answer(line.question("GetConfiguration"), {"configurationKey": []})
        until(lambda: is_read(station))
        ask_unread_capabilities()
    assert Command.objects.filter(station=station, action="GetConfiguration").count() == 1
    assert how_known(Station.objects.get(pk=station.pk), now=timezone.now()) == "read"
    assert not Command.objects.filter(station=away).exists()


@pytest.mark.xdist_group("portal")
def test_who_refuses_is_asked_three_times_and_then_known_as_silent(portal: Portal) -> None:
    station = make_station(password=PASSWORD, booted_at=timezone.now() - LONG_AGO)
    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        for _ in range(3):
            ask_unread_capabilities()
            line.answer_error(line.question("GetConfiguration"), "NotSupported")
            until(lambda: not Command.objects.filter(station=station, state__in=Command.OPEN).exists())
            # As if the time between two questions had passed.
            Command.objects.filter(station=station).update(requested_at=timezone.now() - LONG_AGO / 2)
        ask_unread_capabilities()
        assert not Command.objects.filter(station=station, state__in=Command.OPEN).exists()
    assert how_known(Station.objects.get(pk=station.pk), now=timezone.now()) == "silent"


@pytest.mark.skipif(not settings.REDIS_URL, reason=ONLY_WITH_REDIS)
@pytest.mark.xdist_group("frail")
def test_a_boot_while_redis_is_away_is_made_up_for(frail_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    redis_line = frail_portal.redis_line
    assert redis_line is not None
    logs = quiet_log(frail_portal, r"celery\.", r"kombu\.")
    with logs, FakeStation(frail_portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        redis_line.cut()
        try:
            assert line.call("BootNotification", BOOT)["status"] == "Accepted"
            assert not line.is_asked("GetConfiguration", within_s=1)
        finally:
            redis_line.restore()
        Station.objects.filter(pk=station.pk).update(booted_at=timezone.now() - LONG_AGO)
        ask_unread_capabilities()
        line.answer(line.question("GetConfiguration"), {"configurationKey": []})
        until(lambda: is_read(station), within_s=15)
