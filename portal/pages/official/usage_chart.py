"""Energy by month as bars, drawn wide and narrow. A month that may not be told of has a place, and no bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.pages.charts import Drawing, Mark, Shape, box, label, value_axis, value_grid

HEIGHT, TOP, FOOT = 260, 16, 28
LEFT, RIGHT = 64, 8
WIDTHS: dict[Shape, int] = {"wide": 800, "narrow": 360}
# Room for one name under a bar, in pixels.
NAME_PX = 64
# Beyond it the axis counts in MWh.
MOST_KWH = 2500
FILLED, WIDEST_PX = 0.7, 72  # of its place a bar takes


@dataclass(frozen=True, slots=True)
class Bar:
    """A month; `kwh`: None where too few charged to show it."""

    label: str
    kwh: float | None


def drawings(bars: Sequence[Bar], title: str) -> tuple[Drawing, ...]:
    """None where there is no month at all."""
    if not bars:
        return ()
    return tuple(
        Drawing(f"use-{shape}", shape, width, HEIGHT, title, tuple(_marks(bars, width)))
        for shape, width in WIDTHS.items()
    )


def _marks(bars: Sequence[Bar], width: int) -> Iterator[Mark]:
    bottom = HEIGHT - FOOT
    highest = max((bar.kwh or 0 for bar in bars), default=0)
    unit, of_kwh = ("MWh", 1000) if highest > MOST_KWH else ("kWh", 1)
    values = value_axis(lowest=0, highest=highest / of_kwh, top=TOP, bottom=bottom)
    yield from value_grid(values, unit, left=LEFT, right=width - RIGHT)
    apart = (width - LEFT - RIGHT) / len(bars)
    every = max(1, -int(-NAME_PX // apart))
    for number, bar in enumerate(bars):
        wide, middle = min(apart * FILLED, WIDEST_PX), LEFT + apart * (number + 0.5)
        x = middle - wide / 2
        if bar.kwh is None:
            yield box("band-soft", x, TOP, wide, bottom - TOP)
            yield label("t-mid", middle, bottom - 8, "?")
        else:
            y = values.y(bar.kwh / of_kwh)
            yield box("flow", x, y, wide, max(1.0, bottom - y))
        if number % every == 0:
            yield label("t-mid", middle, HEIGHT - 8, bar.label)
