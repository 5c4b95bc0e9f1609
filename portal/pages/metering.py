"""What a station measured, as pages show it: power over time, the highest value, registers and their age.

Import and export stay apart everywhere. What was not measured is a hole, never a zero.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from portal.pages.charts import Step
from stations.models import ChargingSession, Evse, MeterReading, Station

# A sample counts until the next one of its EVSE, but no longer than this: a quarter-hour meter keeps its line.
HOLDS = timedelta(minutes=15, seconds=30)
# Older than this, a "measured now" is said with its age.
FRESH = timedelta(minutes=5)
POINTS = 360  # on the widest chart two pixels each
# Meter class and rounding: not over the limit yet.
MARGIN_SHARE, MARGIN_W = 0.02, 50.0
# A station that got a lower limit may take this long to obey it.
FOLLOWS = timedelta(seconds=60)
MOST_SAMPLES = 50_000
# How far back the last value is looked for: a register stays true for long, a power does not.
REMEMBERED, RECENT = timedelta(days=92), timedelta(days=1)


Total = tuple[datetime, float]
"""A moment, and the power of all EVSEs together in W."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Power of one EVSE at one moment in W; `ends` says that nothing runs any more from here on."""

    evse: int
    at: datetime
    import_w: float
    export_w: float
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Highest:
    power_w: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """How long the power was above the limit, and when it was furthest above it."""

    seconds: float
    power_w: float
    limit_w: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Register:
    """The two registers of an EVSE in Wh, each with the moment it was read; None: never sent."""

    evse: Evse
    import_wh: float | None
    import_at: datetime | None
    export_wh: float | None
    export_at: datetime | None


@dataclass(frozen=True, slots=True)
class PowerNow:
    """The last power of the EVSEs together; `phase_a` is the current of the fullest phase."""

    import_w: float
    export_w: float
    phase_a: float | None
    at: datetime
    is_fresh: bool


def samples_of(readings: QuerySet[MeterReading]) -> list[Sample]:
    """The power samples among `readings`, in order of time."""
    rows = (
        readings.filter(Q(import_w__isnull=False) | Q(export_w__isnull=False) | Q(context="Transaction.End"))
        .order_by("-sampled_at")
        .values_list("evse_number", "sampled_at", "import_w", "export_w", "context")[:MOST_SAMPLES]
    )
    samples = [
        Sample(evse, at, import_w or 0.0, export_w or 0.0, ends=context == "Transaction.End")
        for evse, at, import_w, export_w, context in rows
    ]
    samples.reverse()
    return samples


def power_steps(
    samples: Sequence[Sample], *, start: datetime, end: datetime, until: datetime, points: int = POINTS
) -> tuple[list[Step], list[Step]]:
    """Import and export in kW of all EVSEs together, in equal steps from `start` to `end`, up to `until`.

    What was measured before `start` counts as far as it still holds.
    """
    width = (end - start) / points
    per_evse: dict[int, list[Sample]] = {}
    for sample in samples:
        per_evse.setdefault(sample.evse, []).append(sample)
    curves = [_curve(own, start, width, points) for own in per_evse.values()]
    imported, exported = [], []
    for number in range(points):
        begin = start + number * width
        values = [value for curve in curves if (value := curve[number]) is not None]
        if begin >= until or not values:
            continue
        finish = start + (number + 1) * width
        imported.append(Step(begin, finish, sum(value[0] for value in values) / 1000))
        if any(value[1] for value in values):
            exported.append(Step(begin, finish, sum(value[1] for value in values) / 1000))
    return imported, exported


def mean_w(steps: Sequence[Step], start: datetime, end: datetime) -> float | None:
    """The mean of the `steps` (in kW) that begin between `start` and `end`, in W."""
    values = [step.value for step in steps if start <= step.start < end and step.value is not None]
    return 1000 * sum(values) / len(values) if values else None


def _curve(
    samples: Sequence[Sample], start: datetime, width: timedelta, points: int
) -> list[tuple[float, float] | None]:
    """Per step the mean of its samples, else the last one while it holds."""
    inside: dict[int, list[Sample]] = {}
    last: Sample | None = None
    for sample in samples:
        if sample.at < start:
            last = sample
        else:
            inside.setdefault(int((sample.at - start) / width), []).append(sample)
    curve: list[tuple[float, float] | None] = []
    for number in range(points):
        own = inside.get(number)
        if own:
            last = own[-1]
            value = sum(s.import_w for s in own) / len(own), sum(s.export_w for s in own) / len(own)
            curve.append(value)
        elif last is None or last.ends or start + number * width - last.at > HOLDS:
            curve.append(None)
        else:
            curve.append((last.import_w, last.export_w))
    return curve


def totals_of(samples: Iterable[Sample]) -> list[Total]:
    """At each sample the import of all EVSEs together, in W; an EVSE silent for too long does not count."""
    last: dict[int, Sample] = {}
    totals = []
    for sample in samples:
        last[sample.evse] = sample
        oldest = sample.at - HOLDS
        power_w = sum([own.import_w for own in last.values() if own.at >= oldest and not own.ends])
        totals.append((sample.at, power_w))
    return totals


def highest_of(totals: Iterable[Total]) -> Highest | None:
    best = max(totals, key=itemgetter(1), default=None)
    return None if best is None else Highest(best[1], best[0])


def over_limit(totals: Sequence[Total], limit_w: Sequence[tuple[datetime, float]]) -> Over | None:
    """For how long the power was above the limit of that moment; `limit_w` ascends. None: never.

    A lower limit counts a minute after it began: a car needs some of that to follow (IEC 61851-1, 5 s, and ours).
    """
    worst: Over | None = None
    seconds = 0.0
    for (at, power_w), (next_at, _) in zip(totals, [*totals[1:], *totals[-1:]], strict=True):
        limit = max(_limit_at(limit_w, at), _limit_at(limit_w, at - FOLLOWS))
        if power_w <= limit * (1 + MARGIN_SHARE) + MARGIN_W:
            continue
        seconds += min(next_at - at, HOLDS).total_seconds()
        if worst is None or power_w - limit > worst.power_w - worst.limit_w:
            worst = Over(0.0, power_w, limit, at)
    return None if worst is None else replace(worst, seconds=seconds)


def _limit_at(limit_w: Sequence[tuple[datetime, float]], at: datetime) -> float:
    place = bisect_right(limit_w, at, key=itemgetter(0)) - 1
    return limit_w[place][1] if place >= 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Meters:
    """The last values of a station: its registers, and the power where it said any."""

    registers: tuple[Register, ...]
    power: PowerNow | None
    read_at: datetime | None


def meters_of(station: Station, *, active: Iterable[ChargingSession], now: datetime) -> Meters:
    """The last values, in two queries whatever the number of EVSEs and readings; `active` sessions run now."""
    evses = list(
        Evse.objects.filter(station=station)
        .order_by("number")
        .annotate(
            last_import=_last(Q(import_wh__isnull=False), since=now - REMEMBERED),
            last_export=_last(Q(export_wh__isnull=False), since=now - RECENT),
            last_power=_last(Q(import_w__isnull=False) | Q(import_l1_a__isnull=False), since=now - RECENT),
        )
    )
    wanted = {pk for evse in evses for pk in (evse.last_import, evse.last_export, evse.last_power) if pk}
    # By time as well: the readings of a month are a table of their own (stations.partitions).
    since = MeterReading.objects.filter(sampled_at__gte=now - REMEMBERED)
    readings = since.defer("message").in_bulk(wanted)
    registers = tuple(_register(evse, readings) for evse in evses)
    powers = [reading for evse in evses if (reading := readings.get(evse.last_power))]
    if not _tells_of(powers, active):
        powers = []
    read_at = max((reading.sampled_at for reading in readings.values()), default=None)
    return Meters(registers, _power_now(powers, now), read_at)


def _tells_of(powers: Iterable[MeterReading], active: Iterable[ChargingSession]) -> bool:
    """Whether the power of one of the running sessions was read since it began; true where none runs.

    What was read before the cars came is not what they take now.
    """
    began = {session.evse_number: session.started_at or session.received_at for session in active}
    return not began or any(
        reading.sampled_at >= began[reading.evse_number] for reading in powers if reading.evse_number in began
    )


def _last(such: Q, *, since: datetime) -> Subquery:
    """The last reading of an EVSE that is `such`. Bounded: what a station never sends is looked for in vain."""
    own = MeterReading.objects.filter(
        such, station=OuterRef("station"), evse_number=OuterRef("number"), sampled_at__gte=since
    )
    return Subquery(own.order_by("-sampled_at").values("pk")[:1])


def _register(evse: Any, readings: Mapping[int, MeterReading]) -> Register:
    imported = readings.get(evse.last_import)
    exported = readings.get(evse.last_export) or imported  # most often they come in one message
    return Register(
        evse,
        imported.import_wh if imported else None,
        imported.sampled_at if imported else None,
        exported.export_wh if exported else None,
        exported.sampled_at if exported and exported.export_wh is not None else None,
    )


def _power_now(readings: Sequence[MeterReading], now: datetime) -> PowerNow | None:
    """The EVSEs together; only those as fresh as the freshest count, for an old one says nothing of now."""
    if not readings:
        return None
    at = max(reading.sampled_at for reading in readings)
    counting = [reading for reading in readings if at - reading.sampled_at <= HOLDS]
    phases = [
        sum(values)
        for phase in (1, 2, 3)
        if (values := [a for r in counting if (a := getattr(r, f"import_l{phase}_a")) is not None])
    ]
    return PowerNow(
        import_w=sum(reading.import_w or 0.0 for reading in counting),
        export_w=sum(reading.export_w or 0.0 for reading in counting),
        phase_a=max(phases, default=None),
        at=at,
        is_fresh=now - at <= FRESH,
    )
