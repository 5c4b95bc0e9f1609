"""Celery tasks: ids in, rows read anew, safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from smartcharging import dispatch, external_limits, safe_limits


@shared_task(name="smartcharging.tasks.reconcile")
def reconcile(station_id: int) -> None:
    """Do the next steps of the profiles of one station."""
    dispatch.reconcile(station_id, timezone.now())


@shared_task(name="smartcharging.tasks.reconcile_unconfirmed")
def reconcile_unconfirmed() -> None:
    """Each minute: all stations with something left to do. A lost nudge costs a minute, never a limit."""
    for station_id in dispatch.unfinished(timezone.now()):
        reconcile.delay(station_id)


@shared_task(name="smartcharging.tasks.take_external_limits")
def take_external_limits(station_id: int) -> None:
    """Bring the limits that others set on a station up to what it told."""
    external_limits.take_external_limits(station_id)


@shared_task(name="smartcharging.tasks.keep_safe_limit")
def keep_safe_limit(station_id: int) -> None:
    """A station started, or said what it can take: its safe limit is wanted in its own unit."""
    safe_limits.keep(station_id, timezone.now())


@shared_task(name="smartcharging.tasks.keep_safe_limits")
def keep_safe_limits(operator_id: int | None = None) -> None:
    """The policy of an operator changed; or the round over all, for a station that is new and a task that got lost."""
    now = timezone.now()
    for station_id in list(safe_limits.to_keep(operator_id)):
        safe_limits.keep(station_id, now)
