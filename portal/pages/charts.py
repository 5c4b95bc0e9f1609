"""What drawings are made of: marks with numbers, a class for their colour, plain text; and the axes they hang on.

Nothing here is HTML, so nothing here needs escaping: `pages/_drawing.html` makes the SVG and escapes what it prints.
Every chart is drawn twice, wide and narrow, so that its text keeps one size on any screen. Times are aware; axes
follow the wall clock of the current time zone, so that the day on which the clock is set has 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from django.utils import timezone

from portal.templatetags.measures import rounded

Shape = Literal["wide", "narrow"]

NICE_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
MINUTES_APART = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440)
LETTER_PX = 7.2  # of the 13 px text, on average
EDGE_PX = 16  # half of "18:00"


@dataclass(frozen=True, slots=True)
class Path:
    tag: ClassVar[str] = "path"
    css: str
    d: str


@dataclass(frozen=True, slots=True)
class Box:
    """`url`: where a click on it leads, and `name` what that is; `is_stop`: the keyboard stops there too."""

    tag: ClassVar[str] = "rect"
    css: str
    x: str
    y: str
    width: str
    height: str
    radius: int
    url: str = ""
    name: str = ""
    is_stop: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    tag: ClassVar[str] = "text"
    css: str
    x: str
    y: str
    text: str


Mark = Path | Box | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG. `title` says the finding in a sentence: a screen reader reads it instead of the picture."""

    id: str
    shape: Shape
    width: int
    height: int
    title: str
    marks: tuple[Mark, ...]

    @property
    def role(self) -> str:
        """A picture; with links in it a group, for within a picture nobody finds them."""
        return "group" if any(isinstance(mark, Box) and mark.url for mark in self.marks) else "img"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with what is written on it, in full and where there is little room.

    `url` and `name` as of a Box.
    """

    start: datetime
    end: datetime
    text: str = ""
    short: str = ""
    url: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` until `end` the value is `value`; None: not known, so nothing is drawn."""

    start: datetime
    end: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Maps moments from `start` to `end` onto x from `left` to `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def ticks(self, most: int) -> Iterator[tuple[datetime, str]]:
        """Moments on round times of the wall clock, some `most` of them, with what to write there."""
        span_min = (self.end - self.start).total_seconds() / 60
        apart = next((step for step in MINUTES_APART if span_min / step <= most), MINUTES_APART[-1])
        at = _on_the(min(apart, 60), self.start)
        while at <= self.end:
            local = timezone.localtime(at)
            if (local.hour * 60 + local.minute) % apart == 0:
                yield at, self._text(local, is_end=at == self.end, days=span_min > 2 * 24 * 60)
            at += timedelta(minutes=min(apart, 60))

    def _text(self, local: datetime, *, is_end: bool, days: bool) -> str:
        if days:
            return f"{local.day}-{local.month}"
        return "24:00" if is_end and local.hour == local.minute == 0 else f"{local:%H:%M}"


def _on_the(minutes: int, at: datetime) -> datetime:
    """The first moment from `at` on that is a whole number of `minutes` past the hour."""
    floor = at.replace(minute=at.minute - at.minute % minutes, second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """Maps values from `low` to `high` onto y from `bottom` up to `top`; `step` apart are the lines of the grid."""

    low: float
    high: float
    step: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def ticks(self) -> list[float]:
        return [
            round(self.low + number * self.step, 2)
            for number in range(round((self.high - self.low) / self.step) + 1)
        ]


def value_axis(*, lowest: float, highest: float, top: float, bottom: float) -> ValueAxis:
    """An axis around 0 with round steps that holds both values."""
    span = max(highest, 0.1) - min(lowest, 0.0)
    step = next((step for step in NICE_STEPS if span / step <= 5), span / 5)
    low = -step * -(min(lowest, 0.0) // step) if lowest < 0 else 0.0
    high = -step * (-max(highest, 0.1) // step)
    return ValueAxis(low, high, step, top, bottom)


def number(value: float) -> str:
    """A coordinate: one decimal with a point, in any language."""
    return f"{value:.1f}".removesuffix(".0")


def day_of(at: datetime) -> tuple[datetime, datetime]:
    """The local day of `at` from midnight to midnight in UTC: 23, 24 or 25 hours."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    # Arithmetic on the wall clock: the offset of the next midnight follows from its own date.
    return midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)


def line(css: str, x1: float, y1: float, x2: float, y2: float) -> Path:
    return Path(css, f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}")


def box(css: str, x: float, y: float, width: float, height: float) -> Box:
    return Box(css, number(x), number(y), number(width), number(height), radius=4)


def label(css: str, x: float, y: float, text: str) -> Label:
    return Label(css, number(x), number(y), text)


def value_grid(values: ValueAxis, unit: str, *, left: float, right: float) -> Iterator[Mark]:
    """A line at each step with its value before it, the topmost with the unit."""
    ticks = values.ticks()
    for value in ticks:
        y = values.y(value)
        text = rounded(value, 0 if values.step >= 1 else 1)
        yield line("grid" if value else "axis", left, y, right, y)
        yield label("t-end", left - 8, y + 4, f"{text} {unit}" if value == ticks[-1] else text)


def time_label(axis: TimeAxis, at: datetime, text: str, y: float) -> Label:
    """What stands under the axis at `at`; at either end of the drawing it leans inwards."""
    x = axis.x(at)
    css = "t-end" if x > axis.right - EDGE_PX else "" if x < EDGE_PX else "t-mid"
    return label(css, x, y, text)


def text_width(text: str) -> float:
    return LETTER_PX * len(text)


def now_marks(at: datetime, axis: TimeAxis, *, top: float, bottom: float) -> list[Mark]:
    """The dark line of the present, with the time in a tag that stays inside the drawing."""
    x = axis.x(at)
    tag = min(max(x, axis.left + 20), axis.right - 20)
    return [
        line("now", x, top + 20, x, bottom),
        box("now-tag", tag - 25, top, 50, 20),
        label("t-now", tag, top + 14.5, f"{timezone.localtime(at):%H:%M}"),
    ]
