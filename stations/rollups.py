"""Readings rolled up to quarter-hours, a round at a time, apart from the way that readings come in by.

A round looks at what came since the round before the last one, so that a reading whose transaction took long is not
passed over, and makes every quarter again that such a reading touches. To make one twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Max, Min, Q

from stations.domain.quarters import HOLDS, QUARTER, Quarter, Reading, quarters_touched, roll_up
from stations.models import MeterReading, QuarterHour, RollUp, Station

LINE_V = 230.0
READINGS_AT_ONCE, AT_A_TIME, STATIONS_AT_ONCE = 20_000, 500, 100
# How far back the last register before a quarter is looked for.
REMEMBERED = timedelta(days=31)
# Who claimed a round and died of it is waited for no longer than this.
CLAIMED = timedelta(minutes=15)
COLUMNS = ("sampled_at", "context", "import_wh", "export_wh", "import_w", "export_w")
WRITTEN = [
    *("context", "import_wh", "export_wh", "import_fall", "export_fall"),
    *("samples", "import_reads", "export_reads"),
    *("max_import_w", "mean_import_w", "max_export_w", "mean_export_w"),
]

Place = tuple[int, int]
"""Station and EVSE number."""


def roll_up_new(*, now: datetime) -> int:
    """A round over what came in. Returns how many quarters were made; 0 where another is at it."""
    mark, _ = RollUp.objects.get_or_create(pk=1)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not RollUp.objects.filter(free, pk=mark.pk).update(claimed_until=now + CLAIMED):
        return 0
    mark.refresh_from_db()
    newest = MeterReading.objects.aggregate(Max("pk"))["pk__max"] or 0
    count, reached = 0, mark.before
    while reached < newest:
        reached, touched = _touched(reached, newest)
        count += _make(touched)
    RollUp.objects.filter(pk=mark.pk).update(before=mark.until, until=newest, claimed_until=None)
    return count


def roll_up_again(station: Station, *, start: datetime, end: datetime) -> int:
    """Make the quarters from `start` to `end` from all readings that are there. Returns how many."""
    rows = MeterReading.objects.filter(station=station, sampled_at__gte=start, sampled_at__lt=end)
    touched: dict[datetime, set[Place]] = defaultdict(set)
    for evse, at in rows.order_by().values_list("evse_number", "sampled_at"):
        touched[quarters_touched(at)[0]].add((station.pk, evse))
    return _make(touched)


def _touched(after: int, newest: int) -> tuple[int, dict[datetime, set[Place]]]:
    """The quarters that the next readings say something of, and the key of the last of these readings."""
    rows = MeterReading.objects.filter(pk__gt=after, pk__lte=newest).order_by("pk")
    told = rows.values_list("pk", "station_id", "evse_number", "sampled_at")[:READINGS_AT_ONCE]
    touched: dict[datetime, set[Place]] = defaultdict(set)
    last = newest
    for pk, station, evse, at in told.iterator(AT_A_TIME):
        last = pk
        for start in quarters_touched(at):
            touched[start].add((station, evse))
    for start in sorted(touched):
        for place, following in _following(start, touched[start]):
            touched[following].add(place)
    return last, touched


def _following(start: datetime, places: Collection[Place]) -> list[tuple[Place, datetime]]:
    """The quarters after `start` that begin with what was read in it, as far as they were made already."""
    rows = QuarterHour.objects.filter(
        station__in={station for station, _ in places},
        starts_at__gt=start,
        starts_at__lte=start + REMEMBERED + QUARTER,
    )
    nexts = (
        rows.order_by()
        .values_list("station_id", "evse_number")
        .annotate(
            first=Min("starts_at"),
            imported=Min("starts_at", filter=Q(import_reads__gt=0)),
            exported=Min("starts_at", filter=Q(export_reads__gt=0)),
        )
    )
    found = []
    for station, evse, first, *registers in nexts:
        place = station, evse
        if place not in places:
            continue
        if first <= start + 2 * QUARTER:  # as far as HOLDS reaches
            found += [(place, start + QUARTER), (place, start + 2 * QUARTER)]
        for following in filter(None, registers):
            # A reading on the border closes the quarter before it as well.
            found += [(place, following), (place, following - QUARTER)]
    return found


def _make(touched: dict[datetime, set[Place]]) -> int:
    count = 0
    for start, places in touched.items():
        ordered = sorted(places)
        for first in range(0, len(ordered), STATIONS_AT_ONCE):
            count += _make_some(start, set(ordered[first : first + STATIONS_AT_ONCE]))
    return count


def _make_some(start: datetime, places: set[Place]) -> int:
    stations = {station for station, _ in places}
    powers = {
        pk: phases * ampere * LINE_V
        for pk, phases, ampere in Station.objects.filter(pk__in=stations).values_list(
            "pk", "connection_phases", "connection_a"
        )
    }
    read = _readings(start, stations)
    rows = [
        _row(place, quarter)
        for place in places & read.keys()
        if (quarter := roll_up(_since(start, place, read[place]), start, max_power_w=powers[place[0]]))
    ]
    QuarterHour.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["station", "starts_at", "evse_number"],
        update_fields=WRITTEN,
    )
    return len(rows)


def _readings(start: datetime, stations: Collection[int]) -> dict[Place, list[Reading]]:
    rows = MeterReading.objects.filter(
        station__in=stations, sampled_at__gte=start - HOLDS, sampled_at__lte=start + QUARTER
    ).order_by("sampled_at", "pk")
    read: dict[Place, list[Reading]] = defaultdict(list)
    for station, evse, *columns in rows.values_list("station_id", "evse_number", *COLUMNS):
        read[station, evse].append(Reading(*columns))
    return read


def _since(start: datetime, place: Place, readings: list[Reading]) -> list[Reading]:
    """With the last of each register before the quarter, where that is longer ago than `readings` reach."""
    before = [reading for reading in readings if reading.at <= start]
    older = {
        _last_before(start, place, register)
        for register in ("import_wh", "export_wh")
        if any(getattr(reading, register) is not None for reading in readings)
        and all(getattr(reading, register) is None for reading in before)
    }
    return [*sorted((reading for reading in older if reading), key=lambda reading: reading.at), *readings]


def _last_before(start: datetime, place: Place, register: str) -> Reading | None:
    rows = MeterReading.objects.filter(
        station=place[0],
        evse_number=place[1],
        sampled_at__gte=start - REMEMBERED,
        sampled_at__lt=start - HOLDS,
        **{f"{register}__isnull": False},
    )
    found = rows.order_by("-sampled_at").values_list(*COLUMNS).first()
    return Reading(*found) if found else None


def _row(place: Place, quarter: Quarter) -> QuarterHour:
    station, evse = place
    return QuarterHour(
        station_id=station,
        evse_number=evse,
        starts_at=quarter.start,
        context=quarter.context,
        import_wh=quarter.imported.wh,
        export_wh=quarter.exported.wh,
        import_fall=quarter.imported.fall.value if quarter.imported.fall else "",
        export_fall=quarter.exported.fall.value if quarter.exported.fall else "",
        max_import_w=quarter.max_import_w,
        mean_import_w=quarter.mean_import_w,
        max_export_w=quarter.max_export_w,
        mean_export_w=quarter.mean_export_w,
        samples=quarter.samples,
        import_reads=quarter.import_reads,
        export_reads=quarter.export_reads,
    )
