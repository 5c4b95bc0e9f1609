"""A token is held to the reader."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from stations import authorisation
from stations.models import Station
from stations.ocpp import messages as m


def authorize(station: Station, message: m.Authorize, *, now: datetime) -> m.Reply:
    """1.6 judges a second transaction at its start alone (7.2); 2.x hears of one elsewhere at once.

    At this same station the card may be held up to stop what runs.
    """
    judged = authorisation.judge(station, message.id_token, now=now)
    if station.ocpp_version != "1.6":
        judged = authorisation.alone(judged, now=now, but=Q(station_id=station.pk))
    return m.Authorized(judged.verdict)
