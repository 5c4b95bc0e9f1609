"""Our composite beside the one that a station reported. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from smartcharging.domain.profiles import CompositePeriod

# The schema's one decimal: a station may round down to it, never up (2.0.1 K08; D14).
ROUNDING = 0.1
EPSILON = 1e-6
# Both sides cut fractions of a second off their clocks (1.6 3.14).
SLACK_S = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """The first and the largest difference; `largest` None: there is one that is no number (a limit is missing)."""

    first_s: int
    largest: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """`difference` None: nowhere. `explained_s`: for so long, the report is what ours says it should be."""

    difference: Difference | None
    explained_s: int


def compare(
    expected: Sequence[CompositePeriod],
    reported: Sequence[CompositePeriod],
    *,
    duration_s: int,
    capped: Sequence[CompositePeriod] = (),
) -> Compared:
    """Where `reported` is not what `expected` says, within `duration_s` seconds from a common start.

    `capped` is the same composite under the limits of the hardware, which a station may report as well (1.6 3.13.3;
    D13). Where `expected` has no limit no profile of ours counts: a difference there is none.
    """
    first_s: int | None = None
    largest: float | None = 0.0
    explained_s = 0
    for begin_s, end_s in _stretches(duration_s, expected, reported, capped):
        want, have = limit_at(expected, begin_s), limit_at(reported, begin_s)
        if _is_as(want, have) or _is_as(limit_at(capped, begin_s), have):
            explained_s += end_s - begin_s
        elif want is not None and end_s - begin_s > SLACK_S:
            first_s = begin_s if first_s is None else first_s
            largest = None if have is None or largest is None else max(largest, abs(have - want))
    return Compared(None if first_s is None else Difference(first_s, largest), explained_s)


def is_same(one: Sequence[CompositePeriod], other: Sequence[CompositePeriod], *, duration_s: int) -> bool:
    """Whether two composites of ours limit the same."""
    return all(
        limit_at(one, begin_s) == limit_at(other, begin_s)
        for begin_s, _ in _stretches(duration_s, one, other)
    )


def is_below(one: Sequence[CompositePeriod], other: Sequence[CompositePeriod], *, duration_s: int) -> bool:
    """Whether `one` somewhere allows less than `other`, by more than rounding."""
    for begin_s, end_s in _stretches(duration_s, one, other):
        have, most = limit_at(one, begin_s), limit_at(other, begin_s)
        is_less = have is not None and most is not None and have < most - ROUNDING - EPSILON
        if is_less and end_s - begin_s > SLACK_S:
            return True
    return False


def lowest(schedules: Sequence[Sequence[CompositePeriod]], *, duration_s: int) -> tuple[CompositePeriod, ...]:
    """At each moment the lowest of these composites, of one unit and window; equal neighbours are one (D11)."""
    if len(schedules) == 1:
        return tuple(schedules[0])
    periods: list[CompositePeriod] = []
    for begin_s, _ in _stretches(duration_s, *schedules):
        found = [period for period in (_period_at(one, begin_s) for one in schedules) if period is not None]
        if not found:
            continue
        least = min(found, key=lambda period: math.inf if period.limit is None else period.limit)
        if not periods or periods[-1][1:] != least[1:]:
            periods.append(least._replace(start_s=begin_s))
    return tuple(periods)


def _is_as(want: float | None, have: float | None) -> bool:
    return want is not None and have is not None and want - ROUNDING - EPSILON <= have <= want + EPSILON


def _stretches(duration_s: int, *schedules: Sequence[CompositePeriod]) -> list[tuple[int, int]]:
    """From edge to edge; a window of no length is a moment, whose limit is asked all the same."""
    edges = {0} | {
        period.start_s for periods in schedules for period in periods if period.start_s < duration_s
    }
    ordered = sorted(edges)
    return list(zip(ordered, [*ordered[1:], duration_s], strict=True))


def limit_at(periods: Sequence[CompositePeriod], at_s: int) -> float | None:
    """The limit of a composite at a second of it; None before its first period too."""
    period = _period_at(periods, at_s)
    return period.limit if period is not None else None


def _period_at(periods: Sequence[CompositePeriod], at_s: int) -> CompositePeriod | None:
    number = bisect_right(periods, at_s, key=attrgetter("start_s")) - 1
    return periods[number] if number >= 0 else None
