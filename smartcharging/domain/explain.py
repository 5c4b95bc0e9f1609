"""What limits an EVSE or a station, and why: who wins, who loses to whom, over time. Pure.

The limit itself is the engine's answer (`judging.expected_periods`, within what the hardware can do); here is only
whose it is. Every profile that has a period at a moment makes a claim, and so do the connection and the sockets:

- within a purpose the highest stack level that has a period leads, the others are OUTRANKED (1.6 5.16.4; 2.0.1 part 2,
  section 3.3);
- a TxDefaultProfile is OVERRULED while a TxProfile has a period (K02.FR.04), and both while priority charging is used;
- of what then leads, the lowest WINS and the others are HIGHER (1.6 3.13.3, K04).

For the whole station (EVSE 0) the limits of its EVSEs add up; they win together, unless a limit of the station or its
connection is lower than that sum (1.6 5.7).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.profiles import (
    NOMINAL_V,
    NOTHING,
    Installed,
    Kind,
    Purpose,
    policy_for,
)
from smartcharging.domain.schedule import sweep, window_from
from smartcharging.domain.stacks import Situation, Window, second_of

EPSILON = 1e-6
# In whose place a profile of another purpose steps, the strongest first.
_STRONGER = {
    Purpose.TX_DEFAULT: (Purpose.PRIORITY_CHARGING, Purpose.TX),
    Purpose.TX: (Purpose.PRIORITY_CHARGING,),
}


class Hardware(StrEnum):
    """What limits without any profile."""

    CONNECTION = "connection"
    SOCKET = "socket"


class Outcome(StrEnum):
    """What became of a claim."""

    WINS = "wins"
    ADDS = "adds"  # LocalGeneration: comes on top of the limit (2.1 K27)
    HIGHER = "higher"
    OUTRANKED = "outranked"
    OVERRULED = "overruled"


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


class Claim(NamedTuple):
    """`source` would allow at most `limit` by itself, in the unit of the question. `evse` 0: of the whole station.

    `limit` None: it names no limit, as a period with only a setpoint does (2.1). A named tuple, as there are thousands.
    """

    source: Installed | Hardware
    evse: int
    limit: float | None
    outcome: Outcome = Outcome.HIGHER


@dataclass(frozen=True, slots=True)
class Explanation:
    """From `start_s` until `end_s` after the question's start at most `limit` (None: nothing is known to limit).

    `claims`: the winners first, then what came close.
    """

    start_s: int
    end_s: int
    limit: float | None
    claims: tuple[Claim, ...]

    @property
    def winners(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.outcome is Outcome.WINS)


def explain(
    installed: Sequence[Installed], question: Question, facts: StationFacts
) -> tuple[Explanation, ...]:
    """What limits over the question's window, stretch by stretch; neighbours differ in limit or in claims.

    `installed`: what stands on the station, in order of installation. A duration of 0 explains one moment.
    """
    scene = _scene(installed, question, facts)
    merged: list[Explanation] = []
    edges = scene.edges()
    for (start_s, end_s), rivals in zip(pairwise(edges), scene.rivals_from(edges), strict=True):
        limit, claims = _limit_at(scene.limits, start_s), scene.claims(start_s, rivals)
        if merged and (merged[-1].limit, merged[-1].claims) == (limit, claims):
            merged[-1] = replace(merged[-1], end_s=end_s)
        else:
            merged.append(Explanation(start_s, end_s, limit, claims))
    return tuple(merged)


Key = tuple[int, int, datetime | None]
"""A profile on a station: its id, its EVSE, and since when (of one id a newer version may take over)."""

Leading = tuple[list[int], list[dict[int, dict[Key, Purpose]]]]
"""From each second on, by place: the purposes of what leads there."""

Course = tuple[list[int], list[float | None]]
"""A limit over time: from each second on, and how much."""


class _Rival(NamedTuple):
    """A profile at a place where it counts (0: the station), and what it would limit there if it were the only one."""

    item: Installed
    key: Key
    place: int
    alone: Course
    until_s: tuple[int, int]  # from and to: before and after it certainly has no period


@dataclass(frozen=True, slots=True)
class _Scene:
    """The engine's answers that an explanation is made from."""

    places: tuple[int, ...]
    limits: Course
    rivals: Sequence[_Rival]
    hardware: Sequence[Claim]
    leading: Leading

    def edges(self) -> list[int]:
        """Every second at which anything may change, and the end."""
        seconds = {*self.limits[0], *self.leading[0]}.union(*(rival.alone[0] for rival in self.rivals))
        return sorted(seconds)

    def rivals_from(self, edges: Sequence[int]) -> list[list[_Rival]]:
        """For each stretch between two edges the profiles that may have a period in it: hundreds of limits that
        followed one another are not all asked at each."""
        stretches: list[list[_Rival]] = [[] for _ in edges[1:]]
        for rival in self.rivals:
            first = bisect_right(edges, rival.until_s[0]) - 1
            last = bisect_left(edges, rival.until_s[1])
            for place in range(max(first, 0), min(last, len(stretches))):
                stretches[place].append(rival)
        return stretches

    def claims(self, at_s: int, rivals: Iterable[_Rival]) -> tuple[Claim, ...]:
        """All claims at a second, the winners first."""
        claims = [*self._of_profiles(at_s, rivals), *self.hardware]
        for claim in self._winners(claims, _limit_at(self.limits, at_s)):
            claims[claims.index(claim)] = claim._replace(outcome=Outcome.WINS)
        return tuple(sorted(claims, key=lambda claim: _RANK[claim.outcome]))

    def _of_profiles(self, at_s: int, rivals: Iterable[_Rival]) -> Iterator[Claim]:
        """A claim for each place where a profile has a period now."""
        leading = self.leading[1][bisect_right(self.leading[0], at_s) - 1]
        for item, key, place, alone, _until_s in rivals:
            leaders, limit = leading[place], _limit_at(alone, at_s)
            if key in leaders:
                adds = item.profile.purpose is Purpose.LOCAL_GENERATION
                yield Claim(item, place, limit, Outcome.ADDS if adds else Outcome.HIGHER)
            elif limit is not None:
                yield Claim(item, place, limit, _why_not(item, leaders.values()))

    def _winners(self, claims: Sequence[Claim], limit: float | None) -> list[Claim]:
        """Those whose limit it is. Of equals a profile goes before hardware, and the station's before an EVSE's."""
        rivals = [claim for claim in claims if claim.outcome is Outcome.HIGHER]
        of_station, *of_evses = [
            _lowest([claim for claim in rivals if claim.evse == place]) for place in self.places
        ]
        if len(of_evses) == 1:
            return [_lowest([of_station, *of_evses])]
        binds = limit is not None and _value(of_station) <= limit + EPSILON
        return [of_station] if binds else of_evses


def _scene(installed: Sequence[Installed], question: Question, facts: StationFacts) -> _Scene:
    evses = (question.evse,) if question.evse else tuple(number for number, _ in facts.sockets) or (1,)
    window = window_from(question.start, question.duration_s)
    end_s = window.end - window.start

    def course(items: Sequence[Installed], evse: int, *, capped: bool) -> Course:
        periods = expected_periods(items, replace(question, evse=evse), facts, capped=capped)
        return [*(period.start_s for period in periods), end_s], [period.limit for period in periods]

    rivals = [
        _Rival(item, _key(item), place, course([item], place or evses[0], capped=False), _span(item, window))
        for item in installed
        for place in _places(item, evses)
    ]
    return _Scene(
        places=(0, *evses),
        limits=course(installed, question.evse, capped=True),
        rivals=rivals,
        hardware=[_hardware(place, question, facts) for place in (0, *evses)],
        leading=_leading(installed, facts, window, evses),
    )


def _span(item: Installed, window: Window) -> tuple[int, int]:
    """The seconds of the window in which the profile may have a period, by its validity."""
    profile = item.profile
    start, begin = window.start, profile.valid_from
    if begin is None and profile.kind is Kind.ABSOLUTE and not profile.schedule.use_local_time:
        begin = profile.schedule.start
    first = window.start if begin is None else second_of(begin)
    last = window.end if profile.valid_to is None else second_of(profile.valid_to)
    return max(first - start, 0), min(max(last - start, 0), window.end - start)


def _hardware(place: int, question: Question, facts: StationFacts) -> Claim:
    amps = facts.socket_a(place) if place else facts.connection_a
    in_unit = amps if question.unit == "A" else amps * facts.phases * NOMINAL_V
    return Claim(Hardware.SOCKET if place else Hardware.CONNECTION, place, in_unit)


def _places(item: Installed, evses: Sequence[int]) -> Sequence[int]:
    """Where a profile counts: a default of EVSE 0 for every EVSE (1.6 3.13.1), as priority charging; another once."""
    if item.evse == 0 and item.profile.purpose in {Purpose.TX_DEFAULT, Purpose.PRIORITY_CHARGING}:
        return evses
    return [item.evse] if item.evse in {0, *evses} else []


def _leading(
    installed: Sequence[Installed], facts: StationFacts, window: Window, evses: Sequence[int]
) -> Leading:
    situation = Situation(installed, facts.transactions, window, policy_for(facts.version))
    stacks = situation.stacks_of_station(evses)
    stacks += [stack for evse in evses for stack in situation.stacks_of_evse(evse)]
    seconds, leading = [], []
    for start_s, leaders in sweep(stacks, window, situation.policy, _itself):
        at: dict[int, dict[Key, Purpose]] = {place: {} for place in (0, *evses)}
        for stack, leader in zip(stacks, leaders, strict=True):
            if leader is not None:
                at[stack.evse][_key(leader)] = leader.profile.purpose
        seconds.append(start_s)
        leading.append(at)
    return seconds, leading


def _itself(item: Installed, which: slice) -> list[Installed]:
    return [item] * (which.stop - which.start)


def _key(item: Installed) -> Key:
    return item.profile.id, item.evse, item.profile.valid_from


def _why_not(item: Installed, leaders: Iterable[Purpose]) -> Outcome:
    """Why a profile that has a period does not lead."""
    stronger = _STRONGER.get(item.profile.purpose, ())
    return Outcome.OVERRULED if any(purpose in stronger for purpose in leaders) else Outcome.OUTRANKED


def _lowest(claims: Sequence[Claim]) -> Claim:
    return min(claims, key=lambda claim: (_value(claim), isinstance(claim.source, Hardware), claim.evse))


def _value(claim: Claim) -> float:
    return NOTHING if claim.limit is None else claim.limit


def _limit_at(course: Course, at_s: int) -> float | None:
    return course[1][bisect_right(course[0], at_s) - 1]
