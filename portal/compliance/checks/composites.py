"""A composite schedule as a station reports it, and how it compares. Pure.

Stations answer in many ways that are no error (ocpp-endpoint.md, rule 13): smartcharging.domain.answers names them.
Here an answer has a place in time, so that two of them, or one and what was expected, can be laid side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, cast

from smartcharging.domain.answers import ReportedState, read_composite
from smartcharging.domain.profiles import Unit

State = Literal["read", "no_limit", "rejected", "empty", "malformed", "unanswered"]
# A schedule may be shifted by a clock that is off and by rounding; stacking is not about seconds.
EDGE_S = 60.0


class Period(NamedTuple):
    """From `start_s` on at most `limit`; None: the station knows no limit."""

    start_s: float
    limit: float | None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """An answer to GetCompositeSchedule. `start` is by the station's clock where it says so, else by ours."""

    state: State
    start: datetime
    duration_s: float = 0
    unit: str = ""
    periods: tuple[Period, ...] = ()

    @property
    def is_readable(self) -> bool:
        """No limit is an answer too, and so is a schedule without periods."""
        return self.state in {"read", "no_limit", "empty"}

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.duration_s)

    def stretches(self) -> Iterator[tuple[float, float, float | None]]:
        """(from, to, limit) in seconds since 1970; where no period has begun yet there is no limit."""
        if not self.periods:
            return
        begin = self.start.timestamp()
        if self.periods[0].start_s > 0:
            yield begin, begin + self.periods[0].start_s, None
        ends = [*(period.start_s for period in self.periods[1:]), self.duration_s]
        for period, end_s in zip(self.periods, ends, strict=True):
            if end_s > period.start_s:
                yield begin + period.start_s, begin + min(end_s, self.duration_s), period.limit

    def limit_at(self, moment_s: float) -> float | None:
        """The limit at a moment in seconds since 1970; NaN outside the answer."""
        return next((limit for begin, end, limit in self.stretches() if begin <= moment_s < end), math.nan)

    def lowest(self, *, within_s: float) -> float | None:
        """The lowest limit in the first `within_s` seconds; None: no limit is known there."""
        limits = [p.limit for p in self.periods if p.start_s < within_s and p.limit is not None]
        return min(limits, default=None)


def seen(
    answer: Mapping[str, Any] | None, *, version: str, unit: Unit, at: datetime, asked_s: int
) -> Reported:
    """The answer to GetCompositeSchedule, asked at `at` in `unit` for `asked_s` seconds; None: there was none.

    It says nothing beyond the question, whatever duration it states, and begins when we asked unless it says when.
    """
    if answer is None:
        return Reported("unanswered", at)
    read = read_composite(answer, ocpp=version, asked_unit=unit)
    if read.state is ReportedState.EMPTY:
        return Reported("empty", at, asked_s, unit, (Period(0, None),))
    if not read.periods:
        return Reported(cast(State, str(read.state)), at)
    state: State = "no_limit" if read.state is ReportedState.NO_LIMIT else "read"
    stated_s = asked_s if read.duration_s is None else min(read.duration_s, asked_s)
    periods = tuple(Period(*period[:3]) for period in read.periods)
    return Reported(state, read.start or at, stated_s, read.unit or unit, periods)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When two limits are the same: within `within`.

    `free` is what the hardware allows: where nothing is expected to limit, no limit is as good as `free` or more, and
    a limit above it may be reported as `free` (1.6 3.13.3; D1, D13).
    """

    within: float
    free: float

    def same(self, expected: float | None, reported: float | None) -> bool:
        if expected is None:
            return reported is None or reported >= self.free - self.within
        if reported is None:
            return False
        capped = expected > self.free and reported >= self.free - self.within
        return capped or abs(expected - reported) <= self.within + 1e-6


def first_difference(
    expected: Reported, reported: Reported, tolerance: Tolerance, *, edge_s: float = EDGE_S
) -> float | None:
    """The moment (seconds since 1970) from which `reported` is not what is expected; None: it is.

    Only what both cover is compared, and nothing closer than `edge_s` to a change that is expected: a shorter answer
    is no contradiction.
    """
    for begin, end, limit in expected.stretches():
        first = begin + edge_s if begin > expected.start.timestamp() else begin
        last = end - edge_s
        for other_begin, other_end, other in reported.stretches():
            since = max(first, other_begin)
            if since < min(last, other_end) and not tolerance.same(limit, other):
                return since
    return None


def same_composite(before: Reported, after: Reported, tolerance: Tolerance) -> bool:
    """Whether two readings of one EVSE say the same, for the time that both speak of.

    A schedule that counts from the moment of asking (Relative, no transaction: D8) has moved on by the time between
    the two, so changes may be that much apart.
    """
    if before.is_readable != after.is_readable or before.unit != after.unit:
        return False
    if not before.is_readable:
        return before.state == after.state
    moved_s = abs((after.start - before.start).total_seconds())
    late = replace(before, start=after.start)
    shifted = first_difference(late, after, tolerance)
    return shifted is None or first_difference(before, after, tolerance, edge_s=EDGE_S + moved_s) is None


# ---------------------------------------------------------------- as JSON, in a probe's row and in evidence
def to_json(reported: Reported) -> dict[str, Any]:
    return {
        "state": reported.state,
        "start": reported.start.isoformat(),
        "duration_s": reported.duration_s,
        "unit": reported.unit,
        "periods": [list(period) for period in reported.periods],
    }


def from_json(stored: Mapping[str, Any]) -> Reported:
    return Reported(
        state=stored["state"],
        start=datetime.fromisoformat(stored["start"]),
        duration_s=stored["duration_s"],
        unit=stored["unit"],
        periods=tuple(Period(*period) for period in stored["periods"]),
    )
