"""What stands out in the registers of one EVSE over time: gaps, falls, jumps, doubles. Pure; marked, never mended.

A register only rises, so whatever it does otherwise is a fact about the station (requirement 211), and energy over it
is not known. DSMR names the two registers 1.8.0 (import) and 2.8.0 (export).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, groupby, pairwise
from operator import lt, sub
from statistics import median_low
from typing import Literal, NamedTuple

from stations.domain.registers import END, SAMPLED, TOLERANCE_WH, Fall, could_count_wh, kind_of_fall

Name = Literal["import", "export"]
NAMES: tuple[Name, ...] = ("import", "export")
CLOCK = "Sample.Clock"

# A reading is missed where the next one is this many intervals away, but never within this time.
MISSED, LEAST_GAP_S = 3, 60.0
# Where no interval is known, a silence of this long counts as one if the register rose in it.
SILENCE_S = 930.0
FEWEST = 3  # spacings, to speak of an interval


class What(StrEnum):
    """What stands out."""

    GAP = "gap"  # readings are missing
    RESET = Fall.RESET.value
    ROLLOVER = Fall.ROLLOVER.value
    COUNTED_BACK = Fall.COUNTED_BACK.value
    JUMP = "jump"  # rose by more than the connection can deliver: another unit, or another meter
    PLACEHOLDER = "placeholder"  # a 0 that the next reading proves wrong; it is not counted
    TWICE = "twice"  # two readings of one moment that say different things; the first counts
    LATE = "late"  # came after readings of a later moment; its own time counts


# Over these the energy is not known.
BREAKS = frozenset({What.RESET, What.ROLLOVER, What.COUNTED_BACK, What.JUMP})


class Sample(NamedTuple):
    """What an EVSE measured at one moment: registers in Wh, powers in W, None where not sent.

    `number` ascends in the order in which readings came.
    """

    at: datetime
    number: int
    context: str
    transaction: str
    import_wh: float | None
    export_wh: float | None
    import_w: float | None
    export_w: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that stands out from `start` to `end`; `register` is None where it is of both.

    `before_wh` and `after_wh` are what the register said at either end; `count` is how many readings it is about.
    """

    what: What
    start: datetime
    end: datetime
    register: Name | None = None
    before_wh: float | None = None
    after_wh: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Register:
    """One register over a stretch of time, in Wh. `rise_wh` is None where it is not known: never read, or broken."""

    name: Name
    first_wh: float | None
    last_wh: float | None
    rise_wh: float | None


Value = tuple[datetime, float]
"""A moment, and what one register said then in Wh."""


def values_of(samples: Iterable[Sample], register: Name) -> list[Value]:
    if register == "import":
        return [(sample.at, sample.import_wh) for sample in samples if sample.import_wh is not None]
    return [(sample.at, sample.export_wh) for sample in samples if sample.export_wh is not None]


def register_of(name: Name, values: Sequence[Value], marks: Iterable[Mark]) -> Register:
    """First and last of `values`, which ascend in time, and the rise between them."""
    own = [mark for mark in marks if mark.register == name]
    ignored = {mark.start for mark in own if mark.what == What.PLACEHOLDER}
    counting = [value for value in values if value[0] not in ignored] if ignored else values
    if not counting:
        return Register(name, None, None, None)
    first_wh, last_wh = counting[0][1], counting[-1][1]
    is_broken = last_wh < first_wh or any(mark.what in BREAKS for mark in own)
    return Register(name, first_wh, last_wh, None if is_broken else last_wh - first_wh)


def marks_of(
    samples: Sequence[Sample],
    values: Mapping[Name, Sequence[Value]],
    *,
    interval: Interval,
    start: datetime,
    end: datetime,
    max_power_w: float,
) -> list[Mark]:
    """All that stands out from `start` to `end` (at most now), in order of time; `samples` ascend in time.

    `values` and `interval` are those of the samples; `max_power_w` is what the connection can deliver at most.
    """
    marks = [*_gaps(samples, interval, start, end), *_late(samples)]
    for name in NAMES:
        marks += _breaks(values[name], name, max_power_w)
    return sorted(marks, key=lambda mark: mark.start)


# ---------------------------------------------------------------- gaps


@dataclass(frozen=True, slots=True)
class Interval:
    """How far apart readings are, in seconds: within a session, and by the clock all day; None: not known."""

    session_s: float | None
    clock_s: float | None

    def longest_s(self, *, in_session: bool) -> float | None:
        """The longest silence that is none."""
        expected = (self.session_s if in_session else None) or self.clock_s
        return None if expected is None else max(MISSED * expected, LEAST_GAP_S)


def interval_of(samples: Sequence[Sample]) -> Interval:
    """As these samples themselves show it: what a station is set to send is not always known, or true."""
    moments = [sample.at for sample in samples]
    sessions = [sample.transaction for sample in samples]
    within = [
        after - before
        for before, after, session, following in zip(
            moments, moments[1:], sessions, sessions[1:], strict=False
        )
        if session and session == following
    ]
    by_clock = [after - before for before, after in pairwise(s.at for s in samples if s.context == CLOCK)]
    return Interval(_usual_s(within), _usual_s(by_clock))


def _usual_s(spacings: Iterable[timedelta]) -> float | None:
    apart = [spacing for spacing in spacings if spacing]
    return median_low(apart).total_seconds() if len(apart) >= FEWEST else None


def _gaps(samples: Sequence[Sample], interval: Interval, start: datetime, end: datetime) -> Iterator[Mark]:
    """Where readings are missing.

    A station need not say anything while no car is there, so a silence between sessions is a gap only where it reads
    by the clock, or where its register rose meanwhile.
    """
    least = timedelta(seconds=LEAST_GAP_S)
    silences = [
        place for place, (a, b) in enumerate(pairwise(s.at for s in samples), start=1) if b - a > least
    ]
    for place in silences:
        a, b = samples[place - 1], samples[place]
        silent_s = (b.at - a.at).total_seconds()
        longest_s = interval.longest_s(in_session=bool(a.transaction and a.transaction == b.transaction))
        if silent_s > longest_s if longest_s else silent_s > SILENCE_S and _rose_at(samples, place):
            yield Mark(What.GAP, a.at, b.at)
    yield from _gaps_at_the_edges(samples, interval, start, end)


def _rose_at(samples: Sequence[Sample], place: int) -> bool:
    """Whether a register stands higher at `place` than it was last read before."""
    after = samples[place]
    imports = (sample.import_wh for sample in reversed(samples[:place]) if sample.import_wh is not None)
    exports = (sample.export_wh for sample in reversed(samples[:place]) if sample.export_wh is not None)
    return _rose(next(imports, None), after.import_wh) or _rose(next(exports, None), after.export_wh)


def _rose(before_wh: float | None, after_wh: float | None) -> bool:
    return before_wh is not None and after_wh is not None and after_wh > before_wh + TOLERANCE_WH


def _gaps_at_the_edges(
    samples: Sequence[Sample], interval: Interval, start: datetime, end: datetime
) -> Iterator[Mark]:
    """Before the first reading where the station reads by the clock; after the last also where a session runs."""
    if not samples:
        return
    first, last = samples[0], samples[-1]
    longest_s = interval.longest_s(in_session=False)
    if longest_s and (first.at - start).total_seconds() > longest_s:
        yield Mark(What.GAP, start, first.at)
    longest_s = interval.longest_s(in_session=bool(last.transaction) and last.context != END)
    if longest_s and (end - last.at).total_seconds() > longest_s:
        yield Mark(What.GAP, last.at, end)


# ---------------------------------------------------------------- order


def _late(samples: Sequence[Sample]) -> Iterator[Mark]:
    """Runs of samples that came after one of a later moment.

    Begin and end of a transaction are left out: 1.6 may send both with the stop (1.6, 4.10).
    """
    sampled = [sample for sample in samples if sample.context in SAMPLED]
    numbers = [sample.number for sample in sampled]
    if numbers == sorted(numbers):
        return
    # For each the first arrival among those of later moments.
    following = list(accumulate(reversed(numbers), min))[::-1][1:]
    for is_late, run in groupby(
        zip(sampled, following, strict=False), key=lambda pair: pair[0].number > pair[1]
    ):
        if is_late:
            own = [sample for sample, _ in run]
            yield Mark(What.LATE, own[0].at, own[-1].at, count=len(own))


# ---------------------------------------------------------------- falls and jumps


@dataclass(slots=True)
class _Watch:
    """Goes through the values of one register; `top` is the highest since it last fell."""

    name: Name
    values: Sequence[Value]
    max_power_w: float
    marks: list[Mark] = field(default_factory=list)
    top: Value | None = None

    def see(self, place: int) -> None:
        at, wh = self.values[place]
        if self.top is None:
            self._see_first(place)
            return
        top_at, top_wh = self.top
        if at == top_at:
            if abs(wh - top_wh) >= _slack_wh(max(wh, top_wh)):
                self._mark(What.TWICE, self.top, (at, wh))
        elif wh >= top_wh:
            # Most rises are too small to be worth a calculation.
            if wh > top_wh + TOLERANCE_WH and wh - top_wh > self._most_wh(top_at, at):
                self._mark(What.JUMP, self.top, (at, wh))
            self.top = at, wh
        elif wh <= top_wh - _slack_wh(top_wh):
            self._see_fall(place, self.top)

    def _see_first(self, place: int) -> None:
        value = self.values[place]
        if self._is_proven_wrong(place):
            self._mark(What.PLACEHOLDER, value, value)
        else:
            self.top = value

    def _see_fall(self, place: int, top: Value) -> None:
        value = self.values[place]
        if self._is_proven_wrong(place):
            self._mark(What.PLACEHOLDER, value, value)
            return
        (top_at, top_wh), (at, wh) = top, value
        what = What(kind_of_fall(top_wh, wh, most_wh=self._most_wh(top_at, at)).value)
        last = self.marks[-1] if self.marks else None
        if last and last.what == what == What.COUNTED_BACK and last.end == top_at:
            self.marks[-1] = replace(last, end=at, after_wh=wh, count=last.count + 1)
        else:
            self._mark(what, top, value)
        self.top = value

    def _is_proven_wrong(self, place: int) -> bool:
        """Whether this is a 0, and a reading after it says more than can have been counted since."""
        at, wh = self.values[place]
        if wh != 0:
            return False
        following = next((other for other in self.values[place + 1 : place + 3] if other[1] != 0), None)
        return following is not None and following[1] > self._most_wh(at, following[0])

    def _most_wh(self, start: datetime, end: datetime) -> float:
        return could_count_wh(start, end, self.max_power_w)

    def _mark(self, what: What, before: Value, after: Value) -> None:
        self.marks.append(Mark(what, before[0], after[0], self.name, before[1], after[1]))


def _breaks(values: Sequence[Value], name: Name, max_power_w: float) -> list[Mark]:
    """Where the register does anything but rise."""
    if _only_rises(values):
        return []
    watch = _Watch(name, values, max_power_w)
    for place in range(len(values)):
        watch.see(place)
    return watch.marks


def _only_rises(values: Sequence[Value]) -> bool:
    """Whether there is nothing to see, as nearly always: no fall, no rise worth a calculation, no moment twice."""
    if values and values[0][1] == 0:
        return not any(wh for _, wh in values)
    moments, registers = [at for at, _ in values], [wh for _, wh in values]
    rises = map(sub, registers[1:], registers)  # a day has thousands: no loop of Python's own
    return all(map(lt, moments, moments[1:])) and all(0 <= rise <= TOLERANCE_WH for rise in rises)


def _slack_wh(wh: float) -> float:
    """A fall smaller than what was rounded to says nothing: 5100 may be 5.1 kWh, where the meter stands at 5060."""
    return next((step for step in (100.0, 10.0) if wh % step == 0), 1.0)
