"""Celery tasks: ids in, rows read anew, safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from smartcharging import dispatch


@shared_task(name="smartcharging.tasks.reconcile")
def reconcile(station_id: int) -> None:
    """Do the next steps of the profiles of one station."""
    dispatch.reconcile(station_id, timezone.now())


@shared_task(name="smartcharging.tasks.reconcile_unconfirmed")
def reconcile_unconfirmed() -> None:
    """Each minute: all stations with something left to do. A lost nudge costs a minute, never a limit."""
    for station_id in dispatch.unfinished(timezone.now()):
        reconcile.delay(station_id)
