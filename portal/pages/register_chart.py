"""The chart of a day of registers: power above and below zero, and under it both registers, each on a scale of its own.

What stands out lies over it as a band, with the number that it has in the list beside the chart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10

from portal.pages.charts import (
    Drawing,
    Mark,
    Path,
    Shape,
    Step,
    TimeAxis,
    ValueAxis,
    box,
    label,
    line,
    now_marks,
    number,
    time_label,
    value_axis,
    value_grid,
)
from portal.pages.power_chart import area, runs_of
from portal.templatetags.measures import rounded
from v2x.domain.registers import Value
from v2x.domain.series import Power

LEFT, TOP, FOOT = 76, 44, 30
POWER_PX, REGISTER_PX, APART_PX = 150, 76, 34
HEIGHT = TOP + POWER_PX + 2 * (APART_PX + REGISTER_PX) + FOOT
PIN_PX = 20
MOST_BANDS = 60


@dataclass(frozen=True, slots=True)
class Panel:
    """One register: what it is called, and its lines in Wh."""

    name: str
    lines: Sequence[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Band:
    """What stands out, with its number in the list; `panel` is the place of its register, None: over all."""

    number: int
    start: datetime
    end: datetime
    panel: int | None


@dataclass(frozen=True, slots=True)
class RegisterChart:
    id: str
    title: str
    start: datetime
    end: datetime
    power_name: str
    powers: Sequence[Power]
    panels: Sequence[Panel]
    bands: Sequence[Band]
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    shape: Shape
    width: int
    right: int
    time_ticks: int
    columns: int  # of the series: three pixels each


WIDE = Sheet("wide", 800, 790, 7, 240)
NARROW = Sheet("narrow", 340, 330, 3, 80)


def register_drawing(chart: RegisterChart, sheet: Sheet) -> Drawing:
    time = TimeAxis(chart.start, chart.end, LEFT, sheet.right)
    tops = [
        TOP + POWER_PX + APART_PX + place * (REGISTER_PX + APART_PX) for place in range(len(chart.panels))
    ]
    bottom = HEIGHT - FOOT
    marks: list[Mark] = list(_bands(chart.bands, time, tops, bottom))
    if chart.now is not None:  # behind the names of the panels
        marks += now_marks(chart.now, time, top=2, bottom=bottom)
    marks += _power(chart, time)
    for panel, top in zip(chart.panels, tops, strict=True):
        marks += _register(panel, time, top)
    marks += [time_label(time, at, text, HEIGHT - 10) for at, text in time.ticks(sheet.time_ticks)]
    marks += _pins(chart.bands, time, tops)
    return Drawing(f"{chart.id}-{sheet.shape}", sheet.shape, sheet.width, HEIGHT, chart.title, tuple(marks))


def _power(chart: RegisterChart, time: TimeAxis) -> Iterator[Mark]:
    """The mean as an area, and around it, paler, the most."""
    powers = chart.powers
    axis = value_axis(
        lowest=-max((power.most_export_w for power in powers), default=0.0) / 1000,
        highest=max((power.most_import_w for power in powers), default=0.0) / 1000,
        top=TOP,
        bottom=TOP + POWER_PX,
    )
    yield label("t-strong", LEFT, TOP - 10, chart.power_name)
    yield from value_grid(axis, "kW", left=LEFT, right=time.right)
    for css, sign, values in (
        ("flow-soft", 1, [power.most_import_w for power in powers]),
        ("flow-soft", -1, [power.most_export_w for power in powers]),
        ("flow", 1, [power.import_w for power in powers]),
        ("flow-2", -1, [power.export_w for power in powers]),
    ):
        steps = [
            Step(power.start, power.end, value / 1000) for power, value in zip(powers, values, strict=True)
        ]
        # A paler area behind one of the same height would only cost time.
        if any(values) and not (css == "flow-soft" and _is_steady(powers)):
            yield from (area(css, run, time, axis, sign=sign) for run in runs_of(steps))


def _is_steady(powers: Sequence[Power]) -> bool:
    return all(
        power.most_import_w <= 1.02 * power.import_w and power.most_export_w <= 1.02 * power.export_w
        for power in powers
    )


def _register(panel: Panel, time: TimeAxis, top: float) -> Iterator[Mark]:
    yield label("t-strong", LEFT, top - 10, panel.name)
    values_kwh = [wh / 1000 for run in panel.lines for _, wh in run]
    axis = register_axis(values_kwh, top=top, bottom=top + REGISTER_PX)
    for value in axis.ticks() if values_kwh else []:
        y = axis.y(value)
        yield line("grid", LEFT, y, time.right, y)
        yield label("t-end", LEFT - 8, y + 4, rounded(value, 0 if axis.step >= 1 else 1))
    yield line("axis", LEFT, axis.bottom, time.right, axis.bottom)
    for run in panel.lines:
        yield Path("flow-line", _line(run, time, axis))


def _line(run: Sequence[Value], time: TimeAxis, axis: ValueAxis) -> str:
    """Equal neighbours become one; a point alone is a short dash."""
    points = [(number(time.x(at)), number(axis.y(wh / 1000))) for at, wh in run]
    if len(points) == 1:
        return f"M{points[0][0]} {points[0][1]}h2"
    kept = [
        point
        for place, point in enumerate(points)
        if place in {0, len(points) - 1} or not points[place - 1][1] == point[1] == points[place + 1][1]
    ]
    return "M" + "L".join(f"{x} {y}" for x, y in kept)


def register_axis(values_kwh: Sequence[float], *, top: float, bottom: float) -> ValueAxis:
    """A scale that holds the values, wherever they lie, with two or three lines on round numbers."""
    lowest, highest = min(values_kwh, default=0.0), max(values_kwh, default=0.0)
    step = _round_step(max(highest - lowest, 0.2) / 2)
    low = floor(lowest / step) * step
    high = max(ceil(highest / step) * step, low + step)
    return ValueAxis(low, high, step, top, bottom)


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, and not under `least`."""
    scale: float = 10.0 ** floor(log10(least))
    return next(times * scale for times in (1, 2, 5, 10) if times * scale >= least * 0.999)


def _bands(bands: Sequence[Band], time: TimeAxis, tops: Sequence[float], bottom: float) -> Iterator[Mark]:
    for band in bands[:MOST_BANDS]:
        left, right = time.x(band.start), time.x(band.end)
        width = max(3.0, right - left)
        if band.panel is None:
            yield box("band-soft", left, TOP, width, bottom - TOP)
        else:
            yield box("over-band", left, tops[band.panel], width, REGISTER_PX)


def _pins(bands: Sequence[Band], time: TimeAxis, tops: Sequence[float]) -> Iterator[Mark]:
    """Numbers of bands, where there is room for them."""
    taken: dict[int | None, float] = {}
    for band in bands[:MOST_BANDS]:
        x = (time.x(band.start) + time.x(band.end)) / 2
        x = min(max(x, time.left + PIN_PX / 2), time.right - PIN_PX / 2)
        if x - taken.get(band.panel, -PIN_PX) < PIN_PX + 2:
            continue
        taken[band.panel] = x
        top = (TOP if band.panel is None else tops[band.panel]) + 2
        yield box("pin", x - PIN_PX / 2, top, PIN_PX, PIN_PX)
        yield label("t-pin", x, top + 14.5, str(band.number))
