"""Profiles that a station turned out not to have: recorded, repaired by policy or put back by a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from smartcharging.domain.sayings import Saying
from smartcharging.models import DesiredProfile, Drift
from smartcharging.policies import DriftPolicy
from stations import events
from stations.models import Presence, Station

State = DesiredProfile.State
End = Drift.End


class CannotPutBack(ValueError):
    """Nothing to put back. The text is for people."""


def is_repaired(row: DesiredProfile) -> bool:
    """Whether `row` is sent again by itself when the station turns out not to have it.

    A limit that never stood is still being set; what a person put back is sent until it stands.
    """
    if row.confirmed_at is None or (open_drift(row) and row.drifts.open().exclude(put_back_at=None).exists()):
        return True
    policy = DriftPolicy.objects.filter(operator__sites__stations=row.station_id).first()
    return policy is None or policy.on_drift == DriftPolicy.OnDrift.REPAIR


def open_drift(row: DesiredProfile) -> Drift | None:
    """The drift of `row` that has not ended; at most one (a constraint)."""
    found: Drift | None = row.drifts.open().first()
    return found


def record_found(row: DesiredProfile, station: Station, reason: Saying, now: datetime) -> None:
    """Write down that the station does not have `row`, or does not follow it; once while it lasts."""
    drift, is_new = Drift.objects.get_or_create(
        desired=row,
        ended_at=None,
        defaults={
            "found_at": now,
            "stood_at": row.confirmed_at,
            "occasion": _occasion(row, station),
            "reason_code": reason.code,
            "reason_values": dict(reason.values),
        },
    )
    if not is_new and drift.reason_code != reason.code:
        Drift.objects.filter(pk=drift.pk).update(reason_code=reason.code, reason_values=dict(reason.values))


def record_end(row: DesiredProfile, now: datetime, *, stands: bool) -> None:
    """`row` stands again, or is wanted no longer."""
    drift = open_drift(row)
    if drift is None:
        return
    end = End.DROPPED
    if stands:
        was_sent = row.deliveries.filter(command__requested_at__gte=drift.found_at).exists()
        end = End.REPAIRED if was_sent else End.BY_ITSELF
        end = End.PUT_BACK if was_sent and drift.put_back_at is not None else end
    Drift.objects.filter(pk=drift.pk, ended_at=None).update(ended_at=now, end=end)


def put_back(desired: DesiredProfile, *, requested_by: Any = None, now: datetime) -> None:
    """Send `desired` again, as a person asked. Raises CannotPutBack where it has not drifted."""
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=desired.station_id)
        waiting = DesiredProfile.objects.current().filter(pk=desired.pk, state=State.DRIFTED)
        if not waiting.update(state=State.PENDING, attempts=0, next_attempt_at=None, settled_at=None):
            raise CannotPutBack(gettext("There is nothing to put back: the station has not lost this limit."))
        desired.drifts.open().update(put_back_at=now, put_back_by=requested_by)
        events.record(
            station_id=desired.station_id,
            kind=events.Kind.LIMIT_CHANGED,
            at=now,
            now=now,
            data={"desired": desired.pk},
        )
    desired.refresh_from_db()


def _occasion(row: DesiredProfile, station: Station) -> str:
    """After what it was found: what happened last to the station since the profile was seen to stand."""
    stood_at = row.confirmed_at
    if stood_at is None:
        return Drift.Occasion.SETTING
    if station.booted_at is not None and station.booted_at > stood_at:
        return Drift.Occasion.REBOOT
    line = Presence.objects.filter(station=station).first()
    if line is not None and line.connected_at is not None and line.connected_at > stood_at:
        return Drift.Occasion.RECONNECT
    return Drift.Occasion.LOOK
