"""What is done aside: reading capabilities, and the rounds of the caretaker. Safe to run twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from stations import (
    capabilities,
    certificates,
    changes,
    claims,
    commands,
    costs,
    device_model,
    history,
    local_lists,
    monitoring,
    partitions,
    presence,
    reserving,
    rollouts,
    rollups,
    securing,
    shown_costs,
    uploads,
)
from stations.events import Kind
from stations.models import Capabilities, ChargingSession, Command, Event, QuarterHour, Station

ASKED_AT_ONCE = 200


@shared_task(name="stations.tasks.read_capabilities")
def read_capabilities(station_ids: list[int]) -> None:
    """After their boot: ask what these stations can do."""
    capabilities.ask_each(Station.objects.filter(pk__in=station_ids), now=timezone.now())


@shared_task(name="stations.tasks.read_unread_capabilities")
def read_unread_capabilities(station_id: int) -> None:
    """Some time after a station came with another version: ask what it can do, where no boot of it has led to that."""
    station = Station.objects.filter(pk=station_id, presence__connection__isnull=False).first()
    if station is None:
        return
    if not Capabilities.objects.filter(station=station, read_at__gte=station.presence.connected_at).exists():
        capabilities.ask_each([station], now=timezone.now())


@shared_task(name="stations.tasks.ask_unread_capabilities")
def ask_unread_capabilities() -> None:
    """The round of capabilities: connected stations whose boot led to no reading, for a task of it got lost."""
    now = timezone.now()
    unread = capabilities.unread(now).filter(presence.online(now, "presence__"))
    pks = list(unread.values_list("pk", flat=True))
    for start in range(0, len(pks), ASKED_AT_ONCE):
        portion = Station.objects.filter(pk__in=pks[start : start + ASKED_AT_ONCE])
        capabilities.ask_each(portion, now=now)


@shared_task(name="stations.tasks.expire_commands")
def expire_commands() -> None:
    commands.expire(timezone.now())
    reserving.tidy(timezone.now())


@shared_task(name="stations.tasks.look_after_claims")
def look_after_claims() -> None:
    """The round of drivers who wait for a charge that links their card."""
    claims.look_after(timezone.now())


@shared_task(name="stations.tasks.release_dead_leases")
def release_dead_leases() -> None:
    presence.release_dead(timezone.now())


@shared_task(name="stations.tasks.delete_old_frames")
def delete_old_frames() -> None:
    """The frame log is kept for a while; readings stay longer, but without the message that they came in.

    What stations reported of their profiles goes with the frames: who needs it has made rows of its own. So do the
    values of event streams, which may come each second.
    """
    now = timezone.now()
    oldest = now - timedelta(days=float(settings.OCPP_FRAME_RETENTION_DAYS))
    partitions.delete_old_frames(oldest=oldest, now=now)
    partitions.in_bites(Event.objects.filter(kind=Kind.PROFILES_REPORTED, recorded_at__lt=oldest))
    partitions.in_bites(Event.objects.filter(kind=Kind.EVENT_STREAM, recorded_at__lt=oldest))


@shared_task(name="stations.tasks.delete_old_readings")
def delete_old_readings() -> None:
    """Readings are kept for years, and their quarter-hours for longer."""
    now = timezone.now()
    oldest = now - timedelta(days=float(settings.OCPP_READING_RETENTION_DAYS))
    partitions.delete_old_readings(oldest=oldest, now=now)
    oldest = now - timedelta(days=float(settings.OCPP_QUARTER_RETENTION_DAYS))
    partitions.in_bites(QuarterHour.objects.filter(starts_at__lt=oldest).order_by("starts_at"))


@shared_task(name="stations.tasks.roll_up_readings")
def roll_up_readings() -> None:
    rollups.roll_up_new(now=timezone.now())


@shared_task(name="stations.tasks.delete_old_files")
def delete_old_files() -> None:
    """Logs of stations and their connections are kept for a while; a link that nothing came by has failed."""
    now = timezone.now()
    uploads.forget_old(now)
    history.forget_old(now, days=settings.CONNECTION_RETENTION_DAYS)


@shared_task(name="stations.tasks.measure_connections")
def measure_connections() -> None:
    """The figures of the list of connections."""
    history.measure(timezone.now())


@shared_task(name="stations.tasks.look_after_certificates")
def look_after_certificates() -> None:
    """Sign and send what waits; warn of what expires."""
    certificates.look_after(timezone.now())


@shared_task(name="stations.tasks.note_lost_command")
def note_lost_command(command_id: int) -> None:
    """A command about a password, a profile or a certificate got no answer."""
    command = Command.objects.filter(pk=command_id).select_related("station").first()
    if command is not None:
        securing.take_in(command, now=timezone.now())
        certificates.take_in(command, now=timezone.now())


@shared_task(name="stations.tasks.carry_out_rollout")
def carry_out_rollout(rollout_id: int) -> None:
    """Ask the stations of a roll-out that still wait."""
    rollouts.carry_out(rollout_id, now=timezone.now())


@shared_task(name="stations.tasks.settle_lost")
def settle_lost(command_id: int) -> None:
    """A question about the device model that no answer came to: what rested on it is told so."""
    now = timezone.now()
    command = Command.objects.filter(pk=command_id).select_related("station").first()
    if command is not None and command.state not in Command.OPEN:
        changes.settle(command, now=now)
        monitoring.take_in_answer(command, now=now)
        device_model.take_in_answer(command, now=now)


@shared_task(name="stations.tasks.look_after_rollouts")
def look_after_rollouts() -> None:
    """The round of roll-outs: what a lost task or a lost answer left lying."""
    for rollout_id in rollouts.look_after(timezone.now()):
        carry_out_rollout.delay(rollout_id)


@shared_task(name="stations.tasks.write_down_cost")
def write_down_cost(session_id: int) -> None:
    """A session has ended: keep what it cost."""
    session = ChargingSession.objects.select_related("station__site").filter(pk=session_id).first()
    if session is not None:
        costs.write_down(session, now=timezone.now())


@shared_task(name="stations.tasks.tell_running_costs")
def tell_running_costs() -> None:
    """The round of stations that show a driver what it costs."""
    shown_costs.tell_running(now=timezone.now())


@shared_task(name="stations.tasks.settle_costs")
def settle_costs() -> None:
    """Readings may come late: what ended lately is reckoned again, until it is settled."""
    costs.settle(now=timezone.now())


@shared_task(name="stations.tasks.take_in_local_list")
def take_in_local_list(command_id: int) -> None:
    """A command about a local list was answered, or got lost: the next part, or what went wrong."""
    command = Command.objects.filter(pk=command_id).select_related("station").first()
    if command is not None and command.state not in Command.OPEN:
        local_lists.take_in(command, now=timezone.now())


@shared_task(name="stations.tasks.sync_local_lists")
def sync_local_lists(operator_id: int) -> None:
    """Tokens of this operator changed: its stations that have a list get the difference."""
    for station in local_lists.stations_of(operator_id):
        local_lists.sync(station=station, now=timezone.now())


@shared_task(name="stations.tasks.check_local_list")
def check_local_list(station_id: int) -> None:
    """After a boot: does it still hold what we think?"""
    station = Station.objects.filter(pk=station_id).first()
    if station is not None:
        local_lists.check(station=station, now=timezone.now())
