"""When the schedule of one charging profile runs. Pure.

Times are seconds since 1970; every end is exclusive (D5). The rules are those of OCPP 1.6 3.13, 5.16.4 and 7.x,
2.0.1 K01.FR.11, .12, .30, .36, .37, and of 2.1 K28 and useLocalTime.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from smartcharging.domain.profiles import NOTHING, ChargingProfile, Installed, Kind, Policy
from smartcharging.domain.stacks import Window, second_of

DAY_S = 86_400
# Beyond the year 9990 a day more may be none of any calendar: there days are of 24 hours whatever the zone.
LAST_SHOWN = second_of(datetime(9990, 1, 1, tzinfo=UTC))


Run = tuple[int, int, int]
"""A run of a schedule: when it began, the first second of it that counts, and the second that counts no more."""


def runs_within(
    item: Installed, window: Window, policy: Policy, *, charging_start: int | None, asked_at: int
) -> list[Run]:
    """The runs of a profile's schedule within a window, in order; none is empty.

    `charging_start`: what Relative counts from, None: never. `asked_at`: when the question was asked, at the start
    of the window or before.

    A run begins with its first period. It ends with the schedule's duration, with the next recurrence, or with the
    validity of the profile (K01.FR.11/.12).
    """
    profile = item.profile
    begin = _start(item, policy, charging_start, asked_at)
    if begin is None:
        return []
    earliest, latest = _validity(profile, window)
    first_period_s = profile.schedule.starts[0]
    runs = []
    for start, end in _runs(profile, begin, window, policy):
        first, last = max(start + first_period_s, earliest), int(min(end, latest))
        if first < last:
            runs.append((start, first, last))
    return runs


def _validity(profile: ChargingProfile, window: Window) -> tuple[int, int]:
    """The part of the window in which the profile is valid: validTo is exclusive (K01.FR.36/.37; D5)."""
    first, last = window
    if profile.valid_from is not None:
        first = max(first, second_of(profile.valid_from))
    if profile.valid_to is not None:
        last = min(last, second_of(profile.valid_to))
    return first, last


def _runs(profile: ChargingProfile, start: int, window: Window, policy: Policy) -> list[tuple[int, float]]:
    """Start and end of each run of the schedule that may touch the window."""
    schedule = profile.schedule
    duration_s = NOTHING if schedule.duration_s is None else schedule.duration_s
    if profile.kind is not Kind.RECURRING or profile.recurrency is None:
        return [(start, start + duration_s)]
    begins = _recurrences(profile, profile.recurrency.days, start, window, policy)
    # Longer than the recurrence: cut.
    return [(begin, min(begin + duration_s, following)) for begin, following in pairwise(begins)]


def _start(item: Installed, policy: Policy, charging_start: int | None, asked_at: int) -> int | None:
    """The second from which the schedule counts; None: it never does."""
    profile, start = item.profile, item.profile.schedule.start
    if profile.kind is Kind.DYNAMIC:  # D15: its update, or its arrival (K28.FR.05, .13), else the question
        updated = profile.dynamic_updated_at or item.received_at
        return asked_at if updated is None or policy.dynamic_from == "question" else second_of(updated)
    if profile.kind is Kind.RELATIVE or start is None:  # D7: 1.6 7.13
        return charging_start
    if profile.schedule.use_local_time:
        return _shown_at(start, policy.local_time)
    return second_of(start)


def _recurrences(
    profile: ChargingProfile, days: int, start: int, window: Window, policy: Policy
) -> Sequence[int]:
    """The start of each recurrence that may touch the window, and of the one after the last (1.6 7.37)."""
    every = days * DAY_S
    nth = (window.start - start) // every
    if policy.recurring_before_start == "wait":  # D3: K01.FR.30
        nth = max(0, nth)
    begin, past_end = start + nth * every, window.end + every
    zone = policy.local_time if profile.schedule.use_local_time else policy.timezone
    if zone is None or max(start, past_end) > LAST_SHOWN:
        return range(begin, past_end, every)
    # By the wall clock, which may have been set in between (D10): one more on either side.
    first = nth if nth == 0 and policy.recurring_before_start == "wait" else nth - 1
    last = nth + (past_end - begin) // every + 1
    shown = _clock_at_start(profile, start, zone)
    return [_shown_at(shown + timedelta(days=days * n), zone) if n else start for n in range(first, last + 1)]


def _clock_at_start(profile: ChargingProfile, start: int, zone: tzinfo) -> datetime:
    """What the clock in the zone shows as a schedule starts; with useLocalTime also where no clock ever did."""
    said = profile.schedule.start
    if profile.schedule.use_local_time and said is not None:
        return said
    return datetime.fromtimestamp(start, zone)


def _shown_at(shown: datetime, zone: tzinfo) -> int:
    """The second at which a clock in the zone shows this; the first of two, as if not set forward for one of none."""
    return second_of(shown.replace(tzinfo=zone))
