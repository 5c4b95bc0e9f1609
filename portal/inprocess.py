"""Celery inside the server process: where there is no Redis, one process is the whole portal."""

from __future__ import annotations

import logging
import threading

from celery.beat import Scheduler, Service
from celery.worker import WorkController

from portal.celery import PortalTask, app

logger = logging.getLogger(__name__)

# Probes wait for stations and hold a thread each; reconciling must find one free.
THREADS = 8


class InProcessCelery:
    """A worker and a beat, each in a thread of this process."""

    def start(self) -> None:
        PortalTask.run_few_at_once()
        self._worker = WorkController(
            app=app,
            hostname="in-process",
            pool="threads",
            concurrency=THREADS,
            loglevel=logging.WARNING,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        # The plain scheduler keeps its times in memory: after a restart everything is due, which is right.
        self._beat = Service(app, max_interval=1, scheduler_cls=Scheduler)
        self._threads = [
            threading.Thread(target=self._worker.start, name="celery-worker", daemon=True),
            threading.Thread(target=self._beat.start, args=(True,), name="celery-beat", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tasks that run are left to their end at most a few seconds; they are safe to run twice."""
        self._beat.stop()
        self._worker.stop()
        for thread in self._threads:
            thread.join(timeout=5)
