"""The disk under PostgreSQL is full for a while (SQLite's: test_outages.py). It is a small one, made for this test:
a tablespace on a tmpfs, for which the test must be root on the server's own machine. The log of the write-ahead stands
elsewhere: with that disk full PostgreSQL itself goes down, which is a database that is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.fakes.busy_station import BusyStation
from tests.fakes.databases import looking_at
from tests.fakes.portal import Makers, Portal, talking_to
from tests.fakes.until import until
from tests.faults.breaking import (
    all_are_gone,
    ask_all,
    at_work,
    have_ended,
    make_busy,
    meanwhile,
    nothing_is_lost,
    quiet_log,
    work_goes_on,
)
from tests.faults.test_outages import TASK_FAILED
from tests.skips import ONLY_ON_POSTGRESQL

pytestmark = [
    pytest.mark.xdist_group("frail"),
    pytest.mark.nightly,
    pytest.mark.skipif(
        not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason=ONLY_ON_POSTGRESQL
    ),
]

SIZE = "96m"  # a database as migrated takes about a fifth of it
NAME = f"laadbewijs_small_{os.getpid()}"


def on_the_server(sql: str) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True, connect_timeout=5) as server:
        server.execute(sql)  # type: ignore[call-overload, unused-ignore]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with the tablespace NAME on it."""
    folder = Path(tempfile.mkdtemp(prefix=NAME, dir="/tmp"))
    mounted = os.geteuid() == 0 and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", NAME, str(folder)]
    )
    if not mounted:
        folder.rmdir()
        pytest.skip("only as root: a small disk is to be mounted")
    try:
        place = folder / "tablespace"
        place.mkdir(mode=0o700)
        try:
            shutil.chown(place, "postgres")
            on_the_server(f"CREATE TABLESPACE {NAME} LOCATION '{place}'")
        except (LookupError, psycopg.Error) as problem:
            pytest.skip(f"only where PostgreSQL runs on this machine: {problem}")
        yield folder
        on_the_server(f"DROP TABLESPACE {NAME}")
    finally:
        subprocess.check_call(["umount", "--lazy", str(folder)])
        folder.rmdir()


@pytest.fixture
def cramped_portal(small_disk: Path, _makers: Makers, django_db_blocker: Any) -> Iterator[Portal]:
    """A portal whose database is on that disk."""
    portal = _makers.make(OCPP_PING_S="10", OCPP_CALL_TIMEOUT_S="2", OCPP_LEASE_S="6")
    on_the_server(f'ALTER DATABASE "{portal.database}" SET TABLESPACE {NAME}')
    try:
        portal.start()
        with django_db_blocker.unblock(), looking_at(portal.database), talking_to(portal.redis_url):
            yield portal
    finally:
        portal.stop()
        on_the_server(f'DROP DATABASE "{portal.database}" WITH (FORCE)')


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
    try:
        yield
    finally:
        ballast.unlink()


def samples(stations: list[BusyStation]) -> int:
    return sum(len(one.samples) for one in stations)


def stand_still(stations: list[BusyStation]) -> bool:
    """Nothing was acknowledged for a second: what room was left in the pages is used up."""
    before = samples(stations)
    meanwhile(1)
    return samples(stations) == before


def test_the_disk_of_postgresql_is_full_for_a_while(cramped_portal: Portal, small_disk: Path) -> None:
    stations = make_busy(9)
    with quiet_log(cramped_portal, TASK_FAILED), at_work(stations, cramped_portal):
        with full(small_disk):
            until(lambda: stand_still(stations), within_s=60)
            seen = samples(stations)
            meanwhile(8)
            assert samples(stations) == seen, "acknowledged without a disk"
            assert "trying again" in cramped_portal.log.read_text()
        work_goes_on(stations)
        assert have_ended(ask_all(stations)) == {"accepted": len(stations)}
    nothing_is_lost(stations)
    all_are_gone(stations)
