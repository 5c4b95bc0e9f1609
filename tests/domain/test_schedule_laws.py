"""Laws that hold for every set of profiles, checked on sets that Hypothesis makes up."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositeSchedule,
    Installed,
    Kind,
    LocalLimit,
    Purpose,
    Recurrency,
)
from tests.domain.charging import EXTERNAL, MAX, NOW, TX, TX_DEFAULT, charging, composite

UNKNOWN = LocalLimit()
WINDOW_S = 2 * 86_400
CHARGING = (charging(since=NOW - timedelta(days=5)),)
WEEK = timedelta(days=7)

seconds = st.integers(0, 100_000)
phases = st.sampled_from([None, 1, 2, 3])


@st.composite
def schedules(draw: st.DrawFn, /, *, unit: str | None = None, least: int = 0) -> ChargingSchedule:
    """Up to five periods in A or W with one decimal, begun within days of NOW."""
    starts = [0, *sorted(draw(st.sets(st.integers(1, 90_000), max_size=4)))]
    in_unit = unit or draw(st.sampled_from(["A", "W"]))
    tenths = st.integers(least, 640 if in_unit == "A" else 441_600)
    return ChargingSchedule(
        unit="A" if in_unit == "A" else "W",
        periods=tuple(ChargingPeriod(start, draw(tenths) / 10, draw(phases)) for start in starts),
        start=NOW + timedelta(seconds=draw(st.integers(-3 * 86_400, 86_400))),
        duration_s=draw(st.none() | seconds),
    )


def validities() -> st.SearchStrategy[datetime | None]:
    return st.none() | st.integers(-86_400, 2 * 86_400).map(lambda after: NOW + timedelta(seconds=after))


@st.composite
def profiles(draw: st.DrawFn, /, purposes: tuple[Purpose, ...], **schedule: Any) -> Installed:
    """A profile that is Absolute or Recurring, where its purpose belongs."""
    purpose = draw(st.sampled_from(purposes))
    kind = draw(st.sampled_from([Kind.ABSOLUTE, Kind.RECURRING]))
    profile = ChargingProfile(
        id=draw(st.integers(1, 10**6)),
        stack_level=draw(st.integers(0, 3)),
        purpose=purpose,
        kind=kind,
        schedule=draw(schedules(**schedule)),
        recurrency=draw(st.sampled_from(Recurrency)) if kind is Kind.RECURRING else None,
        valid_from=draw(validities()),
        valid_to=draw(validities()),
    )
    evses = {MAX: [0], TX: [1], TX_DEFAULT: [0, 1], EXTERNAL: [0, 1]}[purpose]
    return Installed(profile, draw(st.sampled_from(evses)))


ALL = (TX, TX_DEFAULT, MAX, EXTERNAL)
stations = st.lists(profiles(ALL), max_size=6)
stations_in_amps = st.lists(profiles(ALL, unit="A"), max_size=6)


def ask(installed: list[Installed], **question: Any) -> CompositeSchedule:
    whole: dict[str, Any] = {"duration_s": WINDOW_S, "transactions": CHARGING, "defaults": UNKNOWN} | question
    return composite(*installed, **whole)


def limit_at(schedule: CompositeSchedule, second: int) -> float:
    """The limit that a composite reports at a second of its window; infinity where it knows none."""
    running = bisect_right(schedule.periods, second, key=itemgetter(0)) - 1
    limit = schedule.periods[running].limit
    return math.inf if limit is None else limit


def changes(*schedules_: CompositeSchedule) -> list[int]:
    """Every second at which one of the composites changes, and the one before."""
    found = {period.start_s for schedule in schedules_ for period in schedule.periods}
    return sorted(found | {second - 1 for second in found if second})


# ------------------------------------------------------------------- a second computation, one second at a time


def period_at(profile: ChargingProfile, moment: datetime) -> ChargingPeriod | None:
    """The period of a profile at a moment, read off the rules one by one."""
    start = profile.schedule.start
    assert start is not None
    if moment < (profile.valid_from or moment) or (profile.valid_to and moment >= profile.valid_to):
        return None
    elapsed = int((moment - start).total_seconds())
    if elapsed < 0:
        return None
    if profile.kind is Kind.RECURRING and profile.recurrency:
        elapsed %= profile.recurrency.days * 86_400
    if profile.schedule.duration_s is not None and elapsed >= profile.schedule.duration_s:
        return None
    return [period for period in profile.schedule.periods if period.start_s <= elapsed][-1]


def leading_at(installed: list[Installed], moment: datetime) -> float | None:
    """The limit of the highest level that has a period; at one level the EVSE's own, and then the newest."""
    ranked = sorted(
        enumerate(installed), key=lambda pair: (pair[1].profile.stack_level, pair[1].evse, pair[0])
    )
    found = [period_at(item.profile, moment) for _, item in ranked]
    limits = [period.limit for period in found if period is not None]
    return limits[-1] if limits else None


def lowest_at(installed: list[Installed], moment: datetime) -> float:
    """The composite of EVSE 1 in A, of profiles in A."""

    def of(purpose: Purpose, *evses: int) -> list[Installed]:
        return [item for item in installed if item.profile.purpose is purpose and item.evse in evses]

    tx, default = leading_at(of(TX, 1), moment), leading_at(of(TX_DEFAULT, 0, 1), moment)
    caps = [
        leading_at(of(MAX, 0), moment),
        leading_at(of(EXTERNAL, 0), moment),
        leading_at(of(EXTERNAL, 1), moment),
    ]
    return min(
        (limit for limit in [default if tx is None else tx, *caps] if limit is not None), default=math.inf
    )


@given(stations_in_amps, st.lists(st.integers(0, WINDOW_S - 1), max_size=10))
def test_the_sweep_says_what_a_look_at_each_second_says(
    installed: list[Installed], moments: list[int]
) -> None:
    schedule = ask(installed)
    for second in [*moments, *changes(schedule)]:
        assert limit_at(schedule, second) == lowest_at(installed, NOW + timedelta(seconds=second))


# ------------------------------------------------------------------------------------------------------ the laws


@given(stations, st.sampled_from(["A", "W"]))
def test_the_answer_starts_at_0_ascends_within_the_window_and_neighbours_differ(
    installed: list[Installed], unit: str
) -> None:
    periods = ask(installed, unit=unit).periods
    starts = [period.start_s for period in periods]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] < WINDOW_S
    assert all(one[1:] != other[1:] for one, other in pairwise(periods))


@given(stations, st.sampled_from([MAX, EXTERNAL]), st.sampled_from([0, 1]))
def test_never_above_the_leading_limit_of_a_purpose_that_caps(
    installed: list[Installed], purpose: Purpose, evse: int
) -> None:
    schedule = ask(installed)
    cap = ask([item for item in installed if item.profile.purpose is purpose and item.evse == evse])
    for second in changes(schedule, cap):
        assert limit_at(schedule, second) <= limit_at(cap, second)


@given(
    st.lists(profiles((TX, TX_DEFAULT, MAX)), max_size=5),
    profiles((EXTERNAL,)),
    st.sampled_from(["A", "W"]),
    st.sampled_from([0, 1]),
)
def test_a_further_purpose_that_caps_raises_nothing(
    installed: list[Installed], cap: Installed, unit: str, evse: int
) -> None:
    without = ask(installed, unit=unit, evse=evse, evse_count=1)
    capped = ask([*installed, cap], unit=unit, evse=evse, evse_count=1)
    for second in changes(without, capped):
        assert limit_at(capped, second) <= limit_at(without, second)


@given(stations, st.integers(0, 86_400), st.integers(1, 86_400))
def test_a_window_is_a_stretch_of_a_longer_window(
    installed: list[Installed], after: int, duration_s: int
) -> None:
    longer = ask(installed)
    window = ask(installed, now=NOW + timedelta(seconds=after), duration_s=duration_s)
    for second in range(0, duration_s, max(1, duration_s // 20)):
        assert limit_at(window, second) == limit_at(longer, after + second)
    starts = {
        period.start_s - after for period in longer.periods if after < period.start_s < after + duration_s
    }
    assert {period.start_s for period in window.periods} == starts | {0}


def a_week_later(item: Installed) -> Installed:
    profile, schedule = item.profile, item.profile.schedule
    assert schedule.start is not None
    later = replace(schedule, start=schedule.start + WEEK)
    valid_from = profile.valid_from + WEEK if profile.valid_from else None
    valid_to = profile.valid_to + WEEK if profile.valid_to else None
    return replace(item, profile=replace(profile, schedule=later, valid_from=valid_from, valid_to=valid_to))


@given(stations)
def test_all_times_a_week_later_give_the_answer_a_week_later(installed: list[Installed]) -> None:
    now = ask(installed)
    later = ask([a_week_later(item) for item in installed], now=NOW + WEEK)
    assert later == replace(now, start=now.start + WEEK)


@given(stations)
def test_the_answers_in_amps_and_in_watts_are_the_same_answer(installed: list[Installed]) -> None:
    amps, watts = ask(installed, unit="A", rounding="none"), ask(installed, unit="W", rounding="none")
    for second in changes(amps, watts):
        at = bisect_right(amps.periods, second, key=itemgetter(0)) - 1
        watts_per_amp = 230 * (amps.periods[at].phases or 3)
        assert math.isclose(limit_at(watts, second), limit_at(amps, second) * watts_per_amp, rel_tol=1e-9)


@given(stations, st.sampled_from(["A", "W"]))
def test_a_station_with_one_evse_may_draw_what_that_evse_may(installed: list[Installed], unit: str) -> None:
    assert ask(installed, unit=unit, evse=0, evse_count=1) == ask(installed, unit=unit, evse=1)
