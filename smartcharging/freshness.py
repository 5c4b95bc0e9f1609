"""Whether what is known of a profile still holds, or the station is to be asked anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from smartcharging.domain.progress import Because
from smartcharging.models import DesiredProfile
from smartcharging.standing import CHANGES, ORIGIN
from stations.events import Kind
from stations.models import ChargingSession, Command, Event

# What stands is read back this often even where nothing happened: a station that lost it does not say so.
LOOK_AGAIN = timedelta(hours=6)
BOOTS = 20
PROBE, PROBE_QUIET = "probe", timedelta(minutes=10)


def is_stale(row: DesiredProfile, since: datetime | None, now: datetime) -> bool:
    """Whether what was found when `row` was settled may be so no longer; `since`: when the station came online.

    The station connected or booted since then, somebody else changed its profiles, it was long ago, or (for what does
    not show while idle) a session began.
    """
    if row.settled_at is None:
        return False
    if since is not None and row.settled_at < since:
        return True
    if _is_touched(row) or (row.settled_at <= now - LOOK_AGAIN and not _is_probed(row.station_id, now)):
        return True
    if row.state != DesiredProfile.State.ACCEPTED and row.reason_code != Because.LISTED:
        return False
    sessions = ChargingSession.objects.filter(station_id=row.station_id, started_at__gt=row.settled_at)
    return sessions.filter(state=ChargingSession.State.ACTIVE).exists()


def has_new_firmware(row: DesiredProfile) -> bool:
    """Whether a refused profile may be taken now: the station came back with other firmware since."""
    if row.state != DesiredProfile.State.REFUSED or row.settled_at is None:
        return False
    boots = Event.objects.filter(station_id=row.station_id, kind=Kind.BOOTED, recorded_at__gt=row.settled_at)
    return any(boot.data.get("firmware_changed") for boot in boots.order_by("-pk")[:BOOTS])


def _is_touched(row: DesiredProfile) -> bool:
    """A command of a person or of another program may have changed it. A probe restores by itself, and proves it."""
    theirs = Command.objects.filter(
        station_id=row.station_id,
        action__in=CHANGES,
        sent_at__isnull=False,
    ).exclude(Q(origin=ORIGIN) | Q(origin__startswith=PROBE) | Q(state__in=Command.OPEN))
    return theirs.filter(
        Q(answered_at__gt=row.settled_at) | Q(answered_at=None, sent_at__gt=row.settled_at)
    ).exists()


def _is_probed(station_id: int, now: datetime) -> bool:
    """A probe was at work here a moment ago; a look that can wait must not come in between."""
    lately = Command.objects.filter(station_id=station_id, requested_at__gt=now - PROBE_QUIET)
    return lately.filter(origin__startswith=PROBE).exists()
