"""The one path of events: record() is the only writer of Event, and after the commit there is one signal."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import models, transaction
from django.dispatch import Signal

from stations.models import Event
from stations.nudges import nudge_pages

# Receivers get `event=Event`, once the row is durable. They enqueue; they never wait.
event_recorded = Signal()


class Kind(models.TextChoices):
    """What can happen to a station. `data` of the event holds what is named behind it."""

    CONNECTED = "connected"  # ocpp_version
    DISCONNECTED = "disconnected"  # reason
    BOOTED = "booted"  # firmware, vendor, model, reason, firmware_changed
    STATUS = "status"  # evse, connector, status
    SESSION_STARTED = "session_started"  # session, evse
    SESSION_UPDATED = "session_updated"  # session, evse, charging_state (2.x)
    SESSION_ENDED = "session_ended"  # session, evse
    ORPHAN_STOP = "orphan_stop"  # session
    CAPABILITIES_READ = "capabilities_read"
    COMMAND_ANSWERED = "command_answered"  # command, action, state
    COMMAND_LOST = "command_lost"  # command, action, state
    LIMIT_CHANGED = "limit_changed"  # desired
    BAD_FRAME = "bad_frame"  # code, description
    SECURITY = "security"  # type, info
    FIRMWARE = "firmware"  # status
    NEUTRAL = "neutral"  # action


def record(
    *, station_id: int, kind: str, at: datetime, now: datetime, data: dict[str, Any] | None = None
) -> Event:
    """Write down what happened; call it in the transaction of the change itself.

    `at` is the moment as the source says, `now` ours. `data` is small and holds no token and no secret.
    """
    event = Event.objects.create(station_id=station_id, kind=kind, at=at, recorded_at=now, data=data or {})
    transaction.on_commit(partial(event_recorded.send_robust, sender=Event, event=event))
    nudge_pages([station_id])
    return event
