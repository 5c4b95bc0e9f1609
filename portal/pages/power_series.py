"""The numbers of a chart of power against limit as JSON, for the drawing that can be looked into (static chart.js).

Moments are seconds since 1970, powers kW; null is "not measured", which is not zero. The shape:

    start, end      of the whole chart; `now`: the present where it lies within, else null
    from, until     of what is told here: `?from=` and `?until=` ask for a part of it, told more finely
    step_s          seconds between the values of each row below, the first of them at `from`
    import_kw       power of all sockets together; `export_kw`: given back, null where nothing ever was
    phases_kw       three rows, import only, or null where no phase is known; current times voltage, and where the
                    station sends no voltage times 230 V: then `phases_by` is "nominal", else "measured"
    limits          from, until, limit_kw, limit_a (per phase), `by` in words, `decides`: whether a profile does
    connection_kw   of the station, or null in the chart of a session
    offsets         [from, seconds to add to UTC, name of the zone]: a second one where the clock is set that day
    in_quarters     means of quarter-hours; a part of it is told from every reading
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.pages.charts import Step
from portal.pages.limits import Stretch
from portal.pages.metering import HOLDS, MOST_SAMPLES, Sample, power_steps
from smartcharging.domain.profiles import NOMINAL_V
from stations.models import MeterReading

MOST_POINTS = 1440
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 1800, 3600)
PHASES = (1, 2, 3)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """`start` until `end` is the whole chart, `first` until `last` the part that is asked for."""

    start: datetime
    end: datetime
    first: datetime
    last: datetime

    @property
    def step_s(self) -> int:
        span_s = (self.last - self.first).total_seconds()
        return next(
            (step for step in STEPS_S if span_s / step <= MOST_POINTS), math.ceil(span_s / MOST_POINTS)
        )

    @property
    def points(self) -> int:
        return max(1, math.ceil((self.last - self.first).total_seconds() / self.step_s))

    def of(self, readings: QuerySet[MeterReading]) -> QuerySet[MeterReading]:
        """The readings within, and those before it that may still hold at its begin."""
        return readings.filter(sampled_at__gte=max(self.start, self.first - HOLDS), sampled_at__lt=self.last)


@dataclass(frozen=True, slots=True)
class Phases:
    """Per phase what flows in, in W."""

    samples: tuple[list[Sample], ...]
    is_nominal: bool


def window(start: datetime, end: datetime, *, first: str, last: str) -> Window:
    """`first` and `last` as in the address; what is no moment within the chart is its begin or its end."""
    begin, until = _moment(first, start, start, end), _moment(last, end, start, end)
    return Window(start, end, *((begin, until) if begin < until else (start, end)))


def _moment(text: str, otherwise: datetime, start: datetime, end: datetime) -> datetime:
    if not text.isdecimal() or len(text) > 11:
        return otherwise
    return min(max(datetime.fromtimestamp(int(text), UTC), start), end)


def phases_of(readings: QuerySet[MeterReading]) -> Phases | None:
    """What flows in by phase, in order of time; None where no reading tells a current."""
    currents = [f"import_l{phase}_a" for phase in PHASES]
    voltages = [f"voltage_l{phase}_v" for phase in PHASES]
    known = Q(import_l1_a__isnull=False) | Q(import_l2_a__isnull=False) | Q(import_l3_a__isnull=False)
    rows = readings.filter(known).order_by("-sampled_at")
    told = rows.values_list("evse_number", "sampled_at", "context", *currents, *voltages)
    found: list[tuple[Any, ...]] = list(told[:MOST_SAMPLES])
    found.reverse()
    if not found:
        return None
    by_phase: tuple[list[Sample], ...] = ([], [], [])
    is_nominal = False
    for evse, at, context, *values in found:
        for phase, current_a, voltage_v in zip(by_phase, values[:3], values[3:], strict=True):
            if current_a is None:
                continue
            is_nominal = is_nominal or voltage_v is None
            power_w = current_a * (voltage_v or NOMINAL_V)
            phase.append(Sample(evse, at, power_w, 0.0, ends=context == "Transaction.End"))
    return Phases(by_phase, is_nominal)


def series(
    asked: Window,
    samples: Sequence[Sample],
    *,
    phases: Phases | None,
    limits: Iterable[Stretch],
    connection_w: float | None,
    measured_until: datetime,
    now: datetime,
    in_quarters: bool = False,
) -> dict[str, Any]:
    """As the module says. Nothing is measured after `measured_until`."""
    grid = _Grid(asked, measured_until)
    imported, exported = grid.rows(samples)
    return {
        "start": _second(asked.start),
        "end": _second(asked.end),
        "now": _second(now) if asked.start <= now < asked.end else None,
        "from": _second(asked.first),
        "until": _second(asked.last),
        "step_s": asked.step_s,
        "import_kw": imported,
        "export_kw": exported if any(exported) else None,
        "phases_kw": [grid.rows(own)[0] for own in phases.samples] if phases else None,
        "phases_by": ("nominal" if phases.is_nominal else "measured") if phases else None,
        "limits": list(_limits(asked, limits)),
        "connection_kw": _kw(connection_w),
        "offsets": list(offsets(asked.start, asked.end)),
        "in_quarters": in_quarters,
    }


@dataclass(frozen=True, slots=True)
class _Grid:
    """Values at equal steps, from the begin of what is asked for."""

    asked: Window
    measured_until: datetime

    def rows(self, samples: Sequence[Sample]) -> tuple[list[float | None], list[float | None]]:
        """Import and export in kW, one value a step."""
        step = timedelta(seconds=self.asked.step_s)
        points, first = self.asked.points, self.asked.first
        steps = power_steps(
            samples, start=first, end=first + points * step, until=self.measured_until, points=points
        )
        imported, exported = (self._row(own, step) for own in steps)
        return imported, exported

    def _row(self, steps: Iterable[Step], step: timedelta) -> list[float | None]:
        row: list[float | None] = [None] * self.asked.points
        for each in steps:
            row[round((each.start - self.asked.first) / step)] = (
                None if each.value is None else round(each.value, 3)
            )
        return row


def _limits(asked: Window, limits: Iterable[Stretch]) -> Iterator[dict[str, Any]]:
    for item in limits:
        if item.start < asked.end and item.end > asked.start:
            yield {
                "from": _second(max(item.start, asked.start)),
                "until": _second(min(item.end, asked.end)),
                "limit_kw": _kw(item.limit_w),
                "limit_a": item.limit_a if math.isfinite(item.limit_a) else None,
                "by": item.names or _("the connection and the sockets"),
                "decides": bool(item.winners),
            }


def offsets(start: datetime, end: datetime) -> Iterator[list[float | str]]:
    """What the clock here is ahead of UTC by, from `start` on and wherever it is set; it is set on the hour."""
    told: int | None = None
    at = start
    while at <= end:
        local = timezone.localtime(at)
        ahead = local.utcoffset() or timedelta()
        if (seconds := int(ahead.total_seconds())) != told:
            told = seconds
            yield [_second(at), seconds, f"{local:%Z}"]
        at = at.replace(minute=0, second=0, microsecond=0) + HOUR


def _second(at: datetime) -> float:
    second = round(at.timestamp(), 3)
    return int(second) if second == int(second) else second


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None or not math.isfinite(power_w) else round(power_w / 1000, 3)
