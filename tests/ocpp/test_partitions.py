"""What is old goes, what is new stays: on PostgreSQL by parts of the table, elsewhere in bites."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from stations import partitions
from stations.ingest import insert_readings
from stations.models import Frame, MeterReading, Station
from stations.ocpp.readings import rows_of
from stations.partitions import FRAMES, READINGS, make_ahead, parts_of
from stations.tasks import delete_old_frames, delete_old_readings
from tests.factories import make_reading, make_station
from tests.skips import ONLY_ON_POSTGRESQL

ROOT = Path(__file__).resolve().parents[2]
is_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
only_on_postgresql = pytest.mark.skipif(not is_postgresql, reason=ONLY_ON_POSTGRESQL)
DAY = dt.timedelta(days=1)
AGO = dt.timedelta(days=1200)


def frame(station: Station, at: dt.datetime) -> Frame:
    return Frame.objects.create(
        station=station, at=at, direction="in", kind="call", action="Heartbeat", text="[]"
    )


def part_of(row: Frame | MeterReading) -> str:
    """The table that the row really stands in."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {table} WHERE id = %s", [row.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_old_frames_go_and_readings_stay_without_their_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "BITE", 3)
    station, now = make_station(), timezone.now()
    for days in range(32, 40):
        frame(station, now - days * DAY)
        make_reading(
            station, sampled_at=now - days * DAY, received_at=now - days * DAY, message="[2]", import_wh=1.0
        )
    kept = frame(station, now - 30 * DAY)
    make_reading(station, sampled_at=now, received_at=now, message="[2]")
    delete_old_frames()
    assert list(Frame.objects.all()) == [kept]
    assert MeterReading.objects.count() == 9
    assert MeterReading.objects.exclude(message="").get().sampled_at == now


@pytest.mark.django_db
def test_old_readings_go_and_one_of_a_clock_that_is_off_stays_as_long_as_others() -> None:
    station, now = make_station(), timezone.now()
    make_reading(station, sampled_at=now - AGO, received_at=now - AGO)
    off = make_reading(station, sampled_at=dt.datetime(1990, 1, 1, tzinfo=dt.UTC), received_at=now)
    new = make_reading(station, sampled_at=now - 1000 * DAY, received_at=now - 1000 * DAY)
    delete_old_readings()
    delete_old_readings()
    assert set(MeterReading.objects.all()) == {off, new}


@only_on_postgresql
@pytest.mark.django_db
def test_a_part_is_made_before_its_time_and_old_ones_are_dropped_whole() -> None:
    now = dt.datetime(2031, 12, 31, 23, 30, tzinfo=dt.UTC)
    made = make_ahead(READINGS, oldest=now - AGO, now=now)
    assert made[-3:] == [f"stations_meterreading_{day}" for day in ("20311201", "20320101", "20320201")]
    assert make_ahead(READINGS, oldest=now - AGO, now=now) == []
    assert make_ahead(FRAMES, oldest=now, now=now)[0] == "stations_frame_20311229"
    dropped = partitions.drop_old(FRAMES, oldest=now)
    assert dropped
    assert len(parts_of(FRAMES)) == 4


@only_on_postgresql
@pytest.mark.django_db
def test_rows_move_out_of_the_default_part_when_theirs_is_made() -> None:
    station, now = make_station(), dt.datetime(2031, 7, 1, tzinfo=dt.UTC)
    before, first, last, after = (
        make_reading(station, sampled_at=at)
        for at in (now - dt.timedelta(microseconds=1), now, now + 31 * DAY - DAY / 24, now + 200 * DAY)
    )
    assert part_of(first) == "stations_meterreading_default"
    make_ahead(READINGS, oldest=now - AGO, now=now)
    assert [part_of(row) for row in (before, first, last, after)] == [
        "stations_meterreading_20310601",
        "stations_meterreading_20310701",
        "stations_meterreading_20310701",
        "stations_meterreading_default",
    ]
    # A station that repeats what was moved adds nothing.
    repeated = {"timestamp": now.isoformat(), "sampledValue": [{"value": "5"}]}
    insert_readings(
        rows_of([repeated], station_id=station.pk, evse_number=1, transaction_id="", received_at=now)
    )
    assert MeterReading.objects.count() == 4


@only_on_postgresql
@pytest.mark.django_db
def test_a_stations_day_is_looked_for_in_one_part_only() -> None:
    station, now = make_station(), timezone.now().replace(day=2)
    day = MeterReading.objects.filter(station=station, sampled_at__gte=now, sampled_at__lt=now + DAY)
    assert day.explain().count("Scan on stations_meterreading_") == 1


@pytest.fixture
def unparted(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database as it was before there were parts, with rows in it."""
    import psycopg

    name = f"laadbewijs_test_unparted_{os.getpid()}"
    url = str(settings.DATABASE_URL).rpartition("/")[0] + f"/{name}"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield url
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@only_on_postgresql
def test_the_migration_keeps_every_row_and_goes_on_counting(unparted: str) -> None:
    import psycopg

    migrate(unparted, "0007")
    with psycopg.connect(unparted) as database:
        ((key,),) = database.execute(
            "SELECT conname FROM pg_constraint"
            " WHERE conrelid = 'stations_meterreading'::regclass AND contype = 'f'"
        ).fetchall()
        # These rows need no station.
        database.execute(f'ALTER TABLE stations_meterreading DROP CONSTRAINT "{key}"')
        database.execute(
            "INSERT INTO stations_meterreading (station_id, evse_number, transaction_id, sampled_at,"
            " received_at, context, message_id, message) SELECT 1, 1, '', now() - n * interval '20 days',"
            " now(), 'Sample.Periodic', '', 'm' FROM generate_series(-5, 94) n"
        )
        told = database.execute("SELECT * FROM stations_meterreading ORDER BY id").fetchall()
    migrate(unparted, "0008")
    with psycopg.connect(unparted) as database:
        assert database.execute("SELECT * FROM stations_meterreading ORDER BY id").fetchall() == told
        new = database.execute(
            "INSERT INTO stations_meterreading (station_id, evse_number, transaction_id, sampled_at,"
            " received_at, context, message_id, message) VALUES (1, 1, '', now(), now(), '', '', '')"
            " ON CONFLICT (station_id, sampled_at, evse_number, context) DO NOTHING RETURNING id"
        ).fetchone()
        assert new == (101,)
        stray = database.execute("SELECT count(*) FROM stations_meterreading_default").fetchone()
        assert stray
        assert 40 < stray[0] < 50
        indexes = database.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'stations_meterreading'"
        )
        assert {name for (name,) in indexes} == {
            "stations_meterreading_pkey",
            "reading_once",
            "reading_message",
        }


def migrate(url: str, to: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "stations", to],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "REDIS_URL": ""},
        check=True,
    )
