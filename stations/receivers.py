"""After-effects of events within stations. Receivers run on commit: they only enqueue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from stations import certificates, securing
from stations.capabilities import READS
from stations.changes import ACTIONS
from stations.device_model import ACTIONS as REPORTS
from stations.events import Kind, event_recorded
from stations.local_lists import ACTIONS as LIST_ACTIONS
from stations.models import Command, Event, LocalList, Station, StationCertificate, Token, TokenGroup
from stations.nudges import nudge_gateways
from stations.tasks import (
    check_local_list,
    look_after_certificates,
    look_after_rollouts,
    note_lost_command,
    read_capabilities,
    read_unread_capabilities,
    settle_lost,
    sync_local_lists,
    take_in_local_list,
    write_down_cost,
)

# A station that comes back with other firmware boots; until then it takes no questions (2.0.1, B02).
BOOT_PATIENCE_S = 60
TOKENS_SETTLE_S = 20
READ_AT_ONCE = (
    100  # stations that one task asks what they can do; a task for each would cost more than the asking
)
ANSWERS_SETTLE_S = 1
SETTLED = (*ACTIONS, *REPORTS, "SetVariableMonitoring", "ClearVariableMonitoring")


@receiver(event_recorded, dispatch_uid="stations.read_capabilities")
def read_capabilities_after_boot(*, event: Event, among: Sequence[Event], **_: Any) -> None:
    """A boot may have brought other firmware. A read whose answer got lost is simply repeated (rule 4)."""
    if event.kind == Kind.OCPP_CHANGED:
        # Another version without a boot: this portal has learned one that the station had all the time.
        read_unread_capabilities.apply_async((event.station_id,), countdown=BOOT_PATIENCE_S)
    if event is among[0]:
        unread = {each.station_id for each in among if each.kind == Kind.BOOTED or _lost_a_read(each)}
        station_ids = sorted(unread)
        for start in range(0, len(station_ids), READ_AT_ONCE):
            read_capabilities.delay(station_ids[start : start + READ_AT_ONCE])


@receiver(event_recorded, dispatch_uid="stations.settle_lost")
def settle_what_was_lost(*, event: Event, **_: Any) -> None:
    """A value that was to be set, a monitor, a report: no answer comes to it any more."""
    if event.kind == Kind.COMMAND_LOST and event.data["action"] in SETTLED:
        settle_lost.delay(event.data["command"])


@receiver(event_recorded, dispatch_uid="stations.rollouts")
def go_on_with_rollouts(*, event: Event, **_: Any) -> None:
    """A station answered, so there is room for the next. Many answer at once: the first waits and takes them along."""
    is_answer = event.kind in (Kind.COMMAND_ANSWERED, Kind.COMMAND_LOST) and event.data["action"] in ACTIONS
    if is_answer and cache.add("stations.rollouts", 1, ANSWERS_SETTLE_S):
        look_after_rollouts.apply_async(countdown=ANSWERS_SETTLE_S)


@receiver(event_recorded, dispatch_uid="stations.write_down_cost")
def write_down_cost_after_end(*, event: Event, **_: Any) -> None:
    if event.kind == Kind.SESSION_ENDED:
        write_down_cost.delay(event.data["session"])


@receiver(event_recorded, dispatch_uid="stations.local_list")
def follow_local_list(*, event: Event, among: Sequence[Event], **_: Any) -> None:
    if event.kind in (Kind.COMMAND_ANSWERED, Kind.COMMAND_LOST) and event.data["action"] in LIST_ACTIONS:
        take_in_local_list.delay(event.data["command"])
    if event is among[0]:
        # Most stations have none: after a storm it would be a task for each of them.
        booted = {each.station_id for each in among if each.kind == Kind.BOOTED}
        for station_id in _with_a_local_list(booted):
            check_local_list.delay(station_id)


def _with_a_local_list(station_ids: set[int]) -> set[int]:
    if not station_ids:
        return set()
    lists = LocalList.objects.filter(station_id__in=station_ids)
    return set(lists.values_list("station_id", flat=True))


@receiver([post_save, post_delete], sender=Token, dispatch_uid="stations.token_changed")
@receiver([post_save, post_delete], sender=TokenGroup, dispatch_uid="stations.token_group_changed")
def sync_lists_after_change(*, instance: Any, **_: Any) -> None:
    """Many tokens change at once: the first waits a while and takes the others along."""
    transaction.on_commit(partial(_sync_lists_soon, instance.operator_id), robust=True)


@receiver(post_delete, sender=Station, dispatch_uid="stations.station_deleted")
def close_socket_after_deletion(*, instance: Station, **_: Any) -> None:
    """Its lease went with it: whoever holds the socket looks, and closes it."""
    nudge_gateways([instance.pk])


def _sync_lists_soon(operator_id: int) -> None:
    if cache.add(f"stations.local-lists.{operator_id}", 1, TOKENS_SETTLE_S):
        sync_local_lists.apply_async((operator_id,), countdown=TOKENS_SETTLE_S)


def _lost_a_read(event: Event) -> bool:
    return (
        event.kind == Kind.COMMAND_LOST
        and event.data["state"] == Command.State.UNKNOWN
        and event.data["action"] in READS
    )


@receiver(event_recorded, dispatch_uid="stations.sign_certificate")
def sign_certificate(*, event: Event, **_: Any) -> None:
    """A signer may be a network away: it is asked after the station has its answer."""
    if event.kind == Kind.CERTIFICATE and event.data["state"] == StationCertificate.State.REQUESTED:
        look_after_certificates.delay()


@receiver(event_recorded, dispatch_uid="stations.note_lost_command")
def note_lost_security_command(*, event: Event, **_: Any) -> None:
    """What a password or certificate waits for, will not be answered: that has its named state too."""
    if event.kind == Kind.COMMAND_LOST and event.data["action"] in securing.ACTIONS | certificates.ACTIONS:
        note_lost_command.delay(event.data["command"])
