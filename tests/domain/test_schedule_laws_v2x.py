"""Laws of composites with all that OCPP 2.1 adds, on profiles that Hypothesis makes up, and a naive second engine."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    Kind,
    LocalLimit,
    Operation,
    OperationMode,
    Outages,
    Purpose,
)
from tests.domain.charging import (
    EXTERNAL,
    GENERATION,
    MAX,
    NOW,
    PRIORITY,
    TX,
    TX_DEFAULT,
    at,
    charging,
    composite,
)
from tests.domain.test_schedule_laws import profiles as plain_profiles

WINDOW_S = 24
VOLTS = 230.0
UNKNOWN = LocalLimit()
WEEK = timedelta(days=7)
ALL = (PRIORITY, TX, TX_DEFAULT, MAX, EXTERNAL, GENERATION)

units = st.sampled_from(["A", "W"])
conversions = st.sampled_from(["own_phases", "common_phases"])


def tenths(least: int, most: int) -> st.SearchStrategy[float | None]:
    return st.none() | st.integers(least * 10, most * 10).map(lambda value: value / 10)


# limit, discharge limit, setpoint, mode, number of phases; then those of L2 and L3 of each, mostly unsaid
amounts = st.tuples(tenths(-8, 64), tenths(-32, 0), tenths(-40, 64), st.sampled_from(OperationMode))
others = st.tuples(tenths(0, 64), tenths(0, 64), tenths(-40, 64), tenths(-32, 0))
spoken = st.tuples(amounts, st.sampled_from([None, 1, 2, 3]), st.none() | st.none() | others)


def period_of(start_s: int, scale: float, said: Any) -> ChargingPeriod:
    """A period of what was drawn, in A or W; only one that names a limit may be ChargingOnly."""
    (limit, discharge, setpoint, mode), phases, by_phase = said
    if limit is None and mode is OperationMode.CHARGING_ONLY:
        mode = OperationMode.IDLE
    values = (
        {"discharge_limit": discharge, "setpoint": setpoint}
        if mode is not OperationMode.CHARGING_ONLY
        else {}
    )
    if by_phase is not None:
        values |= dict(
            zip(("limit_l2", "limit_l3", "setpoint_l2", "discharge_limit_l3"), by_phase, strict=True)
        )
    scaled: dict[str, Any] = {
        name: None if value is None else value * scale for name, value in values.items()
    }
    return ChargingPeriod(
        start_s, NOTHING if limit is None else limit * scale, phases, Operation(mode, **scaled)
    )


def profile_of(said: Any) -> Installed:
    """A profile within the seconds around NOW, where its purpose belongs."""
    purpose, unit, is_dynamic, starts, each, begin, duration_s, end, level, most_s, evse, number = said
    starts = [0] if is_dynamic else [0, *sorted(starts)]
    scale = 1.0 if unit == "A" else VOLTS
    schedule = ChargingSchedule(
        unit=unit,
        periods=tuple(period_of(start, scale, what) for start, what in zip(starts, each, strict=False)),
        start=None if is_dynamic else at(begin),
        duration_s=duration_s,
    )
    profile = ChargingProfile(
        id=number,
        stack_level=level,
        purpose=purpose,
        kind=Kind.DYNAMIC if is_dynamic else Kind.ABSOLUTE,
        schedule=schedule,
        valid_to=None if end is None else at(end),
        dynamic_updated_at=at(begin) if is_dynamic else None,
        max_offline_s=most_s,
    )
    return Installed(profile, {MAX: 0, TX: 1}.get(purpose, evse))


def profiles(purposes: tuple[Purpose, ...] = ALL) -> st.SearchStrategy[Installed]:
    return st.tuples(
        st.sampled_from(purposes),
        units,
        st.booleans(),
        st.sets(st.integers(1, 20), max_size=2),
        st.tuples(spoken, spoken, spoken),
        st.integers(-20, 20),
        st.none() | st.integers(0, 40),
        st.none() | st.integers(-5, 30),
        st.integers(0, 2),
        st.sampled_from([None, None, 0, 60, 300]),
        st.sampled_from([0, 1]),
        st.integers(1, 10**6),
    ).map(profile_of)


stations = st.lists(profiles(), max_size=5)
# Such stations are large: an example takes milliseconds to make up, on a busy machine ten times as long.
some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ask(installed: Iterable[Installed], *, first: bool = False, **question: Any) -> CompositeSchedule:
    whole: dict[str, Any] = {
        "duration_s": WINDOW_S,
        "transactions": (charging(since=at(-30), has_priority=first),),
        "defaults": UNKNOWN,
        "rounding": "none",
    } | question
    return composite(*installed, **whole)


def at_second(schedule: CompositeSchedule, second: int) -> CompositePeriod:
    return schedule.periods[bisect_right(schedule.periods, second, key=itemgetter(0)) - 1]


def limit_at(schedule: CompositeSchedule, second: int) -> float:
    limit = at_second(schedule, second).limit
    return math.inf if limit is None else limit


# ------------------------------------------------------------------- a second engine, one second at a time, by lines

Lines = tuple[float, float, float]
Said = dict[str, float | int | str | None]


@dataclass
class Leader:
    """What leads in one place, in A on each of three lines."""

    limit: Lines
    discharge: Lines | None
    setpoint: Lines | None
    phases: int | None
    by_phase: bool
    mode: str


def leader_at(installed: list[Installed], second: int, phases: int | None = None) -> Leader | None:
    """The highest level that has a period at a second; at one level the EVSE's own, and then the newest."""
    ranked = sorted(
        enumerate(installed), key=lambda pair: (pair[1].profile.stack_level, pair[1].evse, pair[0])
    )
    for _, item in reversed(ranked):
        profile, schedule = item.profile, item.profile.schedule
        start = profile.dynamic_updated_at if profile.kind is Kind.DYNAMIC else schedule.start
        assert start is not None
        elapsed = (at(second) - start).total_seconds()
        over = schedule.duration_s is not None and elapsed >= schedule.duration_s
        if elapsed < 0 or over or (profile.valid_to is not None and at(second) >= profile.valid_to):
            continue
        period = [one for one in schedule.periods if one.start_s <= elapsed][-1]
        return read(period, schedule.unit, phases)
    return None


def read(period: ChargingPeriod, unit: str, phases: int | None) -> Leader:
    """A period in A on each line; plain W are divided over `phases`, or over its own (three unless said)."""
    said = period.operation or Operation()
    pairs = [(said.limit_l2, said.limit_l3), (said.discharge_limit_l2, said.discharge_limit_l3)]
    pairs.append((said.setpoint_l2, said.setpoint_l3))
    values = [None if period.limit == NOTHING else period.limit, said.discharge_limit, said.setpoint]
    if values[0] is not None and values[0] < 0:
        values[1] = max(value for value in values[:2] if value is not None)
        values[0] = 0.0
    found: list[Lines | None] = []
    for value, pair in zip(values, pairs, strict=True):
        if value is None:
            found.append(None)
            continue
        each = (value, *(value if other is None else other for other in pair))
        volts = VOLTS if pair != (None, None) else VOLTS * (phases or period.phases or 3)
        found.append(tuple(one if unit == "A" else one / volts for one in each))  # type: ignore[arg-type]
    has_lines = [
        value is not None and pair != (None, None) for value, pair in zip(values, pairs, strict=True)
    ]
    return Leader(
        found[0] or (NOTHING,) * 3, found[1], found[2], period.phases, any(has_lines), said.mode.value
    )


def closest(values: Sequence[float]) -> float:
    if min(values) < 0 < max(values):
        return 0.0
    return min(values, key=abs)


def leaders_at(installed: list[Installed], second: int, phases: int | None, *, first: bool) -> list[Leader]:
    """Of EVSE 1: the transaction's, its own external constraints, Max, the station's external constraints."""

    def of(purpose: Purpose, *evses: int) -> Leader | None:
        found = [item for item in installed if item.profile.purpose is purpose and item.evse in evses]
        return leader_at(found, second, phases)

    session = (of(PRIORITY, 0, 1) if first else None) or of(TX, 1) or of(TX_DEFAULT, 0, 1)
    every = (session, of(EXTERNAL, 1), of(MAX, 0), of(EXTERNAL, 0))
    return [leader for leader in every if leader is not None]


def lowest(amounts: Iterable[Lines | None], *, is_single: bool) -> Lines | None:
    """Line by line the one closest to zero of those that are named; on one phase each is at its lowest line."""
    named = [lines for lines in amounts if lines is not None]
    if is_single:
        named = [(closest(lines),) * 3 for lines in named]
    if not named:
        return None
    one, two, three = (closest(values) for values in zip(*named, strict=True))
    return one, two, three


def oracle(installed: list[Installed], second: int, *, unit: str, conversion: str, first: bool) -> Said:
    """The composite of EVSE 1 of a station that is online and knows no local limit."""
    named = [one.phases for one in leaders_at(installed, second, None, first=first) if one.phases is not None]
    phases = min(named, default=None)
    over = (phases or 3) if conversion == "common_phases" else None
    led = leaders_at(installed, second, over, first=first)
    by_phase = phases != 1 and any(leader.by_phase for leader in led)
    is_single = not by_phase
    limit = lowest((leader.limit for leader in led), is_single=is_single) or (NOTHING,) * 3
    for evse in (0, 1):
        suns = [one for one in installed if one.profile.purpose is GENERATION and one.evse == evse]
        sun = leader_at(suns, second, over)
        if sun is not None and sun.limit[0] != NOTHING:
            more = lowest([sun.limit], is_single=is_single) or sun.limit
            limit = (limit[0] + more[0], limit[1] + more[1], limit[2] + more[2])
    least = lowest((leader.discharge for leader in led), is_single=is_single)
    wish = lowest((leader.setpoint for leader in led), is_single=is_single)
    if wish is not None:
        floor = least or (-NOTHING,) * 3
        kept = [min(max(low, one), high) for low, one, high in zip(floor, wish, limit, strict=True)]
        wish = (kept[0], kept[1], kept[2])
    answer: Said = {"phases": phases}
    answer["mode"] = next((one.mode for one in led if one.mode != "ChargingOnly"), "ChargingOnly")
    scale = 1.0 if unit == "A" else VOLTS * (1 if by_phase else phases or 3)
    for name, lines in (("limit", limit), ("discharge_limit", least), ("setpoint", wish)):
        answer |= in_words(name, lines, scale, 1 if is_single else phases or 3)
    return answer


def in_words(name: str, lines: Lines | None, scale: float, how_many: int) -> Said:
    """The first line and, where several are reported, the others under their names."""
    names = (name, f"{name}_l2", f"{name}_l3")
    shown = [line * scale for line in (lines or ())[:how_many]]
    padded = [None if line == NOTHING else line for line in shown] + [None] * 3
    return dict(zip(names, padded, strict=False))


def as_said(period: CompositePeriod) -> Said:
    operation = period.operation or Operation()
    said: Said = {"phases": period.phases, "mode": operation.mode.value, "limit": period.limit}
    names = ("limit_l2", "limit_l3", "discharge_limit", "discharge_limit_l2", "discharge_limit_l3")
    for name in (*names, "setpoint", "setpoint_l2", "setpoint_l3"):
        said[name] = getattr(operation, name)
    return said


def is_close(one: Said, other: Said) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(one[name] or 0, other[name] or 0, rel_tol=1e-9, abs_tol=1e-9)  # type: ignore[arg-type]
        and (one[name] is None) == (other[name] is None)
        if not isinstance(one[name], str)
        else one[name] == other[name]
        for name in one
    )


@settings(some, max_examples=60)
@given(stations, units, conversions, st.booleans())
def test_the_sweep_says_what_a_look_at_each_second_says(
    installed: list[Installed], unit: str, conversion: str, first: bool
) -> None:
    schedule = ask(installed, first=first, unit=unit, unit_conversion=conversion)
    for second in range(WINDOW_S):
        wanted = oracle(installed, second, unit=unit, conversion=conversion, first=first)
        assert is_close(as_said(at_second(schedule, second)), wanted), (second, wanted)


# ------------------------------------------------------------------------------------------ the two ways agree


@some
@given(
    st.lists(plain_profiles((TX, TX_DEFAULT, MAX, EXTERNAL)), max_size=6),
    units,
    st.sampled_from([0, 1]),
    st.fixed_dictionaries(
        {
            "unit_conversion": conversions,
            "station_sum": st.sampled_from(["unit_first", "everest"]),
            "rounding": st.sampled_from(["down", "none"]),
            "cap_by_local_limit": st.booleans(),
            "names_assumed_phases": st.booleans(),
            "min_rate_raises": st.booleans(),
        }
    ),
    st.sampled_from([UNKNOWN, LocalLimit(limit_a=20.0), LocalLimit(limit_a=20.0, limit_w=9000.0)]),
)
def test_plain_limits_come_out_the_same_by_the_general_way(
    installed: list[Installed], unit: str, evse: int, policy: dict[str, Any], defaults: LocalLimit
) -> None:
    """An Operation that says nothing makes a profile take the general way."""

    def generally(item: Installed) -> Installed:
        spoken = tuple(period._replace(operation=Operation()) for period in item.profile.schedule.periods)
        schedule = replace(item.profile.schedule, periods=spoken, min_charging_rate=7.0)
        return replace(item, profile=replace(item.profile, schedule=schedule))

    def plainly(item: Installed) -> Installed:
        schedule = replace(item.profile.schedule, min_charging_rate=7.0)
        return replace(item, profile=replace(item.profile, schedule=schedule))

    question = policy | {
        "unit": unit,
        "evse": evse,
        "evse_count": 2,
        "defaults": defaults,
        "duration_s": 90_000,
    }
    assert ask(map(generally, installed), **question) == ask(map(plainly, installed), **question)


# ------------------------------------------------------------------------------------------ the laws


@some
@given(stations, units, st.booleans(), st.sampled_from([0, 1]))
def test_a_setpoint_lies_between_discharge_limit_and_limit_and_neighbours_differ(
    installed: list[Installed], unit: str, first: bool, evse: int
) -> None:
    schedule = ask(installed, first=first, unit=unit, evse=evse, evse_count=2, rounding="down")
    assert all(one[1:] != other[1:] for one, other in pairwise(schedule.periods))
    for period in schedule.periods:
        said = as_said(period)
        for line in ("", "_l2", "_l3"):
            limit, least, wish = (said[name + line] for name in ("limit", "discharge_limit", "setpoint"))
            assert not isinstance(least, str)
            assert least is None or least <= 0
            if isinstance(wish, float):
                assert wish <= (math.inf if limit is None else limit)  # type: ignore[operator]
                assert wish >= (-math.inf if least is None else least)


@some
@given(stations, st.lists(profiles((EXTERNAL, MAX)), min_size=1, max_size=2), st.booleans())
def test_another_cap_raises_neither_limit_nor_discharge(
    installed: list[Installed], caps: list[Installed], first: bool
) -> None:
    """Of purposes that nobody used yet, in A: the answer in W also depends on the lowest number of phases."""
    used = {cap.profile.purpose for cap in caps}
    installed = [item for item in installed if item.profile.purpose not in used | {GENERATION}]
    without, capped = ask(installed, first=first), ask([*installed, *caps], first=first)
    for second in range(WINDOW_S):
        assert limit_at(capped, second) <= limit_at(without, second) + 1e-9
        before, after = (as_said(at_second(one, second))["discharge_limit"] for one in (without, capped))
        assert before is None or (isinstance(after, float) and after >= before - 1e-9)  # type: ignore[operator]


@some
@given(stations, profiles((GENERATION,)), units, st.sampled_from([0, 1]))
def test_local_generation_lowers_nothing(
    installed: list[Installed], sun: Installed, unit: str, evse: int
) -> None:
    installed = [item for item in installed if item.profile.purpose is not GENERATION]
    without = ask(installed, unit=unit, evse=evse, evse_count=2)
    raised = ask([*installed, sun], unit=unit, evse=evse, evse_count=2)
    for second in range(WINDOW_S):
        assert limit_at(raised, second) >= limit_at(without, second) - 1e-9
        one, other = at_second(without, second), at_second(raised, second)
        assert one.phases == other.phases
        assert as_said(one)["discharge_limit"] == as_said(other)["discharge_limit"]


@some
@given(stations, st.booleans())
def test_the_answers_in_amps_and_in_watts_are_the_same_answer(
    installed: list[Installed], first: bool
) -> None:
    amps, watts = ask(installed, first=first, unit="A"), ask(installed, first=first, unit="W")
    for second in range(WINDOW_S):
        one, other = as_said(at_second(amps, second)), as_said(at_second(watts, second))
        by_phase = one["limit_l2"] is not None or one["setpoint_l2"] is not None
        by_phase |= one["discharge_limit_l2"] is not None
        scale = VOLTS * (1 if by_phase else one["phases"] or 3)  # type: ignore[operator]
        scaled = {
            name: value * scale if isinstance(value, float) and name != "phases" else value
            for name, value in one.items()
        }
        assert is_close(scaled, other)


@some
@given(stations, st.integers(0, WINDOW_S - 1), st.integers(1, WINDOW_S))
def test_a_window_is_a_stretch_of_a_longer_window(
    installed: list[Installed], after: int, duration_s: int
) -> None:
    longer, window = (
        ask(installed, duration_s=2 * WINDOW_S),
        ask(installed, now=at(after), duration_s=duration_s),
    )
    for second in range(duration_s):
        assert at_second(window, second)[1:] == at_second(longer, after + second)[1:]


@some
@given(stations, st.booleans())
def test_all_times_a_week_later_give_the_answer_a_week_later(installed: list[Installed], first: bool) -> None:
    def later(item: Installed) -> Installed:
        profile, schedule = item.profile, item.profile.schedule
        return replace(
            item,
            profile=replace(
                profile,
                schedule=replace(schedule, start=schedule.start and schedule.start + WEEK),
                valid_to=profile.valid_to and profile.valid_to + WEEK,
                dynamic_updated_at=profile.dynamic_updated_at and profile.dynamic_updated_at + WEEK,
            ),
        )

    now = ask(installed, first=first)
    assert ask(map(later, installed), first=first, now=NOW + WEEK) == replace(now, start=now.start + WEEK)


@some
@given(stations, units)
def test_a_station_with_one_evse_has_the_limit_of_that_evse(installed: list[Installed], unit: str) -> None:
    """Limits and discharge limits; modes and setpoints of its EVSE are not the station's."""
    station, own = ask(installed, unit=unit, evse=0), ask(installed, unit=unit)
    for second in range(WINDOW_S):
        one, other = as_said(at_second(station, second)), as_said(at_second(own, second))
        assert one["phases"] == other["phases"]
        assert math.isclose(limit_at(station, second), limit_at(own, second), rel_tol=1e-9, abs_tol=1e-9)


@some
@given(stations, st.sampled_from([0, 59, 60, 61, 301]))
def test_offline_a_profile_that_ends_is_as_if_it_were_not_there(
    installed: list[Installed], offline_s: int
) -> None:
    left = [
        item
        for item in installed
        if item.profile.max_offline_s is None or 0 < item.profile.max_offline_s >= offline_s
    ]
    assert ask(installed, outages=Outages(since=at(-offline_s))) == ask(left)
