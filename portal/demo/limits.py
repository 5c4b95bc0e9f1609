"""The limits that the demo's operator sets: a low base that stays, more by day, less while the grid is busy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from django.utils import timezone

from smartcharging.models import DesiredProfile
from smartcharging.services import LimitPeriod, set_profile
from stations.models import Station

HOUR_S = 3600
DAY_S = 24 * HOUR_S
KEPT = timedelta(days=90)


def set_demo_limits(station: Station) -> None:
    """Three wishes for the station; sending them and reading them back is the portal's own work."""
    now = datetime.now(UTC)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    wish = partial(set_profile, station=station, unit=DesiredProfile.Unit.A, start_schedule=midnight, now=now)
    daily = partial(
        wish,
        kind=DesiredProfile.Kind.RECURRING,
        recurrency=DesiredProfile.Recurrency.DAILY,
        duration_s=DAY_S,
        valid_to=now + KEPT,
    )
    wish(
        name="Basis",
        purpose=DesiredProfile.Purpose.TX_DEFAULT,
        kind=DesiredProfile.Kind.ABSOLUTE,
        stack_level=0,
        periods=[LimitPeriod(0, 10)],
    )
    daily(
        name="Dag en nacht",
        purpose=DesiredProfile.Purpose.TX_DEFAULT,
        stack_level=1,
        periods=[LimitPeriod(0, 16), LimitPeriod(7 * HOUR_S, 14), LimitPeriod(10 * HOUR_S, 16)],
    )
    # Grid-aware charging: less is available from 16 to 20 h, and a little less until 23 h.
    daily(
        name="Netbewust laden",
        purpose=DesiredProfile.Purpose.STATION_MAX,
        stack_level=5,
        periods=[
            LimitPeriod(0, station.connection_a),
            LimitPeriod(16 * HOUR_S, 14),
            LimitPeriod(20 * HOUR_S, 20),
            LimitPeriod(23 * HOUR_S, station.connection_a),
        ],
    )
