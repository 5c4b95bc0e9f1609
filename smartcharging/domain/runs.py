"""When the schedule of one charging profile runs, and which of its periods. Pure.

Times are seconds since 1970; every end is exclusive (D5). The rules are those of OCPP 1.6 3.13, 5.16.4 and 7.x,
and 2.0.1 K01.FR.11, .12, .30, .36, .37.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from smartcharging.domain.limits import NOTHING
from smartcharging.domain.profiles import ChargingProfile, Kind, Policy
from smartcharging.domain.stacks import Window, second_of

DAY_S = 86_400

T = TypeVar("T")


class Frame(NamedTuple):
    """What one profile is seen against: the window asked about, the start of charging, the policy."""

    window: Window
    charging_start: int | None
    policy: Policy


def changes_of(
    profile: ChargingProfile, frame: Frame, of_periods: Sequence[T]
) -> Iterator[tuple[list[int], list[T | None]]]:
    """Per run of the schedule: the seconds from which another period runs, and which one.

    `of_periods` stands for the periods, one for one; None says that from that second none of them runs.
    """
    starts = [period.start_s for period in profile.schedule.periods]
    earliest, latest = _validity(profile, frame.window)
    for start, end in _runs(profile, frame):
        first, last = max(start, earliest), int(min(end, latest))
        if first >= last:
            continue
        running = max(0, bisect_right(starts, first - start) - 1)  # one that began before the window counts
        never = bisect_left(starts, last - start)  # at or past the end a period never runs (K01.FR.11)
        moments = [start + start_s for start_s in starts[running:never]]
        if moments:
            moments[0] = max(moments[0], first)
            moments.append(last)
            yield moments, [*of_periods[running:never], None]


def _validity(profile: ChargingProfile, window: Window) -> tuple[int, int]:
    """The part of the window in which the profile is valid: validTo is exclusive (K01.FR.36/.37; D5)."""
    first, last = window
    if profile.valid_from is not None:
        first = max(first, second_of(profile.valid_from))
    if profile.valid_to is not None:
        last = min(last, second_of(profile.valid_to))
    return first, last


def _runs(profile: ChargingProfile, frame: Frame) -> Iterator[tuple[int, float]]:
    """Start and end of each run of the schedule that may touch the window."""
    schedule = profile.schedule
    if profile.kind is Kind.RELATIVE or schedule.start is None:  # D7: 1.6 7.13
        start = frame.charging_start
    else:
        start = second_of(schedule.start)
    if start is None:
        return
    duration_s = NOTHING if schedule.duration_s is None else schedule.duration_s
    if profile.kind is not Kind.RECURRING or profile.recurrency is None:
        yield start, start + duration_s
        return
    for begin, next_begin in _recurrences(start, profile.recurrency.days, frame):
        yield begin, min(begin + duration_s, next_begin)  # longer than the recurrence: cut


def _recurrences(start: int, days: int, frame: Frame) -> Iterator[tuple[int, int]]:
    """Start of each recurrence that may touch the window, and of the one after it (1.6 7.37)."""
    nth = (frame.window.start - start) // (days * DAY_S)
    if frame.policy.timezone is not None:
        nth -= 1  # a wall clock may have been set in between
    if frame.policy.recurring_before_start == "wait":  # D3: K01.FR.30
        nth = max(0, nth)
    begin = _recurrence(start, days * nth, frame.policy)
    while begin < frame.window.end:
        nth += 1
        next_begin = _recurrence(start, days * nth, frame.policy)
        yield begin, next_begin
        begin = next_begin


def _recurrence(start: int, days: int, policy: Policy) -> int:
    """The second `days` after `start`: of 24 elapsed hours each, or by the wall clock of a zone (D10)."""
    if policy.timezone is None:
        return start + days * DAY_S
    wall_clock = datetime.fromtimestamp(start, policy.timezone).replace(tzinfo=None) + timedelta(days=days)
    return second_of(wall_clock.replace(tzinfo=policy.timezone))
