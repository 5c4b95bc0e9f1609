"""What is done aside: reading capabilities, and the rounds of the caretaker. Safe to run twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from stations import capabilities, commands, presence
from stations.models import Frame, MeterReading, Station


@shared_task(name="stations.tasks.read_capabilities")
def read_capabilities(station_id: int) -> None:
    """After a boot: ask what the station can do."""
    station = Station.objects.filter(pk=station_id).first()
    if station is not None:
        capabilities.ask(station, now=timezone.now())


@shared_task(name="stations.tasks.expire_commands")
def expire_commands() -> None:
    commands.expire(timezone.now())


@shared_task(name="stations.tasks.release_dead_leases")
def release_dead_leases() -> None:
    presence.release_dead(timezone.now())


@shared_task(name="stations.tasks.delete_old_frames")
def delete_old_frames() -> None:
    """The frame log is kept for a while; readings stay, but without the message that they came in."""
    oldest = timezone.now() - timedelta(days=float(settings.OCPP_FRAME_RETENTION_DAYS))
    Frame.objects.filter(at__lt=oldest).delete()
    MeterReading.objects.filter(received_at__lt=oldest).exclude(message="").update(message="")
