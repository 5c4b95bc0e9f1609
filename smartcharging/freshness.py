"""Whether what is known of a profile still holds, or the station is to be asked anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from smartcharging.models import DesiredProfile
from smartcharging.readback import ORIGIN
from stations.models import ChargingSession, Command

# What stands is read back this often even where nothing happened: a station that lost it does not say so.
LOOK_AGAIN = timedelta(hours=6)
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
    if row.state != DesiredProfile.State.ACCEPTED:
        return False
    sessions = ChargingSession.objects.filter(station_id=row.station_id, started_at__gt=row.settled_at)
    return sessions.filter(state=ChargingSession.State.ACTIVE).exists()


def _is_touched(row: DesiredProfile) -> bool:
    """A command of a person or of another program may have changed it. A probe restores by itself, and proves it."""
    theirs = Command.objects.filter(
        station_id=row.station_id,
        action__in=("SetChargingProfile", "ClearChargingProfile"),
        sent_at__isnull=False,
    ).exclude(Q(origin=ORIGIN) | Q(origin__startswith=PROBE) | Q(state__in=Command.OPEN))
    return theirs.filter(
        Q(answered_at__gt=row.settled_at) | Q(answered_at=None, sent_at__gt=row.settled_at)
    ).exists()


def _is_probed(station_id: int, now: datetime) -> bool:
    """A probe was at work here a moment ago; a look that can wait must not come in between."""
    lately = Command.objects.filter(station_id=station_id, requested_at__gt=now - PROBE_QUIET)
    return lately.filter(origin__startswith=PROBE).exists()
