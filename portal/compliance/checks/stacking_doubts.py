"""Habits of stations that explain answers which fit no reading of the standard, and that say nothing of stacking. Pure.

A station is called a deviation only where none of these explains it (requirements.md, 206, fairness). None of them
proves anything either: the verdict is then undecided, and the sentence names the habit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.compliance.checks import composites
from portal.compliance.checks.composites import EDGE_S, Reported, Tolerance
from portal.compliance.checks.stacking_plan import Stack
from portal.compliance.checks.stacking_readings import (
    Setting,
    Step,
    convert,
    expected,
    fits,
    readings,
    shows,
    tolerance,
)

NOT_CLEARED = "206.not_cleared"
OTHER_TIMES = "206.other_times"
TOO_COARSE = "206.too_coarse"
CODES = (NOT_CLEARED, OTHER_TIMES, TOO_COARSE)
# Limits reported in whole amperes differ by less than one from what was set.
WHOLE_A = 0.95
# A car takes 6 A or nothing (IEC 61851-1 Annex A): a lower limit may be reported as either.
PILOT_A = 6.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """The code of the sentence that names the habit, and its values beside those of the stack."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coarse(Tolerance):
    """Limits as a station says them that counts in whole amperes, or in what a car can take. `pilot`: the 6 A."""

    pilot: float = PILOT_A

    def same(self, expected: float | None, reported: float | None) -> bool:
        # `super()` without arguments does not know the class that slots made anew.
        if Tolerance.same(self, expected, reported):
            return True
        if expected is None or reported is None or expected >= self.pilot:
            return False
        return reported == 0 or abs(reported - self.pilot) <= self.within


def doubt(setting: Setting, stack: Stack, number: int, steps: Sequence[Step]) -> Doubt | None:
    """The habit that explains all answers of one stack; None where there is none."""
    reads = [step for step in steps if step.reported and step.reported.is_readable]
    uncleared = _uncleared(steps)
    if uncleared and _explain(setting, stack, number, _still_there(steps)):
        return Doubt(NOT_CLEARED, {"level": max(uncleared)})
    by_our_clock = [
        replace(step, reported=_by_our_clock(step, step.reported)) for step in reads if step.reported
    ]
    if by_our_clock != reads and _explain(setting, stack, number, by_our_clock):
        return Doubt(OTHER_TIMES)
    if _explain_coarsely(setting, stack, number, reads):
        return Doubt(TOO_COARSE)
    return None


def _explain(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    return any(
        shows(setting, stack, reading) and fits(setting, stack, number, reads, reading)
        for reading in readings(setting)
    )


def _uncleared(steps: Sequence[Step]) -> set[int]:
    """Levels that the station would not clear: they may stand there still."""
    return {
        step.level for step in steps if step.kind == "clear" and step.outcome != "accepted" and step.level
    }


def _still_there(steps: Sequence[Step]) -> list[Step]:
    """The readings, each with the levels that the station had refused to clear before it."""
    kept: set[int] = set()
    reads = []
    for step in steps:
        if step.kind == "clear" and step.outcome != "accepted" and step.level is not None:
            kept.add(step.level)
        elif step.reported and step.reported.is_readable:
            reads.append(replace(step, levels=tuple(sorted({*step.levels, *kept}))))
    return reads


def _by_our_clock(step: Step, reported: Reported) -> Reported:
    """Its schedule begins when it was asked: the zone of `scheduleStart` is wrong on some stations."""
    off_s = abs((reported.start - step.at).total_seconds())
    return replace(reported, start=step.at) if off_s > EDGE_S else reported


def _explain_coarsely(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    for reading in readings(setting):
        if shows(setting, stack, reading) and all(
            composites.first_difference(
                expected(setting, stack, number, step, reading),
                step.reported,
                _coarse(setting, step.reported.unit),
            )
            is None
            for step in reads
            if step.reported
        ):
            return True
    return False


def _coarse(setting: Setting, unit: str) -> Coarse:
    def in_unit(limit_a: float) -> float:
        return convert(limit_a, unit="A", to=unit, phases=setting.phases)

    return Coarse(within=in_unit(WHOLE_A), free=tolerance(setting, unit).free, pilot=in_unit(PILOT_A))
