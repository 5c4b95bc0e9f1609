"""The steps of a piece of evidence by place, and one of them drawn: expected against reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext as _

from portal.compliance.dossier import Dossier, LimitStep, StepView
from portal.compliance.schedule_chart import SAME, ScheduleChart, differences, limit_text, schedule_drawings
from portal.compliance.sentences import place_name
from portal.pages.charts import Drawing, Step

ROUNDED = 0.02
TAIL_S = 2.0  # a composite is asked for a second longer than the profile lasts, so that its end shows


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps of one place on the station: one kind of profile, on the whole of it or on one EVSE."""

    title: str
    holds: bool | None
    steps: tuple[StepView, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class ComparedPeriod:
    """From `start` on, what was to be expected and what the station reported; None: no limit."""

    start: datetime
    expected: float | None
    reported: float | None

    @property
    def same(self) -> bool:
        return self.expected == self.reported

    @property
    def is_close(self) -> bool:
        """Both are a limit, and they differ by no more than a station rounds."""
        if self.expected is None or self.reported is None:
            return False
        return abs(self.expected - self.reported) <= max(SAME, ROUNDED * self.expected)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One step that was read, drawn; `finding` says what the drawing shows."""

    step: StepView
    finding: str
    drawings: tuple[Drawing, Drawing]
    periods: tuple[ComparedPeriod, ...]


def step_groups(dossier: Dossier, drawn: Comparison | None) -> list[StepGroup]:
    """The steps by place; the one with the step that is drawn is open."""
    groups = [tuple(steps) for _part, steps in groupby(dossier.steps, key=lambda step: step.part)]
    shown = drawn.step.part if drawn else None
    return [StepGroup(_title(steps[0]), _worst(steps), steps, steps[0].part == shown) for steps in groups]


def _title(step: StepView) -> str:
    if not step.purpose:
        return _("Steps")
    return f"{step.purpose}, {place_of(step)}"


def place_of(step: StepView) -> str:
    return place_name(step.evse or 0)


def _worst(steps: Sequence[StepView]) -> bool | None:
    if any(step.holds is False for step in steps):
        return False
    return None if any(step.holds is None for step in steps) else True


def comparison(dossier: Dossier, number: int | None = None) -> Comparison | None:
    """Step `number` drawn, or else the one that tells most; None where nothing was read."""
    drawable = [step for step in dossier.steps if step.reported]
    asked = [step for step in drawable if step.number == number]
    contradicting = [step for step in drawable if step.holds is False]
    step = next(iter(asked or contradicting or drawable), None)
    return _compared(step) if step else None


def _compared(step: StepView) -> Comparison:
    compared = tuple(_periods(_steps(step.expected), _steps(step.reported)))
    expected, reported = _drawn(step, _steps(step.expected)), _drawn(step, _steps(step.reported))
    finding = _finding(step, expected, reported)
    title = _("Composite schedule, %(place)s. %(finding)s") % {"place": place_of(step), "finding": finding}
    chart = ScheduleChart(
        "meting",
        title,
        reported[0].start,
        reported[-1].end,
        expected,
        reported,
        step.unit,
        contradicts=step.holds is False,
    )
    return Comparison(step, finding, schedule_drawings(chart), compared)


def _drawn(step: StepView, limits: list[Step]) -> list[Step]:
    """Without the moment after the profile, whose limit would set the scale; unless it is what contradicts."""
    is_tail = len(limits) > 1 and (limits[-1].end - limits[-1].start).total_seconds() <= TAIL_S
    return limits[:-1] if is_tail and step.holds is not False else limits


def _steps(limits: Sequence[LimitStep]) -> list[Step]:
    return [Step(limit.start, limit.end, limit.limit) for limit in limits]


def _periods(expected: Sequence[Step], reported: Sequence[Step]) -> Iterator[ComparedPeriod]:
    for at in sorted({step.start for step in (*expected, *reported)}):
        yield ComparedPeriod(at, _value_at(expected, at), _value_at(reported, at))


def _value_at(steps: Sequence[Step], at: datetime) -> float | None:
    return next((step.value for step in steps if step.start <= at < step.end), None)


def _finding(step: StepView, expected: Sequence[Step], reported: Sequence[Step]) -> str:
    """The finding as a sentence with figures, for the caption and for who cannot see the picture."""
    found = next(differences(expected, reported), None)
    if step.holds is False and found is not None:
        return _("The station reports %(reported)s where %(expected)s was to be expected.") % {
            "reported": limit_text(found.reported, step.unit),
            "expected": limit_text(found.expected, step.unit),
        }
    limits = [limit.value for limit in reported if limit.value is not None]
    if not limits:
        return _("The station reports no limit.")
    if len(limits) == 1:
        return _("The station reports one limit: %(limit)s.") % {"limit": limit_text(limits[0], step.unit)}
    return _("The station reports %(count)s limits in turn, from %(first)s to %(last)s.") % {
        "count": len(limits),
        "first": limit_text(min(limits), step.unit),
        "last": limit_text(max(limits), step.unit),
    }
