"""Power and registers of one EVSE in equal columns of time, for charts and tables of any width. Pure.

A day at a sample each ten seconds is 8,640 of them, and no screen is that wide: a column keeps mean and most of the
power, and of a register what a line needs to look the same. What was not measured is a hole, never a zero.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter

from stations.domain.registers import END
from v2x.domain.registers import LEAST_GAP_S, MISSED, SILENCE_S, Interval, Sample, Value


@dataclass(frozen=True, slots=True)
class Power:
    """The power of a column in W; import and export are two, and both are positive here."""

    start: datetime
    end: datetime
    import_w: float
    export_w: float
    most_import_w: float
    most_export_w: float


@dataclass(frozen=True, slots=True)
class Column:
    """A stretch of time as a row of a table: mean power, and each register at its end; None: not measured in it."""

    start: datetime
    end: datetime
    import_w: float | None
    export_w: float | None
    import_wh: float | None
    export_wh: float | None


def powers_of(
    samples: Sequence[Sample],
    *,
    start: datetime,
    end: datetime,
    columns: int,
    interval: Interval,
    until: datetime,
) -> list[Power]:
    """Per column that begins before `until` the power in it, else the last one while it holds; other columns have none.

    A power holds until the next one is due, and not beyond the end of a transaction: who is gone takes nothing more.
    """
    # Asked for thousands of samples: without a call for each.
    own = [
        sample
        for sample in samples
        if sample.import_w is not None or sample.export_w is not None or sample.context == END
    ]
    edges = _edges(start, end, columns)
    places = _places(own, edges)
    found: list[Power] = []
    for number in range(columns):
        if edges[number] >= until:
            break
        inside = [
            sample
            for sample in own[places[number] : places[number + 1]]
            if sample.import_w is not None or sample.export_w is not None
        ]
        if not inside:
            last = own[places[number] - 1] if places[number] else None
            inside = [last] if last is not None and _holds(last, edges[number], interval) else []
        if inside:
            found.append(_power(edges[number], edges[number + 1], inside))
    return found


def lines_of(
    values: Sequence[Value],
    *,
    start: datetime,
    end: datetime,
    columns: int,
    parted_at: Sequence[datetime] = (),
) -> list[list[Value]]:
    """A register as lines of few points: of each column the first, the lowest, the highest and the last.

    `parted_at` are the moments, ascending, after which nothing is known for a while: there one line ends.
    """
    edges = _edges(start, end, columns)
    places = [bisect_left(values, edge, key=_moment) for edge in edges]
    lines: list[list[Value]] = [[]]
    for number in range(columns):
        inside = values[places[number] : places[number + 1]]
        for value in _outline(inside) if len(inside) > 4 else inside:
            if lines[-1] and _is_parted(lines[-1][-1][0], value[0], parted_at):
                lines.append([])
            lines[-1].append(value)
    return [line for line in lines if line]


def columns_of(
    samples: Sequence[Sample], *, start: datetime, until: datetime, width: timedelta
) -> list[Column]:
    """The table: a row for each `width` from `start` up to `until`."""
    count = max(0, -((start - until) // width))
    edges = [start + number * width for number in range(count + 1)]
    places = _places(samples, edges)
    return [
        _column(edges[number], edges[number + 1], samples[places[number] : places[number + 1]])
        for number in range(count)
    ]


def _edges(start: datetime, end: datetime, columns: int) -> list[datetime]:
    width = (end - start) / columns
    return [start + number * width for number in range(columns)] + [end]


def _places(samples: Sequence[Sample], edges: Sequence[datetime]) -> list[int]:
    return [bisect_left(samples, edge, key=_at) for edge in edges]


_at = attrgetter("at")
_moment, _wh = itemgetter(0), itemgetter(1)


def _holds(last: Sample, at: datetime, interval: Interval) -> bool:
    if last.context == END:
        return False
    in_session = bool(last.transaction)
    expected = interval.longest_s(in_session=in_session) or SILENCE_S
    return (at - last.at).total_seconds() <= max(expected, MISSED * LEAST_GAP_S)


def _power(start: datetime, end: datetime, inside: Sequence[Sample]) -> Power:
    imported = [sample.import_w or 0.0 for sample in inside]
    exported = [sample.export_w or 0.0 for sample in inside]
    count = len(inside)
    return Power(start, end, sum(imported) / count, sum(exported) / count, max(imported), max(exported))


def _outline(inside: Sequence[Value]) -> list[Value]:
    low, high = min(inside, key=_wh), max(inside, key=_wh)
    return sorted({inside[0], low, high, inside[-1]})


def _is_parted(before: datetime, after: datetime, parted_at: Sequence[datetime]) -> bool:
    place = bisect_left(parted_at, before)
    return place < len(parted_at) and parted_at[place] < after


def _column(start: datetime, end: datetime, inside: Sequence[Sample]) -> Column:
    return Column(
        start,
        end,
        import_w=_mean([sample.import_w for sample in inside]),
        export_w=_mean([sample.export_w for sample in inside]),
        import_wh=_last([sample.import_wh for sample in inside]),
        export_wh=_last([sample.export_wh for sample in inside]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    said = [value for value in values if value is not None]
    return sum(said) / len(said) if said else None


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)
