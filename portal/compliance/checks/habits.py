"""Habits of stations that are no error, and that explain answers which fit no reading of the standard. Pure.

A station is called a deviation only where no such habit explains it (requirements.md, 206, fairness). None of them
proves anything either: the verdict is then undecided, and the sentence names the habit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from portal.compliance.checks.composites import EDGE_S, Reported, Tolerance
from portal.compliance.checks.readings import Setting, convert, tolerance

# Limits reported in whole amperes differ by less than one from what was set.
WHOLE_A = 0.95
# A car takes 6 A or nothing (IEC 61851-1 Annex A): a lower limit may be reported as either.
PILOT_A = 6.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """The code of the sentence that names the habit, and its values beside those of what was tried."""

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


def coarse(setting: Setting, unit: str) -> Coarse:
    def in_unit(limit_a: float) -> float:
        return convert(limit_a, unit="A", to=unit, phases=setting.phases)

    return Coarse(within=in_unit(WHOLE_A), free=tolerance(setting, unit).free, pilot=in_unit(PILOT_A))


def by_our_clock(reported: Reported, at: datetime) -> Reported:
    """Its schedule begins when it was asked, `at`: the zone of `scheduleStart` is wrong on some stations."""
    off_s = abs((reported.start - at).total_seconds())
    return replace(reported, start=at) if off_s > EDGE_S else reported
