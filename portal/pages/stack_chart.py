"""The stack of profiles over a day: one row per profile, the highest level on top, below it what the station obeys.

A click on a segment asks why. The keyboard stops at those of the lowest row; the others are links in the table beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portal.pages.charts import (
    Box,
    Drawing,
    Mark,
    Shape,
    Span,
    TimeAxis,
    box,
    label,
    line,
    now_marks,
    text_width,
    time_label,
)

GAP_PX = 2  # between neighbours, so that two limits stay two


@dataclass(frozen=True, slots=True)
class StackRow:
    """A profile: where it has a period (outlined), and where that period decides the limit (filled)."""

    level: str
    name: str
    wins_now: bool
    in_force: Sequence[Span]
    wins: Sequence[Span]


@dataclass(frozen=True, slots=True)
class StackChart:
    id: str
    title: str
    start: datetime
    end: datetime
    rows: Sequence[StackRow]
    effective: Sequence[Span]
    effective_text: str
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The room of one drawing. On the narrow one the name of a profile stands above its bar."""

    shape: Shape
    width: int
    left: int
    right: int
    row: int
    bar: int
    bar_below: int  # from the top of the row to the top of its bar
    name_below: int
    time_ticks: int


WIDE = Sheet("wide", 800, 190, 792, 34, 26, 0, 18, 8)
NARROW = Sheet("narrow", 340, 4, 336, 46, 22, 17, 12, 4)
TOP = 40


def stack_drawings(chart: StackChart) -> tuple[Drawing, Drawing]:
    return _drawing(chart, WIDE), _drawing(chart, NARROW)


def _drawing(chart: StackChart, sheet: Sheet) -> Drawing:
    time = TimeAxis(chart.start, chart.end, sheet.left, sheet.right)
    under = TOP + len(chart.rows) * sheet.row  # where the rows end
    floor = under + (74 if sheet.shape == "wide" else 70)  # where the effective row ends
    marks: list[Mark] = [*_hours(time, sheet, floor)]
    for number, row in enumerate(chart.rows):
        marks += _row(row, time, sheet, TOP + number * sheet.row)
    marks.append(line("axis", 0, under + 5, sheet.right, under + 5))
    marks += _effective(chart, time, sheet, under)
    if chart.now is not None:
        marks += now_marks(chart.now, time, top=2, bottom=floor)
    title_id = f"{chart.id}-{sheet.shape}"
    return Drawing(title_id, sheet.shape, sheet.width, floor + 26, chart.title, tuple(marks))


def _hours(time: TimeAxis, sheet: Sheet, floor: int) -> Iterator[Mark]:
    for at, text in time.ticks(sheet.time_ticks):
        x = time.x(at)
        yield line("grid", x, TOP - 6, x, floor)
        yield time_label(time, at, text, floor + 18)


def _row(row: StackRow, time: TimeAxis, sheet: Sheet, top: int) -> Iterator[Mark]:
    css = "t-strong" if row.wins_now else ""
    yield label(css, 4, top + sheet.name_below, row.level)
    yield label(css, 22, top + sheet.name_below, _cut(row.name, sheet))
    for span in row.in_force:
        yield _bar("lose", span, time, top + sheet.bar_below, sheet.bar)
    for span in row.wins:
        yield _bar("win", span, time, top + sheet.bar_below, sheet.bar)
        text = _fitting(span, time)
        if text:
            yield label("t-on", time.x(span.start) + 6, top + sheet.bar_below + sheet.bar - 8, text)


def _effective(chart: StackChart, time: TimeAxis, sheet: Sheet, under: int) -> Iterator[Mark]:
    wide = sheet.shape == "wide"
    top = under + (14 if wide else 26)
    yield label("t-steer", 4, top + 20 if wide else top - 7, chart.effective_text)
    for span in chart.effective:
        yield replace(_bar("win", span, time, top, 32), is_stop=True)
        text = _fitting(span, time)
        if text:
            middle = (time.x(span.start) + time.x(span.end)) / 2
            yield label("t-on t-mid", middle, top + 21, text)


def _bar(css: str, span: Span, time: TimeAxis, y: float, height: float) -> Box:
    left, right = time.x(span.start), time.x(span.end)
    bar = box(css, left + GAP_PX / 2, y, max(1.0, right - left - GAP_PX), height)
    return replace(bar, url=span.url, name=span.name)


def _fitting(span: Span, time: TimeAxis) -> str:
    room = (time.x(span.end) - time.x(span.start)) - 10
    return next((text for text in (span.text, span.short) if text and text_width(text) <= room), "")


def _cut(name: str, sheet: Sheet) -> str:
    """A long name would run under its bars; the table beside the chart has it in full."""
    most = 23 if sheet.shape == "wide" else 42
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
