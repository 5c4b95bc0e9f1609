"""After-effects of events: which of them may move a profile on. They enqueue, and do nothing else."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from smartcharging.models import DesiredProfile
from smartcharging.tasks import reconcile
from stations.events import Kind, event_recorded
from stations.models import Event

ACTIONS = {"SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"}
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
def reconcile_after(event: Event, **_: Any) -> None:
    """Reconcile a station that has wishes, when something happened that bears on them."""
    moves = event.kind in KINDS or (event.kind in ANSWERS and event.data.get("action") in ACTIONS)
    if moves and DesiredProfile.objects.filter(station_id=event.station_id).exists():
        reconcile.delay(event.station_id)
