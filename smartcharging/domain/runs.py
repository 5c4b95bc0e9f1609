"""When the schedule of one charging profile runs. Pure.

Times are seconds since 1970; every end is exclusive (D5). The rules are those of OCPP 1.6 3.13, 5.16.4 and 7.x,
and 2.0.1 K01.FR.11, .12, .30, .36, .37.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from smartcharging.domain.limits import NOTHING
from smartcharging.domain.profiles import ChargingProfile, Kind, Policy
from smartcharging.domain.stacks import Window, second_of

DAY_S = 86_400


class Run(NamedTuple):
    """One run of a schedule that began at `start`, seen from `first` until just before `last`."""

    start: int
    first: int
    last: int


def runs_within(
    profile: ChargingProfile, window: Window, charging_start: int | None, policy: Policy
) -> Iterator[Run]:
    """The runs of a profile's schedule within a window, in order; none is empty.

    A run begins with its first period. It ends with the schedule's duration, with the next recurrence, or with the
    validity of the profile (K01.FR.11/.12).
    """
    earliest, latest = _validity(profile, window)
    first_period_s = profile.schedule.periods[0].start_s
    for start, end in _runs(profile, window, charging_start, policy):
        first, last = max(start + first_period_s, earliest), int(min(end, latest))
        if first < last:
            yield Run(start, first, last)


def _validity(profile: ChargingProfile, window: Window) -> tuple[int, int]:
    """The part of the window in which the profile is valid: validTo is exclusive (K01.FR.36/.37; D5)."""
    first, last = window
    if profile.valid_from is not None:
        first = max(first, second_of(profile.valid_from))
    if profile.valid_to is not None:
        last = min(last, second_of(profile.valid_to))
    return first, last


def _runs(
    profile: ChargingProfile, window: Window, charging_start: int | None, policy: Policy
) -> Iterator[tuple[int, float]]:
    """Start and end of each run of the schedule that may touch the window."""
    schedule = profile.schedule
    if profile.kind is Kind.RELATIVE or schedule.start is None:  # D7: 1.6 7.13
        start = charging_start
    else:
        start = second_of(schedule.start)
    if start is None:
        return
    duration_s = NOTHING if schedule.duration_s is None else schedule.duration_s
    if profile.kind is not Kind.RECURRING or profile.recurrency is None:
        yield start, start + duration_s
        return
    for begin, next_begin in _recurrences(start, profile.recurrency.days, window, policy):
        yield begin, min(begin + duration_s, next_begin)  # longer than the recurrence: cut


def _recurrences(start: int, days: int, window: Window, policy: Policy) -> Iterator[tuple[int, int]]:
    """Start of each recurrence that may touch the window, and of the one after it (1.6 7.37)."""
    nth = (window.start - start) // (days * DAY_S)
    if policy.timezone is not None:
        nth -= 1  # a wall clock may have been set in between
    if policy.recurring_before_start == "wait":  # D3: K01.FR.30
        nth = max(0, nth)
    begin = _recurrence(start, days * nth, policy)
    while begin < window.end:
        nth += 1
        next_begin = _recurrence(start, days * nth, policy)
        yield begin, next_begin
        begin = next_begin


def _recurrence(start: int, days: int, policy: Policy) -> int:
    """The second `days` after `start`: of 24 elapsed hours each, or by the wall clock of a zone (D10)."""
    if policy.timezone is None:
        return start + days * DAY_S
    wall_clock = datetime.fromtimestamp(start, policy.timezone).replace(tzinfo=None) + timedelta(days=days)
    return second_of(wall_clock.replace(tzinfo=policy.timezone))
