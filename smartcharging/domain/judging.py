"""Whether a composite that a station reported shows the profiles that it should hold. Pure.

A composite that differs from ours need not be drift. The standard leaves points open (Dn, section 6 of the rules on
composite schedules), and a station that answers by another legal reading is not wrong: then the profile either shows
under that reading too, or nothing can be said. A profile counts as standing only where the composite would be another
one without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from smartcharging.domain.answers import Reported
from smartcharging.domain.comparing import Compared, Difference, compare, is_below, is_same, lowest
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositePeriod,
    Installed,
    Kind,
    LocalLimit,
    Policy,
    Purpose,
    Transaction,
    Unit,
    Version,
    policy_for,
)
from smartcharging.domain.progress import Verdict
from smartcharging.domain.schedule import composite_schedule

MOST_UNCERTAIN = 4
# Names of readings beside the numbers of the disagreements.
IDLE, IDLE_OTHER, NO_EXTERNAL = "D9", "D9.other", "no_external"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StationFacts:
    """What a composite depends on beside the profiles. `sockets`: (EVSE, A per phase) of each EVSE."""

    version: Version
    connection_a: float
    phases: int = 3
    sockets: tuple[tuple[int, float], ...] = ()
    transactions: tuple[Transaction, ...] = ()
    # It was seen to report a TxDefaultProfile while no transaction ran, so it reads D9 as we do.
    shows_defaults_idle: bool = False

    def is_idle(self, evse: int) -> bool:
        """No transaction runs on `evse`; for 0: on one EVSE at least."""
        busy = {transaction.evse for transaction in self.transactions}
        return evse not in busy if evse else any(number not in busy for number, _ in self.sockets)

    def socket_a(self, evse: int) -> float:
        sockets = dict(self.sockets)
        own = sockets.get(evse) or max(sockets.values(), default=self.connection_a)
        return min(own, self.connection_a)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: the composite of `evse` from `start` on, in `unit`."""

    evse: int
    start: datetime
    duration_s: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile that stands on the station, or may. `key` is the caller's.

    `hoped`: it should be there. `certain`: nothing speaks against that hope but, perhaps, the composite.
    """

    key: int
    installed: Installed
    hoped: bool = True
    certain: bool = True


class CompareVerdict(StrEnum):
    """The values of Comparison.Verdict."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`reading`: the contested point that explains the composite ("" for our own reading), as in "D9"."""

    verdict: CompareVerdict
    expected: tuple[CompositePeriod, ...] = ()
    reading: str = ""
    difference: Difference | None = None
    of_profiles: dict[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A legal way to make the composite: a policy, and which profiles it leaves out."""

    name: str
    policy: Policy
    keeps: Callable[[ChargingProfile], bool] = lambda profile: True


def judge(
    candidates: Sequence[Candidate],
    reported: Reported,
    question: Question,
    facts: StationFacts,
    *,
    beside: Sequence[Installed] = (),
) -> Judgement:
    """What `reported` says of each candidate. `reported` is readable; `question.start` is the start it states.

    `beside`: what else stands on the station, set by others: its external limits, profiles that are not ours.
    """
    bench = _Bench(candidates, reported, question, facts, beside)
    ours, *others = _legal_readings(question.evse, facts)
    others = [*_without_external(beside, ours), *others]
    hoped = frozenset(candidate.key for candidate in candidates if candidate.hoped)
    better = bench.better_than(hoped, _uncertain_otherwise(candidates, hoped), ours)
    if better is not None:
        return bench.not_as_hoped(hoped, better, ours)
    found = next((reading for reading in (ours, *others) if bench.explains(hoped, reading)), None)
    if found is not None:
        return bench.as_hoped(hoped, found)
    other = next((keys for keys in _one_less(candidates, hoped) if bench.explains(keys, ours)), None)
    if other is None and bench.is_bare(ours):
        other = frozenset()
    return bench.not_as_hoped(hoped, other, ours)


def expected_periods(
    installed: Sequence[Installed],
    question: Question,
    facts: StationFacts,
    *,
    policy: Policy | None = None,
    capped: bool = False,
) -> tuple[CompositePeriod, ...]:
    """Our composite. `capped`: within what the sockets and the connection can do, also where no profile counts."""
    policy = policy or policy_for(facts.version)
    defaults = LocalLimit(phases=facts.phases)
    if capped:
        policy = replace(policy, cap_by_local_limit=True)
        defaults = replace(defaults, limit_a=facts.socket_a(question.evse))
        installed = [*installed, _connection(facts)]
    composites = [
        composite_schedule(
            installed=layer,
            now=question.start,
            duration_s=question.duration_s,
            unit=question.unit,
            evse=question.evse,
            evse_count=max((number for number, _ in facts.sockets), default=1),
            transactions=facts.transactions,
            defaults=defaults,
            policy=policy,
        ).periods
        for layer in _layers(installed)
    ]
    return lowest(composites, duration_s=question.duration_s)


def _layers(installed: Sequence[Installed]) -> Iterator[list[Installed]]:
    """`installed` with at most one external constraint at a time on each EVSE, as often as it takes to have had all.

    All external constraints hold at once, each from its own source (K11, K12); stack levels do not rank them. Those
    that follow one another, as of an energy manager that regulates, are one layer.
    """
    rest = [item for item in installed if item.profile.purpose is not Purpose.EXTERNAL_CONSTRAINTS]
    by_evse: dict[int, list[list[Installed]]] = {}
    for item in installed:
        if item.profile.purpose is Purpose.EXTERNAL_CONSTRAINTS:
            tracks = by_evse.setdefault(item.evse, [])
            track = next((track for track in tracks if _follows(track[-1].profile, item.profile)), None)
            tracks.append([item]) if track is None else track.append(item)
    for number in range(max(map(len, by_evse.values()), default=1)):
        yield rest + [item for tracks in by_evse.values() for item in tracks[min(number, len(tracks) - 1)]]


def _follows(before: ChargingProfile, after: ChargingProfile) -> bool:
    """Whether `after` certainly begins when `before` has ended; validTo is exclusive (K01.FR.37)."""
    begin = after.valid_from
    if begin is None and after.kind is Kind.ABSOLUTE and not after.schedule.use_local_time:
        begin = after.schedule.start
    return begin is not None and before.valid_to is not None and before.valid_to <= begin


def _connection(facts: StationFacts) -> Installed:
    """The grid connection as a limit of the whole station: local load balancing keeps it (requirement 208)."""
    schedule = ChargingSchedule("A", (ChargingPeriod(0, facts.connection_a),), start=LONG_AGO)
    profile = ChargingProfile(-1, 0, Purpose.EXTERNAL_CONSTRAINTS, Kind.ABSOLUTE, schedule)
    return Installed(profile, 0)


@dataclass(frozen=True, slots=True)
class _Bench:
    """One reported composite, and all that it is held against."""

    candidates: Sequence[Candidate]
    reported: Reported
    question: Question
    facts: StationFacts
    beside: Sequence[Installed] = ()

    def composite(
        self, keys: frozenset[int], reading: _Reading, *, capped: bool = False
    ) -> tuple[CompositePeriod, ...]:
        by_id = {  # a newer version of an id replaces the older one (1.6 5.16)
            candidate.installed.profile.id: candidate.installed
            for candidate in self.candidates
            if candidate.key in keys
        }
        standing = [*by_id.values(), *(item for item in self.beside if item.profile.id not in by_id)]
        installed = [item for item in standing if reading.keeps(item.profile)]
        policy = replace(reading.policy, rounding="none")
        return expected_periods(installed, self.question, self.facts, policy=policy, capped=capped)

    def compared(self, keys: frozenset[int], reading: _Reading) -> Compared:
        return compare(
            self.composite(keys, reading),
            self.reported.periods,
            duration_s=self.question.duration_s,
            capped=self.composite(keys, reading, capped=True),
        )

    def explains(self, keys: frozenset[int], reading: _Reading) -> bool:
        return self.compared(keys, reading).difference is None

    def better_than(
        self, hoped: frozenset[int], others: Iterable[frozenset[int]], reading: _Reading
    ) -> frozenset[int] | None:
        """What stands there instead of what we hope: it explains more of the report than our hope does.

        A hope explains whatever is reported where no profile of ours should count, so that it explains is not enough.
        """
        hope = self.compared(hoped, reading)
        most_s, best = (hope.explained_s, None) if hope.difference is None else (-1, None)
        for keys in others:
            found = self.compared(keys, reading)
            if found.difference is None and found.explained_s > most_s:
                most_s, best = found.explained_s, keys
        return best

    def is_bare(self, reading: _Reading) -> bool:
        """Whether a 1.6 station reports its hardware and nothing else all the time: then all profiles are gone, also
        those that would not show. From 2.0.1 on its own list says so (K09)."""
        found = self.compared(frozenset(), reading)
        names_none = all(period.limit is None for period in self.reported.periods)
        is_all = names_none or found.explained_s >= self.question.duration_s
        return self.facts.version == "1.6" and found.difference is None and is_all

    def shows(self, key: int, keys: frozenset[int], reading: _Reading) -> bool:
        """Whether the composite would be another one with this profile the other way: there, or not there."""
        one, other = self.composite(keys, reading), self.composite(keys ^ {key}, reading)
        return not is_same(one, other, duration_s=self.question.duration_s)

    def names_another(self, hoped: frozenset[int], reading: _Reading) -> bool:
        """Whether a station that need not show ours reports a limit all the same, and not that of its hardware."""
        hardware = self.composite(hoped, reading, capped=True)
        return reading.name == IDLE and is_below(
            self.reported.periods, hardware, duration_s=self.question.duration_s
        )

    def as_hoped(self, hoped: frozenset[int], reading: _Reading) -> Judgement:
        unseen = Verdict.UNCOMPARABLE if reading.name else Verdict.HIDDEN
        of_profiles = {
            candidate.key: Verdict.STANDS if self.shows(candidate.key, hoped, reading) else unseen
            for candidate in self.candidates
        }
        unclear = Verdict.UNCOMPARABLE in of_profiles.values()
        return Judgement(
            CompareVerdict.UNKNOWN if unclear else CompareVerdict.EQUAL,
            _rounded(self.composite(hoped, reading)),
            IDLE_OTHER if self.names_another(hoped, reading) else reading.name,
            of_profiles=of_profiles,
        )

    def not_as_hoped(self, hoped: frozenset[int], found: frozenset[int] | None, ours: _Reading) -> Judgement:
        of_profiles = {}
        for candidate in self.candidates:
            key = candidate.key
            if found is not None:
                is_missing = (key in found) != (key in hoped)
                seen = self.shows(key, found, ours)
            else:
                is_missing = seen = self.shows(key, hoped, ours)
            of_profiles[key] = Verdict.MISSING if is_missing else Verdict.STANDS if seen else Verdict.HIDDEN
        return Judgement(
            CompareVerdict.DIFFERS,
            _rounded(self.composite(hoped, ours)),
            difference=self.compared(hoped, ours).difference,
            of_profiles=of_profiles,
        )


def _legal_readings(evse: int, facts: StationFacts) -> Iterator[_Reading]:
    """Our own reading first, then the others that the standard allows."""
    policy = policy_for(facts.version)
    yield _Reading("", policy)
    yield _Reading("D6", replace(policy, unit_conversion="common_phases"))
    if evse == 0:
        yield _Reading("D12", replace(policy, station_sum="everest"))
        yield _Reading("D12", policy, keeps=lambda profile: profile.purpose is Purpose.STATION_MAX)
    if not facts.is_idle(evse):
        return
    yield _Reading("D8", policy, keeps=lambda profile: profile.kind is not Kind.RELATIVE)
    if evse:
        yield _Reading(IDLE, policy, keeps=lambda profile: profile.purpose is not Purpose.STATION_MAX)
    if not facts.shows_defaults_idle:
        yield _Reading(IDLE, replace(policy, simulate_transaction=False))


def _without_external(beside: Sequence[Installed], ours: _Reading) -> list[_Reading]:
    """A station may know a limit of others and leave it out of what it answers (K04 has it in, not all do)."""
    if not any(item.profile.purpose is Purpose.EXTERNAL_CONSTRAINTS for item in beside):
        return []
    return [
        _Reading(
            NO_EXTERNAL, ours.policy, lambda profile: profile.purpose is not Purpose.EXTERNAL_CONSTRAINTS
        )
    ]


def _uncertain_otherwise(candidates: Sequence[Candidate], hoped: frozenset[int]) -> Iterator[frozenset[int]]:
    """What may stand there if not all that is uncertain went as hoped."""
    uncertain = [candidate.key for candidate in candidates if not candidate.certain][:MOST_UNCERTAIN]
    for number in range(1, 2 ** len(uncertain)):
        yield hoped ^ {key for at, key in enumerate(uncertain) if number >> at & 1}


def _one_less(candidates: Sequence[Candidate], hoped: frozenset[int]) -> Iterator[frozenset[int]]:
    """What may stand there if the station lost one profile."""
    for candidate in candidates:
        if candidate.certain and candidate.hoped:
            yield hoped - {candidate.key}


def _rounded(periods: tuple[CompositePeriod, ...]) -> tuple[CompositePeriod, ...]:
    """Down to 0.1, as a station should report it (D14)."""
    return tuple(
        period if period.limit is None else period._replace(limit=math.floor(period.limit * 10 + 1e-6) / 10)
        for period in periods
    )
