"""What a 2.x station says of profiles and limits: those that stand on it, those of others, and what it asks for them.

Each becomes an event, in the transaction of the frame; who keeps profiles listens. A repeat is a second event with the
same data, and whoever listens keeps profiles by their ids.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from stations import events
from stations.models import Station
from stations.ocpp import messages as m
from stations.ocpp.masking import mask_payload

# As much as a frame holds, as long as OCPP_MAX_FRAME_BYTES is not set larger: a row of more is nobody's to read again.
# The frame log has the message as sent.
MAX_KEPT_BYTES = 256 * 1024

Wire = list[dict[str, Any]]


def profiles_reported(station: Station, message: m.ReportedProfiles, *, now: datetime) -> m.Reply:
    """One part of a report (2.0.1, K09); parts come in any number, per EVSE and source, the last without `tbc`."""
    profiles, left_out = _kept(message.profiles)
    data = {
        "request_id": message.request_id,
        "evse": message.evse_number,
        "source": message.source,
        "is_last": message.is_last,
        "profiles": profiles,
        "left_out": left_out,
    }
    events.record(station_id=station.pk, kind=events.Kind.PROFILES_REPORTED, at=now, now=now, data=data)
    return m.Empty()


def limit_set(station: Station, message: m.ExternalLimit, *, now: datetime) -> m.Reply:
    """An energy manager, a grid operator or the station's own settings limit it (2.0.1, K11 to K13)."""
    schedules, left_out = _kept(message.schedules)
    data = {
        "evse": message.evse_number,
        "source": message.source,
        "is_grid_critical": message.is_grid_critical,
        "is_local_generation": message.is_local_generation,
        "schedules": schedules,
        "left_out": left_out,
    }
    events.record(station_id=station.pk, kind=events.Kind.EXTERNAL_LIMIT_SET, at=now, now=now, data=data)
    return m.Empty()


def limit_cleared(station: Station, message: m.ExternalLimitCleared, *, now: datetime) -> m.Reply:
    """A limit of somebody else is gone (2.0.1, K13)."""
    data = {"evse": message.evse_number, "source": message.source}
    events.record(station_id=station.pk, kind=events.Kind.EXTERNAL_LIMIT_CLEARED, at=now, now=now, data=data)
    return m.Empty()


def priority_charging(station: Station, message: m.PriorityCharging, *, now: datetime) -> m.Reply:
    data = {"transaction": message.transaction_id, "activated": message.activated}
    events.record(station_id=station.pk, kind=events.Kind.PRIORITY_CHARGING, at=now, now=now, data=data)
    return m.Empty()


def dynamic_update_asked(station: Station, message: m.DynamicUpdateAsked, *, now: datetime) -> m.Reply:
    """No Dynamic profile is sent from here yet, so there is nothing to update: Rejected (2.1, K28)."""
    data = {"profile": message.profile_id}
    events.record(station_id=station.pk, kind=events.Kind.DYNAMIC_UPDATE_ASKED, at=now, now=now, data=data)
    return m.NeutralReply("PullDynamicScheduleUpdate")


def _kept(items: Wire) -> tuple[Wire, int]:
    """Those of `items` that fit into a row, masked and in their order, and how many do not."""
    kept, room = [], MAX_KEPT_BYTES
    for item in items:
        masked = mask_payload("", item)
        try:
            size = len(orjson.dumps(masked))
        except orjson.JSONEncodeError:  # a vendor's data, nested too deep to be written
            continue
        if "id" in masked and size <= room:
            kept.append(masked)
            room -= size
    return kept, len(items) - len(kept)
