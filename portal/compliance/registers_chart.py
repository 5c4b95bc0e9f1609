"""The chart of two registers over time: how much each rose since the first sample. Numbers and classes only:
`pages/_drawing.html` makes the SVG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from portal.pages.charts import (
    Drawing,
    Mark,
    Path,
    Shape,
    TimeAxis,
    ValueAxis,
    label,
    number,
    time_label,
    value_axis,
    value_grid,
)

TOP, FOOT, LEFT = 30, 30, 56
# Two names closer than this would lie over one another.
APART_PX = 16


@dataclass(frozen=True, slots=True)
class Line:
    """`css` is its class, `points` ascend in time; values are in kWh."""

    css: str
    name: str
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class RegisterChart:
    id: str
    title: str
    start: datetime
    end: datetime
    lines: tuple[Line, ...]


def register_drawings(chart: RegisterChart) -> tuple[Drawing, Drawing]:
    return _drawing(chart, "wide", 800, 260, 7), _drawing(chart, "narrow", 340, 220, 4)


def _drawing(chart: RegisterChart, shape: Shape, width: int, height: int, ticks: int) -> Drawing:
    right = width - 12
    values = [value for each in chart.lines for _at, value in each.points]
    time = TimeAxis(chart.start, chart.end, LEFT, right)
    axis = value_axis(
        lowest=min(values, default=0.0), highest=max(values, default=0.0), top=TOP, bottom=height - FOOT
    )
    marks: list[Mark] = [
        *value_grid(axis, "kWh", left=LEFT, right=right),
        *(time_label(time, at, text, height - 8) for at, text in time.ticks(ticks)),
        *(Path(each.css, _path(each, time, axis)) for each in chart.lines if each.points),
        *_names(chart, time, axis),
    ]
    return Drawing(f"{chart.id}-{shape}", shape, width, height, chart.title, tuple(marks))


def _path(line: Line, time: TimeAxis, axis: ValueAxis) -> str:
    places = [f"{number(time.x(at))} {number(axis.y(value))}" for at, value in line.points]
    return "M" + "L".join(places)


def _names(chart: RegisterChart, time: TimeAxis, axis: ValueAxis) -> Iterator[Mark]:
    """The name of each line over its end, clear of the one before."""
    taken: list[float] = []
    for line in chart.lines:
        if not line.points:
            continue
        at, value = line.points[-1]
        y = axis.y(value) - 8
        while any(abs(y - other) < APART_PX for other in taken):
            y -= APART_PX
        taken.append(y)
        yield label("t-strong t-end", time.x(at), y, line.name)
