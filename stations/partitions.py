"""What comes without end is kept in parts by time, so that the old goes at once and the new stays small.

On PostgreSQL readings stand in a partition for each month and frames in one for each week, with a default one for
moments that no partition is made for: a station whose clock is off by years is heard all the same. Elsewhere there are
no partitions, and what is old is deleted in bites, so that whoever writes meanwhile waits for one bite at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from stations.models import Frame, MeterReading, Station

BITE = 2_000
# Between two bites, so that a writer who waits comes first: SQLite has no queue.
BREATH_S = 0.02
# Who holds a table for longer is left alone: the next round comes in an hour.
LOCK_TIMEOUT_MS = 3_000


@dataclass(frozen=True, slots=True)
class Parted:
    """A table that is kept in parts of `days` days; 0 is by the month. `ahead` parts are made before their time."""

    table: str
    column: str
    days: int
    ahead: int

    def start_of(self, at: datetime) -> date:
        """The first day of the part that this moment falls in, in UTC."""
        day = at.astimezone(UTC).date()
        if not self.days:
            return day.replace(day=1)
        return day - timedelta(days=day.weekday() % self.days)

    def next(self, start: date) -> date:
        if self.days:
            return start + timedelta(days=self.days)
        return (start + timedelta(days=32)).replace(day=1)

    def name(self, start: date) -> str:
        return f"{self.table}_{start:%Y%m%d}"

    @property
    def default(self) -> str:
        return f"{self.table}_default"


READINGS = Parted("stations_meterreading", "sampled_at", days=0, ahead=2)
FRAMES = Parted("stations_frame", "at", days=7, ahead=3)


# ---------------------------------------------------------------- partitions


def make_ahead(parted: Parted, *, oldest: datetime, now: datetime) -> list[str]:
    """Make the parts of now and of what comes, and those of moments since `oldest` that the default one holds.

    Returns the names of the new ones. Safe for several at once, and to run again.
    """
    last = start = parted.start_of(now)
    wanted = {start}
    for _ in range(parted.ahead):
        last = parted.next(last)
        wanted.add(last)
    wanted.update(day for day in _strays(parted) if parted.start_of(oldest) <= day <= last)
    missing = sorted(wanted - set(parts_of(parted)))
    return [parted.name(start) for start in missing if _made(parted, start)]


def drop_old(parted: Parted, *, oldest: datetime) -> list[str]:
    """Drop the parts of which all is older than `oldest`. Returns their names."""
    over = [start for start in parts_of(parted) if _midnight(parted.next(start)) <= oldest]
    return [parted.name(start) for start in over if _dropped(parted, start)]


def parts_of(parted: Parted) -> list[date]:
    """The first days of the parts that there are, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = %s::regclass AND child.relname <> %s ORDER BY 1",
            [parted.table, parted.default],
        )
        return [_day(parted, name) for (name,) in cursor.fetchall()]


def make_part(parted: Parted, start: date) -> None:
    """Make one part, in the caller's transaction, and move into it what the default one holds of its time."""
    name, bounds = parted.name(start), (_midnight(start), _midnight(parted.next(start)))
    first, end = (f"'{bound.isoformat()}'" for bound in bounds)
    with connection.cursor() as cursor:
        # Nothing may come in between what is moved and the partition that takes the rest.
        cursor.execute(f"LOCK TABLE {parted.default} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE {parted.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {parted.default} WHERE {parted.column} >= {first}"  # noqa: S608
            f" AND {parted.column} < {end} RETURNING *) INSERT INTO {name} SELECT * FROM moved"
        )
        cursor.execute(
            f"ALTER TABLE {parted.table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"
        )


def _made(parted: Parted, start: date) -> bool:
    return _alone(lambda: make_part(parted, start), unless=lambda: start in parts_of(parted))


def _dropped(parted: Parted, start: date) -> bool:
    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {parted.name(start)}")

    return _alone(drop, unless=lambda: start not in parts_of(parted))


def _alone(change: Any, *, unless: Any) -> bool:
    """Change the tables, one process at a time; false where another did it, or where a table is held for too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('stations.partitions'))")
            if unless():
                return False
            change()
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        return False
    return True


def _strays(parted: Parted) -> Iterator[date]:
    """The parts that the rows of the default one would be in."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('day', {parted.column}, 'UTC') FROM {parted.default}"  # noqa: S608
        )
        yield from {parted.start_of(at) for (at,) in cursor.fetchall()}


def _day(parted: Parted, name: str) -> date:
    return datetime.strptime(name.removeprefix(f"{parted.table}_"), "%Y%m%d").replace(tzinfo=UTC).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


# ---------------------------------------------------------------- what is old


def delete_old_frames(*, oldest: datetime, now: datetime) -> None:
    """Frames from before `oldest`, and the messages that readings of before then came in."""
    if connection.vendor == "postgresql":
        make_ahead(FRAMES, oldest=oldest, now=now)
        drop_old(FRAMES, oldest=oldest)
    in_bites(Frame.objects.filter(at__lt=oldest))
    told = MeterReading.objects.filter(received_at__lt=oldest).exclude(message="").order_by("received_at")
    in_bites(told, message="")


def delete_old_readings(*, oldest: datetime, now: datetime) -> None:
    """Readings from before `oldest`. One with a clock far off goes when it came that long ago."""
    if connection.vendor != "postgresql":
        # The index is by station; a look over the whole table would hold the writer up.
        for station_id in Station.objects.values_list("pk", flat=True):
            in_bites(
                MeterReading.objects.filter(station=station_id, sampled_at__lt=oldest, received_at__lt=oldest)
            )
        return
    make_ahead(READINGS, oldest=oldest, now=now)
    drop_old(READINGS, oldest=oldest)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {READINGS.default} WHERE received_at < %s",  # noqa: S608 - a name of ours
            [oldest],
        )


def in_bites(rows: QuerySet[Any], **fields: Any) -> int:
    """Delete `rows`, or set `fields` of them, so that they are rows of the query no more; some at a time."""
    count = 0
    while True:
        bite = list(rows.values_list("pk", flat=True)[:BITE])
        if bite:
            own = rows.model.objects.filter(pk__in=bite)
            # Nothing hangs on these rows, so no row of them needs to be read to be deleted.
            count += own.update(**fields) if fields else own._raw_delete(own.db)  # noqa: SLF001
        if len(bite) < BITE:
            return count
        time.sleep(BREATH_S)
