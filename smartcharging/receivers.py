"""After-effects of events: which of them may move a profile on. They enqueue, and do nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from smartcharging.models import DesiredProfile
from smartcharging.policies import SafeLimit
from smartcharging.safe_limits import wanted_at
from smartcharging.tasks import keep_safe_limit, keep_safe_limits, reconcile, take_external_limits
from stations.events import Kind, event_recorded
from stations.models import Event, Station

ACTIONS = {"SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule", "GetChargingProfiles"}
KINDS = {
    Kind.CONNECTED,
    Kind.BOOTED,
    Kind.CAPABILITIES_READ,
    Kind.LIMIT_CHANGED,
    Kind.SESSION_STARTED,
    Kind.SESSION_ENDED,
}
ANSWERS = {Kind.COMMAND_ANSWERED, Kind.COMMAND_LOST}


@receiver(event_recorded, dispatch_uid="smartcharging.reconcile")
def reconcile_after(event: Event, among: Sequence[Event], **_: Any) -> None:
    """Reconcile each station that has wishes, when something happened that bears on them."""
    if event is not among[0]:
        return  # asked for all at once: a fleet answers within a second, and a query each takes longer than that
    moved = {each.station_id for each in among if _bears_on_wishes(each)}
    if moved:
        wishes = DesiredProfile.objects.filter(station=OuterRef("pk"))
        for station in Station.objects.filter(Exists(wishes), pk__in=moved).only("pk"):
            reconcile.delay(station.pk)


def _bears_on_wishes(event: Event) -> bool:
    if event.kind == Kind.PROFILES_REPORTED:
        # A list may have thousands of parts, and says nothing before its last.
        return bool(event.data.get("is_last"))
    return event.kind in KINDS or (event.kind in ANSWERS and event.data.get("action") in ACTIONS)


@receiver(event_recorded, dispatch_uid="smartcharging.external_limits")
def take_external_limits_after(event: Event, **_: Any) -> None:
    """Take in what a station told of limits of others; on a new connection also what no nudge told of."""
    told = event.kind in {Kind.EXTERNAL_LIMIT_SET, Kind.EXTERNAL_LIMIT_CLEARED}
    is_back = event.kind == Kind.CONNECTED and event.data.get("ocpp_version") != "1.6"
    if told or is_back:
        take_external_limits.delay(event.station_id)


@receiver(event_recorded, dispatch_uid="smartcharging.safe_limit")
def keep_safe_limit_after(event: Event, among: Sequence[Event], **_: Any) -> None:
    """Only now it is known in which unit the station takes it."""
    if event is not among[0]:
        return
    read = {each.station_id for each in among if each.kind == Kind.CAPABILITIES_READ}
    for station_id in wanted_at(read):
        keep_safe_limit.delay(station_id)


@receiver([post_save, post_delete], sender=SafeLimit, dispatch_uid="smartcharging.safe_limit_changed")
def keep_safe_limits_after_change(*, instance: SafeLimit, **_: Any) -> None:
    transaction.on_commit(partial(keep_safe_limits.delay, instance.operator_id), robust=True)
