"""The chart of a composite schedule: what was to be expected as a violet line, what the station reported in blue,
and red where the two differ. Numbers and classes only: `pages/_drawing.html` makes the SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.pages.charts import (
    Drawing,
    Mark,
    Path,
    Shape,
    Step,
    TimeAxis,
    ValueAxis,
    label,
    number,
    text_width,
    time_label,
    value_axis,
    value_grid,
)
from portal.templatetags.measures import figure

TOP = 30
SAME = 0.05  # the width of a line: what is closer cannot be seen apart


@dataclass(frozen=True, slots=True)
class ScheduleChart:
    """`expected` and `reported` ascend without overlap; a step without a value is one without a limit.

    `contradicts`: a difference counts, so it is marked. Elsewhere it was to be expected, or decides nothing.
    """

    id: str
    title: str
    start: datetime
    end: datetime
    expected: Sequence[Step]
    reported: Sequence[Step]
    unit: str
    contradicts: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    shape: Shape
    width: int
    height: int
    left: int
    time_ticks: int

    @property
    def right(self) -> int:
        return self.width - 12

    @property
    def bottom(self) -> int:
        return self.height - 30


WIDE = Sheet("wide", 800, 320, 52, 8)
NARROW = Sheet("narrow", 340, 250, 46, 4)


def schedule_drawings(chart: ScheduleChart) -> tuple[Drawing, Drawing]:
    return _drawing(chart, WIDE), _drawing(chart, NARROW)


def _drawing(chart: ScheduleChart, sheet: Sheet) -> Drawing:
    highest = max(
        (step.value for step in (*chart.expected, *chart.reported) if step.value is not None), default=1
    )
    time = TimeAxis(chart.start, chart.end, sheet.left, sheet.right)
    values = value_axis(lowest=0, highest=highest, top=TOP, bottom=sheet.bottom)
    marks = [
        *value_grid(values, chart.unit, left=sheet.left, right=sheet.right),
        *(time_label(time, at, text, sheet.height - 8) for at, text in time.ticks(sheet.time_ticks)),
        *_reported(chart.reported, time, values),
        *(
            _difference(difference, time, values)
            for difference in differences(chart.expected, chart.reported)
            if chart.contradicts
        ),
        Path("limit", _line(chart.expected, time, values)),
        *_names(chart, sheet, time, values),
    ]
    title_id = f"{chart.id}-{sheet.shape}"
    return Drawing(title_id, sheet.shape, sheet.width, sheet.height, chart.title, tuple(marks))


def _reported(steps: Sequence[Step], time: TimeAxis, values: ValueAxis) -> Iterator[Mark]:
    for step in steps:
        if step.value is not None:
            across = time.x(step.start), time.x(step.end)
            yield _area("flow-soft", across, values.y(0), values.y(step.value))
    yield Path("flow-line", _line(steps, time, values))


def _area(css: str, across: tuple[float, float], low: float, high: float) -> Mark:
    """A rectangle, in coordinates."""
    left, right = across
    return Path(css, f"M{number(left)} {number(low)}V{number(high)}H{number(right)}V{number(low)}Z")


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of time in which the station reported another limit than was to be expected."""

    start: datetime
    end: datetime
    expected: float
    reported: float


def differences(expected: Sequence[Step], reported: Sequence[Step]) -> Iterator[Difference]:
    """Where both say a limit, and not the same one."""
    for wanted in expected:
        for seen in reported:
            start, end = max(wanted.start, seen.start), min(wanted.end, seen.end)
            if start >= end or wanted.value is None or seen.value is None:
                continue
            if abs(wanted.value - seen.value) > SAME:
                yield Difference(start, end, wanted.value, seen.value)


def _difference(item: Difference, time: TimeAxis, values: ValueAxis) -> Mark:
    low, high = sorted((item.expected, item.reported))
    across = time.x(item.start), time.x(item.end)
    return _area("differs", across, values.y(low), values.y(high))


def _line(steps: Sequence[Step], time: TimeAxis, values: ValueAxis) -> str:
    """A path in steps that is broken where there is no value."""
    path, at = [], None
    for step in steps:
        if step.value is None:
            at = None
            continue
        left, right, y = number(time.x(step.start)), number(time.x(step.end)), number(values.y(step.value))
        path.append(f"{'L' if at == step.start else 'M'}{left} {y}L{right} {y}")
        at = step.end
    return "".join(path)


def _names(chart: ScheduleChart, sheet: Sheet, time: TimeAxis, values: ValueAxis) -> Iterator[Mark]:
    """What is what, in place: the limit over each expected step, where it fits; the answer inside its area."""
    for place, step in enumerate(chart.expected):
        if step.value is None:
            continue
        left, right = time.x(step.start), time.x(step.end)
        text = limit_text(step.value, chart.unit)
        if place == 0 and sheet.shape == "wide":
            text = f"{_('Expected')} {text}"
        if right - left > text_width(text):
            away = 17 if _reported_above(chart, step) else -8
            yield label("t-steer t-mid", (left + right) / 2, values.y(step.value) + away, text)
    shown = [step for step in chart.reported if step.value is not None]
    for place, step in enumerate(shown if any(differences(chart.expected, chart.reported)) else shown[:1]):
        text = limit_text(step.value or 0, chart.unit)
        text = text if place else _("Reported %(limit)s") % {"limit": text}
        if time.x(step.end) - time.x(step.start) > text_width(text):
            yield label("t-flow", time.x(step.start) + 8, sheet.bottom - 10, text)


def _reported_above(chart: ScheduleChart, step: Step) -> bool:
    """Whether the answer lies above the line, so that the text has to go below it."""
    answers = (seen.value for seen in chart.reported if seen.start < step.end and seen.end > step.start)
    return any(value is not None and value > (step.value or 0) + SAME for value in answers)


def limit_text(value: float, unit: str) -> str:
    """A limit as the drawing and what is said of it write it, in the unit it came in."""
    return f"{figure(value)} {unit}"
