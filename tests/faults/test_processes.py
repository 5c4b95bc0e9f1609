"""Processes that die, are there twice, or are replaced one after the other, with stations at work all the while."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import timezone

from smartcharging.models import DesiredProfile
from stations import commands
from stations.events import Kind
from stations.models import Command, Event, Presence
from tests.factories import make_capabilities, make_station
from tests.fakes.limited_station import LimitedStation, want
from tests.fakes.portal import Portal, kill
from tests.fakes.silent import open_and_say_nothing
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.faults.breaking import (
    all_are_gone,
    ask_all,
    at_work,
    have_ended,
    make_busy,
    nothing_is_lost,
    quiet_log,
    work_goes_on,
)
from tests.skips import ONLY_WITH_REDIS

pytestmark = pytest.mark.xdist_group("frail")

only_with_redis = pytest.mark.skipif(not settings.REDIS_URL, reason=ONLY_WITH_REDIS)


@pytest.fixture
def other(frail_portal: Portal) -> Iterator[Portal]:
    twin = frail_portal.twin()
    twin.start()
    yield twin
    twin.stop()


def test_a_gateway_is_killed_and_its_stations_go_to_the_other(frail_portal: Portal, other: Portal) -> None:
    stations = make_busy(8)
    stays_away = make_station(password=PASSWORD)
    with quiet_log(frail_portal), at_work(stations, frail_portal, other):
        silent = open_and_say_nothing(other.port, stays_away.identity)
        until(lambda: Presence.objects.filter(station=stays_away, connection__isnull=False).exists())
        asked = [
            *ask_all(stations),
            commands.request(station=stays_away, action="ClearCache", payload={}, now=timezone.now()).pk,
        ]
        until(lambda: not Command.objects.filter(pk__in=asked, state="queued").exists())
        kill(other.server)
        silent.close()
        asked += ask_all(stations)
        work_goes_on(stations)
        # The living gateway ends the lease of who does not come back (a lease is 6 s here).
        until(lambda: Presence.objects.get(station=stays_away).connection is None)
        assert Presence.objects.get(station=stays_away).close_reason == "the lease ran out"
        states = have_ended(asked)
        assert states["accepted"] >= len(stations)
        assert set(states) <= {"accepted", "unknown"}
        assert Command.objects.get(station=stays_away).state == "unknown"
        assert have_ended(ask_all(stations)) == {"accepted": len(stations)}
    nothing_is_lost(stations)
    all_are_gone(stations)


def test_two_gateways_are_replaced_one_after_the_other(frail_portal: Portal, other: Portal) -> None:
    stations = make_busy(12)
    asked: list[int] = []
    with quiet_log(frail_portal), at_work(stations, frail_portal, other):
        for gateway in (frail_portal, other):
            asked += ask_all(stations)
            gateway.stop()
            asked += ask_all(stations)
            work_goes_on(stations)
            gateway.start()
        work_goes_on(stations)
        states = have_ended(asked)
        assert set(states) <= {"accepted", "unknown"}
        assert states["accepted"] >= len(asked) - 2 * len(stations)
        assert have_ended(ask_all(stations)) == {"accepted": len(stations)}
    nothing_is_lost(stations)
    all_are_gone(stations)


def test_beat_runs_twice_and_everything_happens_once(frail_portal: Portal, other: Portal) -> None:
    """Each of the two has one: in a Celery process where there is Redis, else within the server."""
    away = [make_station(password=PASSWORD) for _ in range(20)]
    with quiet_log(frail_portal):
        now = timezone.now()
        asked = [
            commands.request(station=one, action="ClearCache", payload={}, now=now, expires_in_s=0.5).pk
            for one in away
        ]
        assert have_ended(asked) == {"expired": len(away)}
        lost = Event.objects.filter(kind=Kind.COMMAND_LOST, station__in=away)
        assert sorted(lost.values_list("data__command", flat=True)) == sorted(asked)


@only_with_redis
def test_a_line_is_evicted_here_when_the_station_comes_back_there(
    frail_portal: Portal, other: Portal
) -> None:
    station = make_station(password=PASSWORD)
    with (
        FakeStation(other.port, station.identity) as old,
        FakeStation(frail_portal.port, station.identity) as new,
    ):
        # The old line is closed at the next renewal there (2 s here), and its close does not end the new lease.
        assert old.closed_with() == 1000
        assert new.call("Heartbeat", {})
        asked = commands.request(station=station, action="ClearCache", payload={}, now=timezone.now())
        new.answer(new.question("ClearCache"), {"status": "Accepted"})
        assert have_ended([asked.pk]) == {"accepted": 1}
        assert not Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists()


@only_with_redis
@pytest.mark.nightly
def test_workers_are_killed_in_their_tasks_and_every_limit_is_confirmed(frail_portal: Portal) -> None:
    limited = [with_a_limit_to_take(frail_portal) for _ in range(12)]
    wishes = [wish for _, wish in limited]
    stop = threading.Event()
    answering = [
        threading.Thread(target=answer_until, args=(station, stop), daemon=True) for station, _ in limited
    ]
    for thread in answering:
        thread.start()
    with quiet_log(frail_portal, r"celery\."):
        for worker in frail_portal.processes[1:]:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            frail_portal.processes.remove(worker)
        frail_portal.start_worker(has_beat=True)
        # A round of beat comes each minute, for what no event moved on.
        until(
            lambda: (
                set(DesiredProfile.objects.filter(pk__in=wishes).values_list("state", flat=True))
                == {"confirmed"}
            ),
            within_s=200,
        )
    stop.set()
    for thread in answering:
        thread.join(10)
    assert not Command.objects.filter(
        station__identity__in=[one.identity for one, _ in limited], state__in=("queued", "sent")
    ).exists()


def with_a_limit_to_take(portal: Portal) -> tuple[LimitedStation, int]:
    row = make_station(password=PASSWORD, evses=1)
    make_capabilities(row)
    station = LimitedStation(portal, row.identity, "1.6")
    station.connect()
    return station, want(row).pk


def answer_until(station: LimitedStation, stop: threading.Event) -> None:
    while not stop.is_set():
        station.answer_all_for(0.2)
