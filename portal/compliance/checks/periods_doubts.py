"""Habits of stations that explain why periods are missing in the answers, whatever their number. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from portal.compliance.checks import composites
from portal.compliance.checks.composites import Reported
from portal.compliance.checks.habits import Doubt, by_our_clock, coarse
from portal.compliance.checks.periods_plan import NEEDED, Trial
from portal.compliance.checks.periods_readings import (
    Step,
    current_period,
    difference,
    expected,
    is_shown,
)
from portal.compliance.checks.readings import Setting, legal, tolerance
from smartcharging.domain.profiles import Installed

NOT_CLEARED = "207.not_cleared"
OTHER_TIMES = "207.other_times"
TOO_COARSE = "207.too_coarse"
CODES = (NOT_CLEARED, OTHER_TIMES, TOO_COARSE)


def is_haste(installs: Sequence[Step]) -> bool:
    """Whether a station that takes no profile for some time after it took one would have answered the same.

    It says so in 2.1 only (RateLimitExceeded). Then everything that was refused came sooner after the last that was
    taken than anything that was taken.
    """
    refused, taken = [0.0], [math.inf]
    last: Step | None = None
    for step in installs:
        if last is not None:
            gaps = taken if step.outcome == "accepted" else refused
            gaps.append((step.at - last.at).total_seconds())
        last = step if step.outcome == "accepted" else last
    return max(refused) < min(taken)


def doubt(
    setting: Setting, trial: Trial, reads: Sequence[Step], *, earlier: Sequence[Installed]
) -> Doubt | None:
    """The habit that explains all answers of one trial; None where there is none.

    `earlier`: the profiles of earlier trials, which the station said it had cleared.
    """
    readable = [step for step in reads if step.is_readable]
    moved = [_by_our_clock(step) for step in readable]
    if earlier and _explain(setting, trial, readable, left=earlier):
        return Doubt(NOT_CLEARED)
    if moved != readable and _explain(setting, trial, moved):
        return Doubt(OTHER_TIMES)
    if all(_names_all(setting, trial, step) for step in readable):
        return Doubt(OTHER_TIMES)
    if _explain_coarsely(setting, trial, readable):
        return Doubt(TOO_COARSE)
    return None


def _by_our_clock(step: Step) -> Step:
    return replace(step, reported=by_our_clock(step.reported, step.at)) if step.reported else step


def _explain(
    setting: Setting, trial: Trial, reads: Sequence[Step], *, left: Sequence[Installed] = ()
) -> bool:
    return any(
        all(
            is_shown(setting, trial, step.evse, reading)
            and difference(setting, trial, step, reading, left=left) is None
            for step in reads
        )
        for reading in legal(setting)
    )


def _names_all(setting: Setting, trial: Trial, step: Step) -> bool:
    """Whether the limits of all periods that are still to come stand in the answer, in their order, at other times."""
    if step.reported is None:
        return False
    said = _limits(step.reported)
    for reading in legal(setting):
        if not is_shown(setting, trial, step.evse, reading):
            continue
        wanted = _limits(expected(setting, trial, step, reading))[: NEEDED - current_period(step)]
        same = tolerance(setting, step.reported.unit).same
        starts = range(len(said) - len(wanted) + 1)
        if any(
            all(same(limit, other) for limit, other in zip(wanted, said[start:], strict=False))
            for start in starts
        ):
            return True
    return False


def _limits(reported: Reported) -> list[float | None]:
    """The limits in turn, what lasts named once."""
    limits: list[float | None] = []
    for _begin, _end, limit in reported.stretches():
        if not limits or limits[-1] != limit:
            limits.append(limit)
    return limits


def _explain_coarsely(setting: Setting, trial: Trial, reads: Sequence[Step]) -> bool:
    """Whether every answer is right as far as a station can say it that counts in whole amperes, or not below 6 A."""
    for reading in legal(setting):
        if all(
            is_shown(setting, trial, step.evse, reading)
            and composites.first_difference(
                expected(setting, trial, step, reading), step.reported, coarse(setting, step.reported.unit)
            )
            is None
            for step in reads
            if step.reported
        ):
            return True
    return False
