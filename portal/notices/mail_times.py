"""When a notice goes by mail, and when it is tried again. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from portal.notices.kinds import Way

# A mail server that is away loses nothing: from a minute to half a day between attempts, two days in all.
PAUSES = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 4, 8, 12, 12)),
)
# Who holds a row sends it within this time; after that it is somebody else's, for its process is gone.
LEASE = timedelta(minutes=5)


def due_at(way: Way, now: datetime) -> datetime | None:
    """At once; or at NOTICE_DIGEST_HOUR of the clock here, today or tomorrow. None: never."""
    if way == Way.NO:
        return None
    return now if way == Way.AT_ONCE else next_digest(now)


def next_digest(now: datetime) -> datetime:
    """The next time that the clock here says so, on days of 23 and 25 hours too."""
    today = timezone.localdate(now)
    hour = time(settings.NOTICE_DIGEST_HOUR)
    at = timezone.make_aware(datetime.combine(today, hour))
    return at if at > now else timezone.make_aware(datetime.combine(today + timedelta(days=1), hour))


def again_at(attempts: int, now: datetime) -> datetime | None:
    """After so many attempts that failed; None: it is given up."""
    return now + PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
