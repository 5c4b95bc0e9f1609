"""The composite schedule: what all charging profiles of a station together allow, over time. Pure.

OCPP 1.6 edition 2 with errata 4.0, OCPP 2.0.1 edition 3 with errata 2025-09, OCPP 2.1 edition 2. Clauses without a
document are those of 2.x part 2 (Kxx.FR.yy) or of 1.6 (3.13, 5.16, 7.x). Where implementations differ, `Policy` says
what this one does (Dn).

Three steps. `stacks.py`: which profiles count for what, the one that leads first. `sweep`: within a stack, each
profile fills what those above it left free (`runs.py`: when it runs); one pass over the changes of all stacks then
gives each stretch in which the same periods lead. `composite_schedule`: such a stretch gets the lowest of its
limits (`limits.py`); where a profile says more than limits, all that 2.1 knows (`operations.py`, nine times as slow).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import itemgetter
from typing import TypeVar

from smartcharging.domain.limits import UNLIMITED, Arithmetic, Limit, lowest
from smartcharging.domain.operations import Answer, Operations, Terms
from smartcharging.domain.profiles import (
    CompositePeriod,
    CompositeSchedule,
    Installed,
    LocalLimit,
    Outages,
    Policy,
    Transaction,
    Unit,
)
from smartcharging.domain.runs import DAY_S, Run, runs_within
from smartcharging.domain.stacks import ONLINE, Role, Situation, Stack, Window, second_of

MAX_DURATION_S = 366 * DAY_S  # a longer question is answered for a year; stations clamp it too

T = TypeVar("T")
Change = tuple[int, int, T | None]
"""From this second on, in the stack of this number, this leads; None: nothing does."""
LimitOf = Callable[[Sequence[Limit | None]], Limit]
"""From what leads in each stack to the limit that it makes: made once, asked for each stretch."""
_SECOND = itemgetter(0)
_NO_LOCAL_LIMIT = LocalLimit()
_OUR_DECISIONS = Policy()


def composite_schedule(
    *,
    installed: Sequence[Installed],
    now: datetime,
    duration_s: int,
    unit: Unit,
    evse: int,
    evse_count: int = 1,
    transactions: Sequence[Transaction] = (),
    defaults: LocalLimit = _NO_LOCAL_LIMIT,
    policy: Policy = _OUR_DECISIONS,
    outages: Outages = ONLINE,
) -> CompositeSchedule:
    """The answer to GetCompositeSchedule for `evse`, from `now` on for `duration_s` seconds (0: this instant).

    `installed`: what the station holds, in order of installation (`storing.install`). `evse` 0 asks for the
    expected use of the whole station with its `evse_count` EVSEs. `now` is aware; fractions of a second are
    dropped. Limits come in `unit`: A per phase, or W in total. `outages` matter to profiles of 2.1 that end when
    the station is offline.

    At any moment the composite is the lowest of the leading {PriorityCharging in use, else TxProfile, else
    TxDefaultProfile}, Max and ExternalConstraints, and on top of it LocalGeneration; where none of them has a period,
    the local limit of `defaults`. 1.6 3.13.3, 5.7, 5.16.4; K01.FR.11-.50, K02, K04, K08, K21, K27.
    """
    situation = Situation(installed, transactions, window_from(now, duration_s), policy, outages)
    stacks = stacks_for(situation, evse, evse_count)
    arithmetic = Arithmetic(defaults, policy, unit)
    if evse:
        stacks = [stack for stack in stacks if stack.profiles]  # an empty one limits nothing
    periods = _of_limits if situation.is_plain else _of_operations
    return CompositeSchedule(
        start=datetime.fromtimestamp(situation.window.start, UTC),
        duration_s=min(duration_s, MAX_DURATION_S),
        unit=unit,
        periods=tuple(periods(stacks, situation, arithmetic, evse)),
    )


def _of_limits(
    stacks: Sequence[Stack], situation: Situation, arithmetic: Arithmetic, evse: int
) -> Iterator[CompositePeriod]:
    """The periods of a composite of limits alone: the short way."""
    stretches = sweep(stacks, situation.window, situation.policy, arithmetic.of_periods)
    limit_of = _limits_of_evse(arithmetic) if evse else _limits_of_station(arithmetic)
    return _reported(stretches, limit_of, arithmetic)


def _of_operations(
    stacks: Sequence[Stack], situation: Situation, arithmetic: Arithmetic, evse: int
) -> Iterator[CompositePeriod]:
    """The periods of a composite with all that 2.1 knows; neighbours differ in something that is reported (D11)."""
    operations = Operations(arithmetic)
    last: Answer | None = None
    for start_s, leading in sweep(stacks, situation.window, situation.policy, operations.of_periods):
        found = [(stack, terms) for stack, terms in zip(stacks, leading, strict=True) if terms is not None]
        generation = [terms for stack, terms in found if stack.role is Role.GENERATION]
        by_evse: dict[int, list[Terms]] = {stack.evse: [] for stack in stacks}
        for stack, terms in found:
            if stack.role is not Role.GENERATION:
                by_evse[stack.evse].append(terms)
        if evse:
            answer = operations.of_evse([terms for each in by_evse.values() for terms in each], generation)
        else:
            station = by_evse.pop(0)
            answer = operations.of_station(list(by_evse.values()), station, generation)
        if answer != last:
            yield CompositePeriod(start_s, *answer)
            last = answer


def _reported(
    stretches: Iterator[tuple[int, list[Limit | None]]],
    limit_of: LimitOf,
    arithmetic: Arithmetic,
) -> Iterator[CompositePeriod]:
    """A period for each change of the limit or its phases; none where they are equal once rounded (D11)."""
    reported, new = arithmetic.reported, tuple.__new__
    last: Limit | None = None
    last_value: float | None = None
    last_phases: int | None = -1  # no number of phases: the first is always told
    for start_s, leading in stretches:
        limit = limit_of(leading)
        if limit == last:
            continue
        last, value, phases = limit, reported(limit), limit[2]
        if value != last_value or phases != last_phases:
            # As CompositePeriod(...) does it, in half the time.
            yield new(CompositePeriod, (start_s, value, phases, None))
            last_value, last_phases = value, phases


def window_from(now: datetime, duration_s: int) -> Window:
    """The seconds that a question at `now` asks about; a duration of 0 asks for this instant."""
    start = second_of(now)
    return Window(start, start + max(1, min(duration_s, MAX_DURATION_S)))


def stacks_for(situation: Situation, evse: int, evse_count: int) -> list[Stack]:
    """The stacks of `evse` (0: of each EVSE), then the station's; `Stack.role` and `.evse` say which is which.

    For each EVSE two, SESSION and EXTERNAL, for the station STATION_MAX and EXTERNAL, also where they are empty;
    after these GENERATION, where there is any.
    """
    evses = [evse] if evse else list(range(1, evse_count + 1))
    stacks = [stack for number in evses for stack in situation.stacks_of_evse(number)]
    return stacks + situation.stacks_of_station(evses)


def sweep(
    stacks: Sequence[Stack],
    window: Window,
    policy: Policy,
    of_periods: Callable[[Installed, slice], Sequence[T]],
) -> Iterator[tuple[int, list[T | None]]]:
    """Each stretch of the window in which the same periods lead: its start, and what leads in each stack.

    `of_periods` says what to hand out for each period of a slice of those of a profile: its limit, or the profile
    itself, to explain who wins. The start is in seconds after that of the window; the first is 0. The list is the
    same one every time, and has None for a stack of which no profile has a period then.
    """
    changes: list[Change[T]] = []
    for number, stack in enumerate(stacks):
        changes += _leaders(number, stack, window, policy, of_periods)
    changes.sort(key=_SECOND)
    leading: list[T | None] = [None] * len(stacks)
    start = since = window.start
    for moment, number, leader in changes:
        if moment != since:
            yield since - start, leading
            since = moment
        leading[number] = leader
    yield since - start, leading


def _leaders(
    number: int,
    stack: Stack,
    window: Window,
    policy: Policy,
    of_periods: Callable[[Installed, slice], Sequence[T]],
) -> list[Change[T]]:
    """From which second on what leads in stack `number` (1.6 5.16.4, 2.0.1 section 3.3).

    Each profile fills what those above it left free; in what is free at the end none leads. So a profile that never
    shows costs nothing.
    """
    changes: list[Change[T]] = []
    free = [window]
    for item in stack.profiles:
        runs = runs_within(item, window, policy, charging_start=stack.charging_start, asked_at=window.start)
        leading, free = _fill(free, runs)
        for run in leading:
            seconds, periods = _periods_in(run, item.profile.schedule.starts)
            changes.extend(zip(seconds, repeat(number), of_periods(item, periods), strict=False))
        if not free:
            return changes
    changes.extend((gap.start, number, None) for gap in free)
    return changes


def _fill(gaps: list[Window], runs: list[Run]) -> tuple[list[Run], list[Window]]:
    """What of the runs lies in the gaps, and what of the gaps is then left; all are in order and apart."""
    filling: list[Run] = []
    left: list[Window] = []
    upcoming = 0
    for gap in gaps:
        begin, end = gap
        while upcoming < len(runs) and runs[upcoming][1] < end:
            start, first, last = runs[upcoming]
            if begin < first:
                left.append(Window(begin, first))
                begin = first
            if begin < last:
                filling.append((start, begin, min(last, end)))
                begin = last
            if last > end:  # the rest of it may lie in the next gap
                break
            upcoming += 1
        if begin < end:
            left.append(Window(begin, end))
    return filling, left


def _periods_in(run: Run, starts: Sequence[int]) -> tuple[list[int], slice]:
    """The second from which each period of a run applies, and which they are; the first may have begun before.

    `starts`: when they begin, after the start of the schedule (issue 609).
    """
    start, first, last = run
    running, never = 0, len(starts)
    if first > start:
        running = bisect_right(starts, first - start) - 1
    if last - start <= starts[-1]:
        never = bisect_left(starts, last - start)  # at or past the end (K01.FR.11)
    seconds = [start + start_s for start_s in starts[running:never]]
    seconds[0] = first
    return seconds, slice(running, never)


def _limits_of_evse(arithmetic: Arithmetic) -> LimitOf:
    """The lowest leading limit of one EVSE; where none leads, "as if no profile": the local limit (1.6 3.13.3)."""
    local = arithmetic.of_local_limit()
    if arithmetic.policy.cap_by_local_limit:  # D13
        return lambda leading: lowest((*leading, local))

    def limit_of(leading: Sequence[Limit | None]) -> Limit:
        limit = lowest(leading)
        return local if limit == UNLIMITED else limit  # D1

    return limit_of


def _limits_of_station(arithmetic: Arithmetic) -> LimitOf:
    """Expected use from the grid: the EVSEs added up, capped by the station's Max and External (1.6 5.7; D12)."""
    of_evse = _limits_of_evse(arithmetic)

    def limit_of(leading: Sequence[Limit | None]) -> Limit:
        *evses, station_max, external = leading
        parts = [of_evse(evses[at : at + 2]) for at in range(0, len(evses), 2)]
        return lowest((arithmetic.total(parts), station_max, external))

    return limit_of
