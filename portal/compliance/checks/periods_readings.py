"""What the probe of requirement 207 asked and heard, and which of the twenty periods an answer shows. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from portal.compliance.checks import composites, readings
from portal.compliance.checks.composites import EDGE_S, Reported, Tolerance
from portal.compliance.checks.periods_plan import LENGTHS_S, NEEDED, OFFSETS_S, TOTAL_S, Trial, asked_s
from portal.compliance.checks.readings import Outcome, Reading, Setting, tolerance
from smartcharging.domain.profiles import Installed, Purpose

# Two moments that are one, but for rounding and a clock that lags.
SAME_MOMENT_S = 5

# Of a period at least this much, in seconds, away from where its limit changes.
INSIDE_S = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked of the station. `periods`, `start`: of the profile that is set, or that stands when it is read.

    kind install, clear: `outcome`, `reason` (the station's code). kind read: `evse`, `reported`.
    """

    kind: Literal["install", "read", "clear"]
    trial: int
    at: datetime
    periods: int
    start: datetime
    evse: int = 0
    outcome: Outcome = "accepted"
    reason: str = ""
    reported: Reported | None = None
    message_id: str = ""

    @property
    def is_readable(self) -> bool:
        return self.reported is not None and self.reported.is_readable


def current_period(step: Step) -> int:
    """The period (from 0) that runs when the step is asked."""
    elapsed_s = (step.at - step.start).total_seconds()
    return max((number for number, offset_s in enumerate(OFFSETS_S) if offset_s <= elapsed_s), default=0)


def settled(steps: Sequence[Step]) -> list[Step]:
    """The steps without those that were repeated at once: what was asked again counts as it was answered last."""
    return [step for step, later in itertools.zip_longest(steps, steps[1:]) if not _repeats(later, step)]


def _repeats(later: Step | None, step: Step) -> bool:
    if later is None or step.kind == "clear" or (step.outcome == "accepted" and step.kind == "install"):
        return False
    asked = (step.kind, step.trial, step.evse, step.periods, step.start)
    return asked == (later.kind, later.trial, later.evse, later.periods, later.start)


def expected(
    setting: Setting, trial: Trial, step: Step, reading: Reading, *, left: Sequence[Installed] = ()
) -> Reported:
    """The composite that `step` should have reported under `reading`, over the time and in the unit it reported.

    `left`: profiles of earlier trials that stand there still.
    """
    stands = [*left]
    if step.periods:
        stands.append(trial.installed(setting, periods=step.periods, start=step.start))
    reported = step.reported or Reported("unanswered", step.at)
    return readings.composite_of(
        setting, evse=step.evse, reported=reported, reading=reading, probed=stands, part=step.trial
    )


def difference(
    setting: Setting, trial: Trial, step: Step, reading: Reading, *, left: Sequence[Installed] = ()
) -> float | None:
    """The moment from which the answer is not what this reading expects; None: it is, as far as it goes."""
    if step.reported is None or not step.is_readable:
        return None
    wanted = expected(setting, trial, step, reading, left=left)
    said = _without_tail(wanted, step.reported)
    return composites.first_difference(wanted, said, tolerance(setting, step.reported.unit))


def _without_tail(wanted: Reported, reported: Reported) -> Reported:
    """The answer to where its last period should have ended.

    A station may name only so many periods in one answer, and then the last one seems to last. That is read as a
    shorter answer, which is no contradiction; what it left out is asked for once more (periods_probe.py).
    """
    if not reported.periods:
        return reported
    last_s = reported.start.timestamp() + reported.periods[-1].start_s
    ends = [end for begin, end, _limit in wanted.stretches() if begin <= last_s + EDGE_S < end]
    until_s = (
        min(reported.duration_s, min(ends) - reported.start.timestamp()) if ends else reported.duration_s
    )
    return replace(reported, duration_s=max(until_s, 0))


def is_shown(setting: Setting, trial: Trial, evse: int, reading: Reading) -> bool:
    """Whether `reading` puts the profile into the composite of `evse` at all (D9)."""
    return trial.place.purpose is Purpose.TX or readings.shows(
        setting, replace(trial.place, read_on=(evse,)), reading
    )


def periods_in(setting: Setting, trial: Trial, step: Step, reading: Reading) -> frozenset[int]:
    """The periods (from 0) whose limit the answer gives through all of their time, as far as it goes, each after the
    one before it: a limit that merely lasts is not a new period."""
    if step.reported is None or not step.is_readable:
        return frozenset()
    wanted = expected(setting, trial, step, reading)
    within = tolerance(setting, step.reported.unit)
    shown = [_is_in(wanted, step.reported, within, *_inside(step, number)) for number in range(NEEDED)]
    begun_s = step.reported.start.timestamp() + EDGE_S
    return frozenset(
        number
        for number in range(NEEDED)
        if shown[number] and (_begin_s(step, number) <= begun_s or (number > 0 and shown[number - 1]))
    )


def is_cut_by_time(reads: Sequence[Step]) -> bool:
    """Whether each answer that stops early does so in the midst of a period: then it is the answer that is short. One
    that ends with a period may be all that the station keeps."""
    early = [
        step for step in reads if step.reported and step.is_readable and _stops_early(step, step.reported)
    ]
    return bool(early) and not any(
        _ends_with_a_period(step, step.reported) for step in early if step.reported
    )


def _stops_early(step: Step, reported: Reported) -> bool:
    return reported.duration_s < asked_s(current=current_period(step)) - EDGE_S


def _ends_with_a_period(step: Step, reported: Reported) -> bool:
    end_s = (reported.end - step.start).total_seconds()
    return any(abs(end_s - offset_s) <= SAME_MOMENT_S for offset_s in (*OFFSETS_S, TOTAL_S))


def _begin_s(step: Step, number: int) -> float:
    return step.start.timestamp() + OFFSETS_S[number]


def _inside(step: Step, number: int) -> tuple[float, float]:
    """Period `number`, away from where its limit changes: clocks differ, and so does rounding."""
    begin = _begin_s(step, number)
    return begin + EDGE_S, begin + LENGTHS_S[number] - EDGE_S


def _is_in(wanted: Reported, reported: Reported, within: Tolerance, begin: float, end: float) -> bool:
    overlaps = [
        (max(begin, since), min(end, until), said)
        for since, until, said in reported.stretches()
        if min(end, until) - max(begin, since) >= INSIDE_S
    ]
    return bool(overlaps) and all(
        within.same(wanted.limit_at((since + until) / 2), said) for since, until, said in overlaps
    )


def seen_by_evse(
    setting: Setting, trial: Trial, reads: Iterable[Step], reading: Reading
) -> dict[int, frozenset[int]]:
    """The periods that came back, in one answer or in parts, on each EVSE where `reading` expects to see them."""
    seen: dict[int, frozenset[int]] = {}
    for step in reads:
        if is_shown(setting, trial, step.evse, reading):
            shown = periods_in(setting, trial, step, reading)
            seen[step.evse] = seen.get(step.evse, frozenset()) | shown
    return seen


def seen_in(setting: Setting, trial: Trial, step: Step) -> frozenset[int]:
    """The periods that one answer shows, under the first legal reading that explains it."""
    showing = [reading for reading in readings.legal(setting) if is_shown(setting, trial, step.evse, reading)]
    fitting = (reading for reading in showing if difference(setting, trial, step, reading) is None)
    reading = next(fitting, next(iter(showing), None))
    return periods_in(setting, trial, step, reading) if reading else frozenset()


def is_as_expected(setting: Setting, trial: Trial, step: Step) -> bool:
    """Whether a reading that puts the profile into the composite explains this one answer."""
    return step.is_readable and any(
        is_shown(setting, trial, step.evse, reading) and difference(setting, trial, step, reading) is None
        for reading in readings.legal(setting)
    )


# ---------------------------------------------------------------- as JSON, in evidence
def step_to_json(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "trial": step.trial,
        "at": step.at.isoformat(),
        "periods": step.periods,
        "start": step.start.isoformat(),
        "evse": step.evse,
        "outcome": step.outcome,
        "reason": step.reason,
        "reported": composites.to_json(step.reported) if step.reported else None,
        "message_id": step.message_id,
    }


def step_from_json(stored: Mapping[str, Any]) -> Step:
    return Step(
        kind=stored["kind"],
        trial=stored["trial"],
        at=datetime.fromisoformat(stored["at"]),
        periods=stored["periods"],
        start=datetime.fromisoformat(stored["start"]),
        evse=stored["evse"],
        outcome=stored["outcome"],
        reason=stored["reason"],
        reported=composites.from_json(stored["reported"]) if stored["reported"] else None,
        message_id=stored["message_id"],
    )
