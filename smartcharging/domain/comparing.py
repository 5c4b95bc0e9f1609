"""Our composite beside the one that a station reported. Pure."""

from __future__ import annotations

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
        want, have = _limit_at(expected, begin_s), _limit_at(reported, begin_s)
        if _is_as(want, have) or _is_as(_limit_at(capped, begin_s), have):
            explained_s += end_s - begin_s
        elif want is not None and end_s - begin_s > SLACK_S:
            first_s = begin_s if first_s is None else first_s
            largest = None if have is None or largest is None else max(largest, abs(have - want))
    return Compared(None if first_s is None else Difference(first_s, largest), explained_s)


def is_same(one: Sequence[CompositePeriod], other: Sequence[CompositePeriod], *, duration_s: int) -> bool:
    """Whether two composites of ours limit the same."""
    return all(
        _limit_at(one, begin_s) == _limit_at(other, begin_s)
        for begin_s, _ in _stretches(duration_s, one, other)
    )


def _is_as(want: float | None, have: float | None) -> bool:
    return want is not None and have is not None and want - ROUNDING - EPSILON <= have <= want + EPSILON


def _stretches(duration_s: int, *schedules: Sequence[CompositePeriod]) -> list[tuple[int, int]]:
    edges = {0} | {
        period.start_s for periods in schedules for period in periods if period.start_s < duration_s
    }
    ordered = sorted(edges)
    return list(zip(ordered, [*ordered[1:], duration_s], strict=True))


def _limit_at(periods: Sequence[CompositePeriod], at_s: int) -> float | None:
    number = bisect_right(periods, at_s, key=attrgetter("start_s")) - 1
    return periods[number].limit if number >= 0 else None
