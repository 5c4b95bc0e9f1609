"""What breaks, and how it is seen that nothing came of it: stations at work, an outage, and the judgement after it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from django.db.models import Q
from django.utils import timezone

from stations import commands
from stations.models import ChargingSession, Command, MeterReading, Presence, Station
from tests.factories import make_site, make_station
from tests.fakes.busy_station import BusyStation
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.until import until

# Every state but those two is an outcome with a name.
OPEN = ("queued", "sent")
# Channels' layer tidies up in a task that nobody waits for. Redis went meanwhile; it is told when the task is thrown
# away, which may be in the next test.
TIDYING_FAILED = r"never retrieved\nfuture: .*RedisChannelLayer\._clean_receive_backup"


def make_busy(count: int) -> list[BusyStation]:
    site = make_site()
    stations = []
    for number in range(count):
        version = ("1.6", "2.0.1", "2.1")[number % 3]
        row = make_station(version=version, password=PASSWORD, site=site)
        stations.append(BusyStation(row.identity, version, repeats_with_new_id=number % 4 > 1))
        stations[-1].pace_s = 0.03  # no flood
    return stations


@contextlib.contextmanager
def at_work(stations: list[BusyStation], *portals: Portal) -> Iterator[None]:
    """They charge without end, and come back by themselves; at the end each finishes the message that it is at."""
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    ports = [portal.port for portal in portals]
    problems: list[BaseException] = []

    async def work() -> None:
        await asyncio.gather(
            *(
                one.keep_charging(ports[n % len(ports) :] + ports[: n % len(ports)], stop)
                for n, one in enumerate(stations)
            )
        )

    def run() -> None:
        try:
            loop.run_until_complete(work())
        except BaseException as problem:  # noqa: BLE001 - told to the test below
            problems.append(problem)

    thread = threading.Thread(target=run, name="stations", daemon=True)
    thread.start()
    try:
        until(lambda: problems or all(one.samples for one in stations))
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
    assert not problems, problems
    assert not thread.is_alive(), "some station never got its last answer"


def ask_all(stations: list[BusyStation]) -> list[int]:
    """A command for each of them; gives their keys."""
    rows = Station.objects.filter(identity__in=[one.identity for one in stations])
    now = timezone.now()
    return [
        commands.request(station=row, action="ClearCache", payload={}, now=now, expires_in_s=60).pk
        for row in rows
    ]


def work_goes_on(stations: list[BusyStation], within_s: float = 60) -> None:
    """Each of them gets answers again."""
    before = {one.identity: len(one.samples) for one in stations}
    until(lambda: all(len(one.samples) > before[one.identity] + 1 for one in stations), within_s=within_s)


def nothing_is_lost(stations: list[BusyStation]) -> None:
    """Every message was acknowledged by now: the rows are exactly these, each once."""
    for one in stations:
        assert one.pending is None
        sessions = ChargingSession.objects.filter(station__identity=one.identity)
        assert Counter(sessions.values_list("started_at", flat=True)) == Counter(one.starts)
        ended = sessions.filter(state="ended").values_list("ended_at", flat=True)
        assert Counter(ended) == Counter(one.stops)
        readings = MeterReading.objects.filter(station__identity=one.identity)
        assert Counter(readings.values_list("sampled_at", flat=True)) == Counter(one.samples)


def have_ended(keys: list[int], within_s: float = 60) -> Counter[str]:
    """The states that these commands ended in, each with a name."""
    until(lambda: not Command.objects.filter(pk__in=keys, state__in=OPEN).exists(), within_s=within_s)
    return Counter(Command.objects.filter(pk__in=keys).values_list("state", flat=True))


def all_are_gone(stations: list[BusyStation], within_s: float = 60) -> None:
    """No lease is left of a station that went."""
    held = Presence.objects.filter(
        Q(station__identity__in=[one.identity for one in stations]), connection__isnull=False
    )
    until(lambda: not held.exists(), within_s=within_s)


@contextlib.contextmanager
def quiet_log(portal: Portal, *expected: str) -> Iterator[None]:
    """Nobody logs an error meanwhile, but for these (regular expressions)."""
    begin = portal.log.stat().st_size
    yield
    text = portal.log.read_bytes()[begin:].decode(errors="replace")
    errors = re.findall(r"^\d{4}-.* (?:ERROR|CRITICAL) .*(?:\nfuture: .*)?$", text, re.MULTILINE)
    expected = (*expected, TIDYING_FAILED)
    surprises = [line for line in errors if not any(re.search(one, line) for one in expected)]
    assert not surprises, surprises


@contextlib.contextmanager
def database_gone(portal: Portal) -> Iterator[None]:
    """PostgreSQL: every line to it is cut, and no new one comes through. SQLite: somebody else has locked the file."""
    if portal.database_line is not None:
        portal.database_line.cut()
        try:
            yield
        finally:
            portal.database_line.restore()
        return
    lock = sqlite3.connect(portal.database, isolation_level=None, timeout=30)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


def meanwhile(seconds: float, look: Callable[[], object] = lambda: None) -> None:
    """Time passes; `look` is done again and again."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        look()
        time.sleep(0.1)
