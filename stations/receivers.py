"""After-effects of events within stations. Receivers run on commit: they only enqueue."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from stations.capabilities import READS
from stations.events import Kind, event_recorded
from stations.models import Command, Event
from stations.tasks import read_capabilities


@receiver(event_recorded, dispatch_uid="stations.read_capabilities")
def read_capabilities_after_boot(*, event: Event, **_: Any) -> None:
    """A boot may have brought other firmware. A read whose answer got lost is simply repeated (rule 4)."""
    if event.kind == Kind.BOOTED or _lost_a_read(event):
        read_capabilities.delay(event.station_id)


def _lost_a_read(event: Event) -> bool:
    return (
        event.kind == Kind.COMMAND_LOST
        and event.data["state"] == Command.State.UNKNOWN
        and event.data["action"] in READS
    )
