"""The registers of one EVSE over a stretch of time, as a page or a program reads them. Pure of HTML and of words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter

from django.db.models import TextField
from django.db.models.functions import Cast

from stations.models import MeterReading, Station
from v2x.domain.registers import (
    NAMES,
    Interval,
    Mark,
    Name,
    Register,
    Sample,
    Value,
    What,
    interval_of,
    marks_of,
    register_of,
    values_of,
)

LINE_V = 230.0
_at = attrgetter("at")
# A reading each four seconds for a day. Beyond, only the first are shown, and `is_cut` says so.
MOST_SAMPLES = 22_000
REGISTERS_AND_POWERS = ("import_wh", "export_wh", "import_w", "export_w")


@dataclass(frozen=True)
class RegisterSeries:
    """What `evse` of a station measured from `start` to `end`; `until` is how far it can have come by now."""

    station: Station
    evse: int
    start: datetime
    end: datetime
    until: datetime
    samples: list[Sample]
    is_cut: bool

    @cached_property
    def marks(self) -> list[Mark]:
        station = self.station
        max_power_w = station.connection_phases * station.connection_a * LINE_V
        return marks_of(
            self.samples,
            self.values,
            interval=self.interval,
            start=self.start,
            end=self.until,
            max_power_w=max_power_w,
        )

    @cached_property
    def marked(self) -> dict[datetime, set[What]]:
        """What stands out at which moment: a gap at the reading that ends it, a fall at the one that shows it."""
        found: dict[datetime, set[What]] = defaultdict(set)
        for mark in self.marks:
            first = bisect_left if mark.what == What.LATE or mark.start == mark.end else bisect_right
            for sample in self.samples[
                first(self.samples, mark.start, key=_at) : bisect_right(self.samples, mark.end, key=_at)
            ]:
                found[sample.at].add(mark.what)
        return found

    @cached_property
    def interval(self) -> Interval:
        return interval_of(self.samples)

    @cached_property
    def values(self) -> dict[Name, list[Value]]:
        return {name: values_of(self.samples, name) for name in NAMES}

    @cached_property
    def registers(self) -> dict[Name, Register]:
        return {name: register_of(name, self.values[name], self.marks) for name in NAMES}


def register_series(
    station: Station, *, evse: int, start: datetime, end: datetime, now: datetime
) -> RegisterSeries:
    """One query, whatever the number of readings; `start` up to `end` is some two days at most."""
    samples = _samples(station, evse=evse, start=start, end=end)
    until = min(max(now, start), end)
    is_cut = len(samples) > MOST_SAMPLES
    if is_cut:
        del samples[MOST_SAMPLES:]
        until = samples[-1].at
    return RegisterSeries(station, evse, start, end, until, samples, is_cut)


def _samples(station: Station, *, evse: int, start: datetime, end: datetime) -> list[Sample]:
    """In order of time, one more than MOST_SAMPLES at most."""
    rows = (
        MeterReading.objects.filter(
            station=station, evse_number=evse, sampled_at__gte=start, sampled_at__lt=end
        )
        .order_by("sampled_at", "pk")
        # As text: of a day's 8,640 times the driver's own conversion takes longer than all the rest.
        .annotate(at=Cast("sampled_at", TextField()))
        .values_list("at", "pk", "context", "transaction_id", *REGISTERS_AND_POWERS)[: MOST_SAMPLES + 1]
    )
    found = list(rows)
    # SQLite keeps the time in UTC and does not say so.
    zone = "" if found and "+" in found[0][0] else "+00:00"
    moment = datetime.fromisoformat
    return [
        Sample(moment(at + zone), number, context, transaction, import_wh, export_wh, import_w, export_w)
        for at, number, context, transaction, import_wh, export_wh, import_w, export_w in found
    ]


def evses_that_measured(station: Station, *, start: datetime, end: datetime) -> set[int]:
    """The numbers of the EVSEs that sent a reading; 0 is the main meter of the station."""
    rows = MeterReading.objects.filter(station=station, sampled_at__gte=start, sampled_at__lt=end)
    return set(rows.order_by().values_list("evse_number", flat=True).distinct())
