"""The composite schedule: what all charging profiles of a station together allow, over time. Pure.

OCPP 1.6 edition 2 with errata 4.0, OCPP 2.0.1 edition 3 with errata 2025-09. Clauses without a document are
those of 2.0.1 part 2 (Kxx.FR.yy) or of 1.6 (3.13, 5.16, 7.x). Where implementations differ, `Policy` says what
this one does (Dn).

Three steps. `stacks.py`: which profiles count for what, the one that leads first. `sweep`: within a stack, each
profile fills what those above it left free (`runs.py`: when it runs); one pass over the changes of all stacks then
gives each stretch in which the same periods lead. `composite_schedule`: such a stretch gets the lowest of its
limits (`limits.py`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import itemgetter
from typing import TypeVar

from smartcharging.domain.limits import UNLIMITED, Arithmetic, Limit, lowest
from smartcharging.domain.profiles import (
    ChargingPeriod,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    LocalLimit,
    Policy,
    Transaction,
    Unit,
)
from smartcharging.domain.runs import DAY_S, Run, runs_within
from smartcharging.domain.stacks import Situation, Stack, Window, second_of

MAX_DURATION_S = 366 * DAY_S  # a longer question is answered for a year; stations clamp it too

T = TypeVar("T")
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
) -> CompositeSchedule:
    """The answer to GetCompositeSchedule for `evse`, from `now` on for `duration_s` seconds (0: this instant).

    `installed`: what the station holds, in order of installation (`storing.install`). `evse` 0 asks for the
    expected use of the whole station with its `evse_count` EVSEs. `now` is aware; fractions of a second are
    dropped. Limits come in `unit`: A per phase, or W in total.

    At any moment the composite is the lowest of the leading {TxProfile, else TxDefaultProfile}, Max and
    ExternalConstraints; where none of them has a period, the local limit of `defaults`. 1.6 3.13.3, 5.7, 5.16.4;
    K01.FR.11-.50, K02, K04, K08.
    """
    situation = Situation(installed, transactions, window_from(now, duration_s), policy)
    stacks = stacks_for(situation, evse, evse_count)
    arithmetic = Arithmetic(defaults, policy, unit)
    if evse:
        stacks = [stack for stack in stacks if stack.profiles]  # an empty one limits nothing
    stretches = sweep(stacks, situation.window, policy, arithmetic.of_periods)
    return CompositeSchedule(
        start=datetime.fromtimestamp(situation.window.start, UTC),
        duration_s=min(duration_s, MAX_DURATION_S),
        unit=unit,
        periods=tuple(_reported(stretches, _limit_of_evse if evse else _limit_of_station, arithmetic)),
    )


def _reported(
    stretches: Iterator[tuple[int, list[Limit | None]]],
    limit_of: Callable[[Arithmetic, Sequence[Limit | None]], Limit],
    arithmetic: Arithmetic,
) -> Iterator[CompositePeriod]:
    """A period for each change of the limit or its phases; none where they are equal once rounded (D11)."""
    last: Limit | None = None
    last_answer: tuple[float | None, int | None] | None = None
    for start_s, leading in stretches:
        limit = limit_of(arithmetic, leading)
        if limit == last:
            continue
        last, answer = limit, (arithmetic.reported(limit), limit[2])
        if answer != last_answer:
            yield CompositePeriod(start_s, answer[0], answer[1])
            last_answer = answer


def window_from(now: datetime, duration_s: int) -> Window:
    """The seconds that a question at `now` asks about; a duration of 0 asks for this instant."""
    start = second_of(now)
    return Window(start, start + max(1, min(duration_s, MAX_DURATION_S)))


def stacks_for(situation: Situation, evse: int, evse_count: int) -> list[Stack]:
    """Two stacks for `evse` (0: for each EVSE), Tx and own External; then the station's Max and External."""
    evses = [evse] if evse else list(range(1, evse_count + 1))
    stacks = [stack for number in evses for stack in situation.stacks_of_evse(number)]
    return stacks + situation.stacks_of_station(evses)


def sweep(
    stacks: Sequence[Stack],
    window: Window,
    policy: Policy,
    of_periods: Callable[[Installed, Sequence[ChargingPeriod]], Sequence[T]],
) -> Iterator[tuple[int, list[T | None]]]:
    """Each stretch of the window in which the same periods lead: its start, and what leads in each stack.

    `of_periods` says what to hand out for each of some periods of a profile: its limit, or the profile itself, to
    explain who wins. The start is in seconds after that of the window; the first is 0. The list is the same one
    every time, and has None for a stack of which no profile has a period then.
    """
    changes: list[tuple[int, int, T | None]] = []
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
    of_periods: Callable[[Installed, Sequence[ChargingPeriod]], Sequence[T]],
) -> list[tuple[int, int, T | None]]:
    """From which second on what leads in stack `number` (1.6 5.16.4, 2.0.1 section 3.3).

    Each profile fills what those above it left free; in what is free at the end none leads. So a profile that never
    shows costs nothing.
    """
    changes: list[tuple[int, int, T | None]] = []
    free = [window]
    for item in stack.profiles:
        gaps, free = free, []
        for gap in gaps:
            begin = gap.start
            for run in runs_within(item.profile, gap, stack.charging_start, policy):
                _, first, last = run
                if begin < first:
                    free.append(Window(begin, first))
                seconds, periods = _periods_in(run, item.profile.schedule.periods)
                changes.extend(zip(seconds, repeat(number), of_periods(item, periods), strict=False))
                begin = last
            if begin < gap.end:
                free.append(Window(begin, gap.end))
    changes.extend((gap.start, number, None) for gap in free)
    return changes


def _periods_in(run: Run, periods: Sequence[ChargingPeriod]) -> tuple[list[int], Sequence[ChargingPeriod]]:
    """The periods of a run and the second from which each applies; the first may have begun before (issue 609)."""
    start, first, last = run
    running = bisect_right(periods, first - start, key=_SECOND) - 1
    never = bisect_left(periods, last - start, key=_SECOND)  # at or past the end (K01.FR.11)
    found = periods[running:never]
    seconds = [start + start_s for start_s, _, _ in found]
    seconds[0] = first
    return seconds, found


def _limit_of_evse(arithmetic: Arithmetic, leading: Sequence[Limit | None]) -> Limit:
    """The lowest leading limit of one EVSE; where none leads, "as if no profile": the local limit (1.6 3.13.3)."""
    limit = lowest(leading)
    if limit == UNLIMITED:  # D1
        return arithmetic.of_local_limit()
    if arithmetic.policy.cap_by_local_limit:  # D13
        return lowest((limit, arithmetic.of_local_limit()))
    return limit


def _limit_of_station(arithmetic: Arithmetic, leading: Sequence[Limit | None]) -> Limit:
    """Expected use from the grid: the EVSEs added up, capped by the station's Max and External (1.6 5.7; D12)."""
    *evses, station_max, external = leading
    parts = [_limit_of_evse(arithmetic, evses[at : at + 2]) for at in range(0, len(evses), 2)]
    return lowest((arithmetic.total(parts), station_max, external))
