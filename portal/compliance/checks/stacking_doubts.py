"""Habits of stations that explain answers which fit no reading of the standard, and that say nothing of stacking. Pure.

A station is called a deviation only where none of these explains it (requirements.md, 206, fairness). None of them
proves anything either: the verdict is then undecided, and the sentence names the habit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portal.compliance.checks import composites
from portal.compliance.checks.habits import Doubt, by_our_clock, coarse
from portal.compliance.checks.readings import Setting, legal, shows
from portal.compliance.checks.stacking_plan import Stack
from portal.compliance.checks.stacking_readings import Step, expected, fits

NOT_CLEARED = "206.not_cleared"
OTHER_TIMES = "206.other_times"
TOO_COARSE = "206.too_coarse"
CODES = (NOT_CLEARED, OTHER_TIMES, TOO_COARSE)


def doubt(setting: Setting, stack: Stack, number: int, steps: Sequence[Step]) -> Doubt | None:
    """The habit that explains all answers of one stack; None where there is none."""
    reads = [step for step in steps if step.reported and step.reported.is_readable]
    uncleared = _uncleared(steps)
    if uncleared and _explain(setting, stack, number, _still_there(steps)):
        return Doubt(NOT_CLEARED, {"level": max(uncleared)})
    moved = [replace(step, reported=by_our_clock(step.reported, step.at)) for step in reads if step.reported]
    if moved != reads and _explain(setting, stack, number, moved):
        return Doubt(OTHER_TIMES)
    if _explain_coarsely(setting, stack, number, reads):
        return Doubt(TOO_COARSE)
    return None


def _explain(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    return any(
        shows(setting, stack.place, reading) and fits(setting, stack, number, reads, reading)
        for reading in legal(setting)
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


def _explain_coarsely(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    for reading in legal(setting):
        if shows(setting, stack.place, reading) and all(
            composites.first_difference(
                expected(setting, stack, number, step, reading),
                step.reported,
                coarse(setting, step.reported.unit),
            )
            is None
            for step in reads
            if step.reported
        ):
            return True
    return False
