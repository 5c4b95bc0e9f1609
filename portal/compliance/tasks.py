"""Celery tasks: ids in, rows read anew, safe to run twice."""

from __future__ import annotations

from datetime import date, timedelta

from celery import shared_task
from django.utils import timezone

from portal.celery import WaitingTask
from portal.compliance import configuration, judgement, observing, running, usage_counting
from portal.compliance.models import Probe
from stations.models import ChargingSession, Municipality, Station

# A probe that waited this long was enqueued by a process that is gone, or its message was lost.
FORGOTTEN_S = 10


@shared_task(name="portal.compliance.tasks.run_probe", base=WaitingTask)
def run_probe(probe_id: int) -> None:
    running.run(probe_id)


@shared_task(name="portal.compliance.tasks.recover_probes", base=WaitingTask)
def recover_probes() -> None:
    """Enqueue what nobody took, and restore the stations of probes whose runner died."""
    forgotten = timezone.now() - timedelta(seconds=FORGOTTEN_S)
    waiting = Probe.objects.filter(state=Probe.State.QUEUED, requested_at__lt=forgotten)
    for probe_id in waiting.values_list("pk", flat=True):
        run_probe.delay(probe_id)
    running.recover()


@shared_task(name="portal.compliance.tasks.check_configuration")
def check_configuration(station_id: int) -> None:
    """After the capabilities of a station were read."""
    station = _station(station_id)
    if station is not None:
        configuration.check_configuration(station, now=timezone.now())


@shared_task(name="portal.compliance.tasks.judge_again")
def judge_again(station_id: int) -> None:
    """After new firmware, or another configuration: what was proven may be stale now."""
    station = _station(station_id)
    if station is not None:
        judgement.update_station(station=station, now=timezone.now())


@shared_task(name="portal.compliance.tasks.observe_session")
def observe_session(session_id: int) -> None:
    """After a session ended, or while one discharges: what it shows of the registers."""
    rows = ChargingSession.objects.select_related("station__site__concession", "station__site__operator")
    session = rows.filter(pk=session_id).first()
    if session is not None:
        observing.observe(session, now=timezone.now())


@shared_task(name="portal.compliance.tasks.observe_discharges")
def observe_discharges() -> None:
    """Each minute: the sessions of which new samples say that power flows out."""
    for session_id in observing.sessions_that_discharge():
        observe_session.delay(session_id)


@shared_task(name="portal.compliance.tasks.count_usage")
def count_usage() -> None:
    """The months that are over and were not counted yet, each by itself."""
    for municipality, month in usage_counting.months_to_count(now=timezone.now()):
        count_usage_month.delay(municipality, month.isoformat())


@shared_task(name="portal.compliance.tasks.count_usage_month")
def count_usage_month(municipality_id: int, month: str) -> None:
    municipality = Municipality.objects.filter(pk=municipality_id).first()
    now = timezone.now()
    first_day = date.fromisoformat(month)
    # Another round may have counted it since.
    if municipality is not None and (municipality_id, first_day) in usage_counting.months_to_count(now=now):
        usage_counting.count_month(municipality, first_day, now=now)


def _station(station_id: int) -> Station | None:
    rows = Station.objects.select_related("site__concession", "site__operator")
    return rows.filter(pk=station_id).first()
