"""Celery: dispatches profiles, runs probes. Settings start with CELERY_ (portal.settings)."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import Celery, Task
from celery.signals import task_prerun
from django.db import connections
from kombu.exceptions import OperationalError
from kombu.transport import redis as redis_transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

logger = logging.getLogger(__name__)

AWAY_S = 5.0
# Tasks at once, in a process that holds sockets too: of those that compute, more would only take turns with its writer.
AT_ONCE = 2
# Of SQLite, in KiB. It is 2 MiB for each thread else, which a round each minute fills in yet another thread.
SMALL_CACHE = "PRAGMA cache_size = -256"


class PortalTask(Task):  # type: ignore[type-arg]
    """A task that is not enqueued while Redis is away: its row stands, and a round of beat finds it.

    A line that swallows everything holds up whoever enqueues once, and then not again for a while.
    """

    _away_until = 0.0
    _aside: ThreadPoolExecutor | None = None
    _at_once: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()

    @classmethod
    def enqueue_aside(cls) -> None:
        """In a server: from here on a thread of its own does it. The writer must not wait for Redis, nor a page."""
        PortalTask._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="enqueue")

    @classmethod
    def run_few_at_once(cls) -> None:
        """In a server that is the worker too: after a storm two thousand tasks wait, and stations must not."""
        PortalTask._at_once = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, *args: Any, **options: Any) -> Any:
        with PortalTask._at_once:
            return self.run(*args, **options)

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if PortalTask._aside is None:
            return self._enqueue(*args, **options)
        PortalTask._aside.submit(self._enqueue, *args, **options)
        return None

    def _enqueue(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < PortalTask._away_until:
            return None
        try:
            return super().apply_async(*args, **options)
        except (OperationalError, OSError) as error:
            PortalTask._away_until = time.monotonic() + AWAY_S
            logger.warning("Redis is away, %s and what follows is left to the rounds: %s", self.name, error)
            return None


class WaitingTask(PortalTask):
    """It mostly waits for a station: as many at once as there are threads."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.run(*args, **options)


class _KeepsCalm(redis_transport.QoS):
    """A worker gives back the tasks that it has not finished when its line closes.

    Kombu 5.6 does so over the very line that was just lost; that error ends the worker. What is not given back comes
    by itself (`visibility_timeout`), and until then a round of beat finds its row.
    """

    def restore_unacked_once(self, stderr: Any = None) -> None:
        try:
            super().restore_unacked_once(stderr)
        except Exception as error:  # noqa: BLE001 - whatever it is: the line is closing
            logger.warning("Unfinished tasks could not be given back now: %r", error)


redis_transport.Channel.QoS = _KeepsCalm


def _keep_the_line(**_: Any) -> None:
    """A task takes the database connection of the one before it, unless that broke; a new one costs 2 ms and more."""
    for line in connections.all(initialized_only=True):
        if line.connection is None or line.in_atomic_block:
            continue
        if not line.is_usable():
            line.close()
        elif line.vendor == "sqlite":
            line.connection.execute(SMALL_CACHE)


task_prerun.connect(_keep_the_line)

app: Any = Celery("portal", task_cls=PortalTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
