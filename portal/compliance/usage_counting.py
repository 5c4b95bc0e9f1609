"""Adding up the sessions of a month that is over, by area, so that pages read sums and never a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from portal.accounts.erasing import ERASED
from portal.compliance.usage import Tally, Used, area_of, tallies
from portal.compliance.usage_model import UsageMonth
from portal.pages.limits import limits_of, profiles_of
from smartcharging.models import DesiredProfile
from stations.models import ChargingSession, Municipality, Station

MONTHS = 13  # as far back as is counted
# What comes late is counted along: a month is counted anew each day for so long after its end.
COUNTED_ANEW = timedelta(days=40)
AGAIN_AFTER = timedelta(hours=24)
Stretch = tuple[datetime, datetime]


def months_to_count(*, now: datetime) -> list[tuple[int, date]]:
    """Municipalities (keys) and months that were not counted yet, or may have changed since. The newest first."""
    counted = {
        (row["municipality"], row["month"]): row["made"]
        for row in UsageMonth.objects.filter(is_whole=True)
        .order_by()
        .values("municipality", "month")
        .annotate(made=Max("made_at"))
    }
    keys = list(Municipality.objects.order_by("pk").values_list("pk", flat=True))
    return [
        (key, month)
        for month in islice(_months_before(now), MONTHS)
        for key in keys
        if _is_due(counted.get((key, month)), month, now)
    ]


def _months_before(now: datetime) -> Iterator[date]:
    """First days of months that are over at `now`, the last one first."""
    month = timezone.localdate(now).replace(day=1)
    while True:
        month = (month - timedelta(days=1)).replace(day=1)
        yield month


def _is_due(made_at: datetime | None, month: date, now: datetime) -> bool:
    if made_at is None:
        return True
    return now - bounds(month)[1] < COUNTED_ANEW and now - made_at > AGAIN_AFTER


def bounds(month: date) -> tuple[datetime, datetime]:
    """A month of Europe/Amsterdam in UTC."""
    following = (month + timedelta(days=32)).replace(day=1)
    zone = timezone.get_default_timezone()
    start, end = (datetime(day.year, day.month, 1, tzinfo=zone) for day in (month, following))
    return start.astimezone(UTC), end.astimezone(UTC)


def count_month(municipality: Municipality, month: date, *, now: datetime) -> int:
    """Write the rows of a month, in place of those that were there. Returns how many sessions it had."""
    whole, areas = tallies(_sessions(municipality, *bounds(month)))
    rows = [_row(municipality, month, whole, is_whole=True, now=now)]
    rows += [_row(municipality, month, tally, area=area, now=now) for area, tally in areas.items()]
    with transaction.atomic():
        UsageMonth.objects.filter(municipality=municipality, month=month).delete()
        UsageMonth.objects.bulk_create(rows)
    return whole.sessions


def _row(
    municipality: Municipality,
    month: date,
    tally: Tally,
    *,
    now: datetime,
    area: str = "",
    is_whole: bool = False,
) -> UsageMonth:
    return UsageMonth(
        municipality=municipality,
        month=month,
        is_whole=is_whole,
        area=area[:100],
        sessions=tally.sessions,
        drivers=tally.drivers,
        metered=tally.metered,
        energy_wh=tally.energy_wh,
        hours=tally.hours,
        judged=tally.judged,
        limited=tally.limited,
        made_at=now,
    )


def _sessions(municipality: Municipality, start: datetime, end: datetime) -> Iterator[Used]:
    here = ChargingSession.objects.filter(
        station__site__concession__municipality=municipality, started_at__gte=start, started_at__lt=end
    ).exclude(state=ChargingSession.State.ORPHAN)
    limited = _limited(municipality, start, end)
    columns = ("station", "station__site__address", "token_digest", "started_at", "ended_at", "over_by")
    registers = ("start_import_wh", "end_import_wh")
    for row in here.order_by().values_list(*columns, *registers).iterator():
        station, address, token, since, ended, over_by, first_wh, last_wh = row
        until = ended or over_by
        yield Used(
            area=area_of(address),
            # Whose they were cannot be told any more: like those without a card they count as one driver's.
            token="" if token.startswith(ERASED) else token,
            energy_wh=None if first_wh is None or last_wh is None else last_wh - first_wh,
            started_at=since,
            ended_at=ended,
            limited=_within(limited.get(station, ()), since, until) if until else None,
        )


def _within(stretches: Collection[Stretch], since: datetime, until: datetime) -> bool:
    return any(start < until and since < end for start, end in stretches)


def _limited(municipality: Municipality, start: datetime, end: datetime) -> Mapping[int, list[Stretch]]:
    """When a profile, and not the hardware, decided what a station could draw, as its own page tells it."""
    wanted = DesiredProfile.objects.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gte=start))
    with_profiles = Station.objects.filter(
        pk__in=wanted.filter(requested_at__lt=end).values("station"),
        site__concession__municipality=municipality,
    )
    found: dict[int, list[Stretch]] = defaultdict(list)
    for station in with_profiles.order_by("pk").prefetch_related("evses").iterator(chunk_size=100):
        profiles = profiles_of(station, since=start)
        # A session that began on the last evening goes on into the next month.
        limits = limits_of(
            station, profiles=profiles, active=(), others=(), start=start, end=end + timedelta(days=1)
        )
        found[station.pk] = [(each.start, each.end) for each in limits.stretches if each.winners]
    return found
