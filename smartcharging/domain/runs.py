"""When the schedule of one charging profile runs. Pure.

Times are seconds since 1970; every end is exclusive (D5). The rules are those of OCPP 1.6 3.13, 5.16.4 and 7.x,
and 2.0.1 K01.FR.11, .12, .30, .36, .37.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from smartcharging.domain.limits import NOTHING
from smartcharging.domain.profiles import ChargingProfile, Kind, Policy
from smartcharging.domain.stacks import Window, second_of

DAY_S = 86_400


Run = tuple[int, int, int]
"""A run of a schedule: when it began, the first second of it that counts, and the second that counts no more."""


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
            yield start, first, last


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
    for begin, next_begin in pairwise(_recurrences(start, profile.recurrency.days, window, policy)):
        yield begin, min(begin + duration_s, next_begin)  # longer than the recurrence: cut


def _recurrences(start: int, days: int, window: Window, policy: Policy) -> Sequence[int]:
    """The start of each recurrence that may touch the window, and of the one after the last (1.6 7.37)."""
    every = days * DAY_S
    nth = (window.start - start) // every
    if policy.recurring_before_start == "wait":  # D3: K01.FR.30
        nth = max(0, nth)
    begin, past_end = start + nth * every, window.end + every
    if policy.timezone is None:
        return range(begin, past_end, every)
    # D10: by the wall clock, which may have been set in between: one more on either side.
    first = nth if nth == 0 and policy.recurring_before_start == "wait" else nth - 1
    last = nth + (past_end - begin) // every + 1
    return [_by_wall_clock(start, days * number, policy.timezone) for number in range(first, last + 1)]


def _by_wall_clock(start: int, days: int, zone: tzinfo) -> int:
    """The second at which a clock in the zone shows the time of `start` again, `days` later."""
    shown = datetime.fromtimestamp(start, zone).replace(tzinfo=None) + timedelta(days=days)
    return second_of(shown.replace(tzinfo=zone))
