"""The chart of power against limit: measured as an area, the limit as a step, the connection as a dotted line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.pages.charts import (
    Drawing,
    Mark,
    Path,
    Shape,
    Step,
    TimeAxis,
    ValueAxis,
    label,
    line,
    now_marks,
    number,
    text_width,
    time_label,
    value_axis,
    value_grid,
)


@dataclass(frozen=True, slots=True)
class PowerChart:
    """What to draw, in kW. Energy given back is drawn below zero, never taken off what was charged.

    `measured` and `returned` ascend without overlap; where they have a hole nothing was measured. After `now` the
    limit is still to come, and dashed; None: all of it has been.
    """

    id: str
    title: str
    start: datetime
    end: datetime
    measured: Sequence[Step]
    returned: Sequence[Step]
    limit: Sequence[Step]
    connection_kw: float | None
    connection_text: str
    limit_text: str
    limit_name: str
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The room of one drawing."""

    shape: Shape
    width: int
    height: int
    right: int
    time_ticks: int


WIDE = Sheet("wide", 800, 290, 790, 7)
COLUMN = Sheet("wide", 560, 260, 550, 5)  # beside a second column: smaller, so that its text is not
NARROW = Sheet("narrow", 340, 240, 330, 4)
LEFT, TOP, FOOT = 40, 30, 30


def power_drawings(chart: PowerChart, wide: Sheet = WIDE) -> tuple[Drawing, Drawing]:
    return _drawing(chart, wide), _drawing(chart, NARROW)


def _drawing(chart: PowerChart, sheet: Sheet) -> Drawing:
    time = TimeAxis(chart.start, chart.end, LEFT, sheet.right)
    power = _power_axis(chart, sheet)
    limit = [step for step in chart.limit if step.value is not None]
    marks: list[Mark] = [*value_grid(power, "kW", left=LEFT, right=sheet.right)]
    marks += [time_label(time, at, text, sheet.height - 10) for at, text in time.ticks(sheet.time_ticks)]
    marks += [area("limit-soft", run, time, power) for run in runs_of(limit)]
    marks += [area("flow", run, time, power) for run in runs_of(chart.measured)]
    marks += [area("flow-2", run, time, power, sign=-1) for run in runs_of(chart.returned)]
    marks += _limit_lines(limit, chart.now, time, power)
    if chart.connection_kw is not None:
        y = power.y(chart.connection_kw)
        marks.append(line("ceiling", LEFT, y, sheet.right, y))
        marks.append(_connection_label(chart, time, y - 7))
    marks += _limit_label(chart, limit, time, power)
    if chart.now is not None:
        marks += now_marks(chart.now, time, top=4, bottom=power.bottom)
    return Drawing(
        f"{chart.id}-{sheet.shape}", sheet.shape, sheet.width, sheet.height, chart.title, tuple(marks)
    )


def _connection_label(chart: PowerChart, time: TimeAxis, y: float) -> Mark:
    """At the end of its line; at the beginning where the line of the present would run through it."""
    is_in_the_way = (
        chart.now is not None and time.x(chart.now) > time.right - text_width(chart.connection_text) - 30
    )
    return (
        label("", LEFT + 6, y, chart.connection_text)
        if is_in_the_way
        else label("t-end", time.right, y, chart.connection_text)
    )


def _power_axis(chart: PowerChart, sheet: Sheet) -> ValueAxis:
    above = [step.value or 0.0 for step in (*chart.measured, *chart.limit)]
    below = [step.value or 0.0 for step in chart.returned]
    highest = max([*above, chart.connection_kw or 0.0])
    return value_axis(
        lowest=-max(below, default=0.0), highest=highest * 1.04, top=TOP, bottom=sheet.height - FOOT
    )


def runs_of(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Stretches of steps that follow on each other without a hole."""
    run: list[Step] = []
    for step in steps:
        if run and (step.start != run[-1].end or step.value is None):
            yield run
            run = []
        if step.value is not None:
            run.append(step)
    if run:
        yield run


def area(css: str, run: Sequence[Step], time: TimeAxis, power: ValueAxis, *, sign: int = 1) -> Path:
    floor = number(power.y(0))
    return Path(
        css, f"M{number(time.x(run[0].start))} {floor}{_outline(run, time, power, sign=sign)}V{floor}Z"
    )


def _outline(run: Sequence[Step], time: TimeAxis, power: ValueAxis, *, sign: int = 1) -> str:
    """Up to each value, along to the end of its step; equal neighbours become one."""
    parts: list[str] = []
    height = None
    for step in run:
        y = number(power.y(sign * (step.value or 0.0)))
        if y == height:
            parts[-1] = f"H{number(time.x(step.end))}"
        else:
            parts += [f"V{y}", f"H{number(time.x(step.end))}"]
        height = y
    return "".join(parts)


def _limit_lines(
    limit: Sequence[Step], now: datetime | None, time: TimeAxis, power: ValueAxis
) -> Iterator[Path]:
    """The limit until now, and dashed from now on; a step that spans the present belongs to both."""
    for css, part in (("limit", _before(limit, now)), ("limit limit--plan", _after(limit, now))):
        for run in runs_of(part):
            begin = f"M{number(time.x(run[0].start))} {number(power.y(run[0].value or 0.0))}"
            yield Path(css, begin + _outline(run, time, power))


def _before(steps: Sequence[Step], now: datetime | None) -> list[Step]:
    if now is None:
        return list(steps)
    return [Step(step.start, min(step.end, now), step.value) for step in steps if step.start < now]


def _after(steps: Sequence[Step], now: datetime | None) -> list[Step]:
    if now is None:
        return []
    return [Step(max(step.start, now), step.end, step.value) for step in steps if step.end > now]


def _limit_label(
    chart: PowerChart, limit: Sequence[Step], time: TimeAxis, power: ValueAxis
) -> Iterator[Mark]:
    """What limit holds now, above its line: in full where its step is long enough, else only the value."""
    at = chart.now
    if at is None or not chart.limit_text:
        return
    current = next((step for step in limit if step.start <= at < step.end), None)
    if current is None or current.value is None:
        return
    y = power.y(current.value)
    if chart.connection_kw is not None and abs(y - power.y(chart.connection_kw)) < 18:
        y += 24  # under the line, clear of the text of the connection
    left, x, right = time.x(current.start), time.x(at), time.x(current.end)
    for text in (f"{chart.limit_text}, {chart.limit_name}" if chart.limit_name else "", chart.limit_text):
        width = text_width(text) + 12
        if text and width <= x - left:
            yield label("t-steer", left + 6, y - 8, text)
            return
        if text and width <= right - x:
            yield label("t-steer", x + 6, y - 8, text)
            return
