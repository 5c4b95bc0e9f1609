"""Group commit: one thread with its own connection writes for all sockets of this process.

Work queues up while a commit runs; the next transaction takes all of it (at most MAX_BATCH), and then every
acknowledgement is released at once. There is no timer: the commit itself is the window. What fails is not
acknowledged (rule 10), so the station sends it again, and unique keys make that harmless.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from psycopg import Cursor

from stations import events
from stations.gathering import Job, Together, gathered
from stations.nudges import nudge_pages
from stations.ocpp.readings import COLUMNS, FIRST_MEASURED, MEASURED, Row, rows_of

logger = logging.getLogger(__name__)

MAX_BATCH = 512
# More than this waiting: sockets wait before they read on.
MAX_WAITING = 8 * MAX_BATCH
# A database that is away for longer than this loses the batch, unacknowledged: stations repeat what was not answered.
PATIENCE_S = 25.0


class Writer:
    """The thread. `released(jobs)` is called in it after each commit, with every job that came to an end."""

    def __init__(self, released: Callable[[Sequence[Job]], None]) -> None:
        self._released = released
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, job: Job) -> None:
        self._waiting.put(job)

    @property
    def is_full(self) -> bool:
        return self._waiting.qsize() > MAX_WAITING

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._take()
            if batch:
                _write(batch)
                self._released(batch)
        connection.close()

    def _take(self) -> tuple[list[Job], bool]:
        """All that waits, up to MAX_BATCH; blocks for the first. The flag says that stop() was reached."""
        job = self._waiting.get()
        batch: list[Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) == MAX_BATCH:
                return batch, False
            try:
                job = self._waiting.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True


def _write(batch: list[Job]) -> None:
    """Make the batch durable in one transaction; where one job spoils it, each in its own."""
    try:
        _patiently(batch)
    except (OperationalError, InterfaceError) as error:
        logger.exception("%d messages not written, so not acknowledged", len(batch))
        _fail(batch, error)
    except Exception as error:
        if len(batch) == 1:
            logger.exception("A message could not be written")
            _fail(batch, error)
            return
        for job in batch:
            _write([job])


def _patiently(batch: list[Job]) -> None:
    """Wait for a database that is away; what it refuses for another reason is raised at once."""
    started = time.monotonic()
    while True:
        try:
            return _commit(batch)
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() - started > PATIENCE_S:
                raise
            logger.warning("The database is away, trying again: %s", error)
            connection.close()
            close_old_connections()
            time.sleep(0.5)


def _commit(batch: list[Job]) -> None:
    for job in batch:
        job.error = job.result = None
    if connection.vendor == "postgresql" and all(job.rows is not None for job in batch):
        # One statement is a transaction by itself: one way to the server and back, instead of three.
        insert_readings([row for job in batch for row in job.rows or ()])
        return
    with events.told_together(), transaction.atomic():
        for jobs in gathered(batch):
            _take_in(jobs)


def _take_in(jobs: list[Job]) -> None:
    """A group of jobs of one kind."""
    first = jobs[0]
    if first.rows is not None:
        insert_readings([row for job in jobs for row in job.rows or ()])
    elif first.together is None or len(jobs) == 1 or not _work_together(jobs, first.together):
        for job in jobs:
            _work(job)


def _work_together(jobs: list[Job], together: Together) -> bool:
    """Run them as one. False: one of them spoils it, so each is run by itself."""
    try:
        with transaction.atomic():
            results = together([job.item for job in jobs])
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("%d messages could not be taken in together", len(jobs))
        return False
    for job, result in zip(jobs, results, strict=True):
        job.result = result
    return True


def _work(job: Job) -> None:
    """Run the job in a savepoint: what it raises spoils no other job of the batch."""
    try:
        with transaction.atomic():
            job.result = job.together([job.item])[0] if job.together else job.work()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - a bug in one handler costs one message, not the batch
        job.error = error


def _fail(batch: list[Job], error: Exception) -> None:
    for job in batch:
        job.error = error


# ---------------------------------------------------------------- readings

_KEY = "station_id, sampled_at, evse_number, context"
_KEYS = itemgetter(*(COLUMNS.index(name) for name in _KEY.split(", ")))
_TIMES = [COLUMNS.index("sampled_at"), COLUMNS.index("received_at")]
_TYPES = {"station_id": "bigint", "evse_number": "smallint"}
_TYPES |= dict.fromkeys(("sampled_at", "received_at"), "timestamptz") | dict.fromkeys(MEASURED, "float8")


def _insert(source: str) -> str:
    """A repeat changes nothing; the rest of a moment that a station told in two messages is added to it."""
    added = ", ".join(
        f"{name} = COALESCE(stations_meterreading.{name}, excluded.{name})" for name in MEASURED
    )
    told = " OR ".join(
        f"(stations_meterreading.{name} IS NULL AND excluded.{name} IS NOT NULL)" for name in MEASURED
    )
    return (
        f"INSERT INTO stations_meterreading ({', '.join(COLUMNS)}) {source} "
        f"ON CONFLICT ({_KEY}) DO UPDATE SET {added} WHERE {told}"
    )


_INSERT_SQLITE = _insert(f"VALUES ({', '.join('?' * len(COLUMNS))})")
# All rows as one array: a row of them costs this process a sixth of what it costs as parameters.
_INSERT_POSTGRESQL = _insert(
    "SELECT "  # noqa: S608 - names of ours
    + ", ".join(f"(told->>{place})::{_TYPES.get(name, 'text')}" for place, name in enumerate(COLUMNS))
    + " FROM jsonb_array_elements(%s::jsonb) AS told"
)


def insert_readings(rows: list[Row]) -> None:
    """Write rows as made by stations.ocpp.readings; what is there already stays as it was (rule 5)."""
    if not rows:
        return
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        _insert_into_sqlite(rows)
    else:
        _insert_into_postgresql(rows)
    nudge_pages({row[0] for row in rows})


def _insert_into_sqlite(rows: list[Row]) -> None:
    for row in rows:
        for index in _TIMES:
            # As Django writes a time to SQLite: naive, in UTC.
            if not isinstance(row[index], str):
                row[index] = row[index].replace(tzinfo=None).isoformat(" ")
    # The driver itself: Django's cursor would translate the places of the statement anew each time.
    connection.connection.executemany(_INSERT_SQLITE, rows)


def _insert_into_postgresql(rows: list[Row]) -> None:
    told = orjson.dumps(_each_moment_once(rows)).decode()
    with connection.wrap_database_errors:
        # The driver's own cursor: Django's would write all the text into the statement.
        Cursor(connection.connection).execute(_INSERT_POSTGRESQL, [told])


def _each_moment_once(rows: list[Row]) -> list[Row]:
    """One statement may not touch a row twice: what follows of a moment is added to the first, as the table does."""
    once: dict[Any, Row] = {}
    for row in rows:
        key = _KEYS(row)
        first = once.setdefault(key, row)
        if first is not row:
            pairs = zip(first[FIRST_MEASURED:], row[FIRST_MEASURED:], strict=True)
            once[key] = first[:FIRST_MEASURED] + [b if a is None else a for a, b in pairs]
    return list(once.values())


def store_readings(
    *,
    station_id: int,
    evse_number: int,
    transaction_id: str,
    meter_values: list[dict[str, Any]],
    now: datetime,
    message_id: str = "",
) -> None:
    """Readings inside another message (TransactionEvent, StopTransaction), in that message's transaction."""
    insert_readings(
        rows_of(
            meter_values,
            station_id=station_id,
            evse_number=evse_number,
            transaction_id=transaction_id,
            received_at=now,
            message_id=message_id,
        )
    )
