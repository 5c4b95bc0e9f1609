"""What a portal leans on is gone for a while: its database, its disk, its Redis. Stations notice that they wait."""

from __future__ import annotations

import contextlib
import resource
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from django.conf import settings
from websockets.exceptions import InvalidStatus

from stations.models import Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.proxy import Proxy
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.faults.breaking import (
    all_are_gone,
    ask_all,
    at_work,
    database_gone,
    have_ended,
    make_busy,
    meanwhile,
    nothing_is_lost,
    quiet_log,
    work_goes_on,
)
from tests.skips import ONLY_ON_POSTGRESQL, ONLY_ON_SQLITE, ONLY_WITH_REDIS

pytestmark = pytest.mark.xdist_group("frail")

only_with_redis = pytest.mark.skipif(not settings.REDIS_URL, reason=ONLY_WITH_REDIS)
only_on_postgresql = pytest.mark.skipif(
    not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason=ONLY_ON_POSTGRESQL
)
LONG = pytest.param(20.0, marks=pytest.mark.nightly)
# A task of a worker may meet the outage: Celery says so, and a round does it again.
TASK_FAILED = r"celery\.app\.trace: Task .* raised unexpected: (OperationalError|InterfaceError)"


def status_of(portal: Portal, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{portal.port}{path}", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@only_on_postgresql
def test_who_comes_first_after_the_database_restarted_is_let_in(frail_portal: Portal) -> None:
    """Every connection is cut at once, as a restart does; threads that hold one find out before they use it."""
    station = make_station(password=PASSWORD)
    with FakeStation(frail_portal.port, station.identity):
        assert status_of(frail_portal, "/account/login/") == 200
    database_line = frail_portal.database_line
    assert database_line is not None
    with quiet_log(frail_portal, TASK_FAILED):
        database_line.cut()
        database_line.restore()
        with FakeStation(frail_portal.port, station.identity):
            assert status_of(frail_portal, "/account/login/") == 200


@pytest.mark.parametrize("seconds", [3.0, LONG])
def test_the_database_is_gone_for_a_while(frail_portal: Portal, seconds: float) -> None:
    stations = make_busy(9)
    with quiet_log(frail_portal, TASK_FAILED), at_work(stations, frail_portal):
        asked = ask_all(stations)
        with database_gone(frail_portal):
            meanwhile(0.5)  # what was on its way is answered, or never will be
            seen = sum(len(one.samples) for one in stations)
            meanwhile(seconds - 0.5)
            assert sum(len(one.samples) for one in stations) == seen, "acknowledged without a database"
        work_goes_on(stations)
        asked += ask_all(stations)
        # A command whose answer came during the outage waits for it like all else: no state is invented.
        states = have_ended(asked)
        assert states["accepted"] >= len(stations)
        assert set(states) <= {"accepted", "unknown"}
    nothing_is_lost(stations)
    all_are_gone(stations)
    assert status_of(frail_portal, "/health/ready") == 200


@only_on_postgresql
def test_who_comes_while_the_database_is_gone_is_asked_to_come_back(frail_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with quiet_log(frail_portal, TASK_FAILED):
        with database_gone(frail_portal), pytest.raises(InvalidStatus) as refused:
            FakeStation(frail_portal.port, station.identity)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "5"
        line = until(lambda: let_in(frail_portal, station))
        assert line is not None
        with line:
            assert line.call("Heartbeat", {})


def let_in(portal: Portal, station: Station) -> FakeStation | None:
    with contextlib.suppress(InvalidStatus):
        return FakeStation(portal.port, station.identity)
    return None


@pytest.mark.skipif(not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason=ONLY_ON_SQLITE)
@pytest.mark.parametrize("seconds", [3.0, LONG])
def test_the_disk_is_full_for_a_while(frail_portal: Portal, seconds: float) -> None:
    """No file of the server may grow beyond what its database is now."""
    stations, pid = make_busy(9), frail_portal.server.pid
    with quiet_log(frail_portal, TASK_FAILED), at_work(stations, frail_portal):
        # The log of the write-ahead starts anew at a checkpoint; what counts is that no page can be added.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        try:
            meanwhile(0.5)
            seen = sum(len(one.samples) for one in stations)
            meanwhile(seconds - 0.5)
            assert sum(len(one.samples) for one in stations) == seen, "acknowledged without a disk"
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        work_goes_on(stations)
        assert have_ended(ask_all(stations)) == {"accepted": len(stations)}
    nothing_is_lost(stations)
    all_are_gone(stations)


def cut(line: Proxy) -> None:
    line.cut()


def hold(line: Proxy) -> None:
    line.hold()


@only_with_redis
@pytest.mark.parametrize("break_", [cut, hold])
@pytest.mark.parametrize("seconds", [4.0, LONG])
def test_redis_is_gone_for_a_while(
    frail_portal: Portal, break_: Callable[[Proxy], None], seconds: float
) -> None:
    stations = make_busy(9)
    line = frail_portal.redis_line
    assert line is not None
    with quiet_log(frail_portal, r"celery\.", r"kombu\."), at_work(stations, frail_portal):
        for one in stations:
            one.slowest_s = 0.0
        break_(line)
        try:
            # No nudge comes through, and still the gateway finds what waits.
            began = time.monotonic()
            asked = ask_all(stations)
            assert have_ended(asked) == {"accepted": len(stations)}
            meanwhile(began + seconds - time.monotonic())
        finally:
            line.restore()
        work_goes_on(stations)
        # Whoever enqueues waits for a line that swallows at most once in a while.
        assert max(one.slowest_s for one in stations) < 8
        assert have_ended(ask_all(stations)) == {"accepted": len(stations)}
    nothing_is_lost(stations)
    all_are_gone(stations)
    until(lambda: status_of(frail_portal, "/health/ready") == 200)
    becomes_read(frail_portal)


def becomes_read(portal: Portal) -> None:
    """Workers take tasks again: after a boot of it (the first may come too soon) a station is asked what it can do."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:

        def is_asked_after_a_boot() -> bool:
            line.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
            return line.is_asked("GetConfiguration", within_s=5)

        until(is_asked_after_a_boot, within_s=90)
