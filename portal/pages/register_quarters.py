"""A day of one meter in quarter-hours: what it took and gave in each, from the roll-ups and not from the readings.

For days that are over, and for those whose readings are no longer kept. What stands out of single readings is on the
page of the readings (portal.pages.registers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.pages.charts import Drawing
from portal.pages.register_chart import NARROW, WIDE, Band, Panel, RegisterChart, Sheet, register_drawing
from portal.pages.register_words import CODES, NAMES, SHORT, register_name
from portal.templatetags.measures import kwh
from stations.domain.quarters import QUARTER
from stations.models import QuarterHour, Station
from v2x.domain.registers import NAMES as REGISTERS
from v2x.domain.registers import Name, Value, What
from v2x.domain.series import Power

COLUMNS = (
    "starts_at",
    "evse_number",
    "import_wh",
    "export_wh",
    "import_fall",
    "export_fall",
    "mean_import_w",
    "max_import_w",
    "mean_export_w",
    "max_export_w",
    "samples",
)


def quarters_of(station: Station, *, evse: int, start: datetime, end: datetime) -> list[QuarterHour]:
    """The quarter-hours of an EVSE from `start` to `end`, in order of time; one without any reading is left out."""
    rows = QuarterHour.objects.filter(
        station=station, evse_number=evse, starts_at__gte=start, starts_at__lt=end
    )
    return list(rows.order_by("starts_at"))


def evses_with_quarters(station: Station, *, start: datetime, end: datetime) -> set[int]:
    rows = QuarterHour.objects.filter(station=station, starts_at__gte=start, starts_at__lt=end)
    return set(rows.order_by().values_list("evse_number", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class Total:
    """What a register rose in the quarters of which it is known, in Wh; `unknown` is the number of the others."""

    name: Name
    wh: float | None
    unknown: int

    @property
    def label(self) -> str:
        return str(NAMES[self.name])

    @property
    def code(self) -> str:
        return CODES[self.name]


@dataclass(frozen=True, slots=True)
class QuarterRow:
    """A line of the table; `row` is None where nothing was read."""

    label: str
    row: QuarterHour | None
    falls: tuple[str, ...]


@dataclass(frozen=True)
class QuarterDay:
    """One day of one meter, as the page shows it: 96 quarters, 92 or 100 where the clock is set."""

    rows: Sequence[QuarterHour]
    start: datetime
    end: datetime

    @cached_property
    def grid(self) -> list[tuple[datetime, QuarterHour | None]]:
        made = {row.starts_at: row for row in self.rows}
        count = int((self.end - self.start) / QUARTER)
        return [(at, made.get(at)) for at in (self.start + number * QUARTER for number in range(count))]

    @cached_property
    def totals(self) -> list[Total]:
        return [_total(name, self.rows) for name in REGISTERS]

    @cached_property
    def summary(self) -> str:
        """On 21 November: 12.30 kWh in, 4.50 kWh back; 40 quarter-hours with readings."""
        day = date_format(timezone.localtime(self.start), "j F")
        texts = {"import": _("%(energy)s in"), "export": _("%(energy)s back")}
        parts = [texts[one.name] % {"energy": kwh(one.wh)} for one in self.totals if one.wh is not None]
        count = len(self.rows)
        parts.append(
            ngettext("%(count)d quarter-hour with readings", "%(count)d quarter-hours with readings", count)
            % {"count": count}
        )
        return _("On %(day)s: %(parts)s.") % {"day": day, "parts": "; ".join(parts)}

    @cached_property
    def lines(self) -> list[QuarterRow]:
        """From the first quarter in which something was read to the last."""
        told = [place for place, (_at, row) in enumerate(self.grid) if row]
        shown = self.grid[told[0] : told[-1] + 1] if told else []
        return [QuarterRow(quarter_label(at), row, _falls(row)) for at, row in shown]

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        return register_drawing(self._chart(WIDE), WIDE), register_drawing(self._chart(NARROW), NARROW)

    def _chart(self, sheet: Sheet) -> RegisterChart:
        return RegisterChart(
            id="quarters",
            title=_("Power and energy per quarter of an hour. %(finding)s") % {"finding": self.summary},
            start=self.start,
            end=self.end,
            power_name=_("Power: in above the line, out below it"),
            powers=[
                Power(
                    row.starts_at,
                    row.starts_at + QUARTER,
                    row.mean_import_w or 0.0,
                    row.mean_export_w or 0.0,
                    row.max_import_w or 0.0,
                    row.max_export_w or 0.0,
                )
                for row in self.rows
                if row.mean_import_w is not None or row.mean_export_w is not None
            ],
            panels=[
                Panel(
                    _("%(register)s, kWh since midnight") % {"register": register_name(name)},
                    list(_rises(name, self.grid)),
                )
                for name in REGISTERS
            ],
            bands=list(self._bands()),
        )

    def _bands(self) -> Iterator[Band]:
        number = 0
        for at, row in self.grid:
            for panel, name in enumerate(REGISTERS):
                if row and _fall(row, name):
                    number += 1
                    yield Band(number, at, at + QUARTER, panel)


def quarter_label(at: datetime) -> str:
    """18:15; with the name of the zone in an hour that comes twice, as when summer time ends."""
    local = timezone.localtime(at)
    around = {timezone.localtime(at + step * 4 * QUARTER).hour for step in (-1, 1)}
    return f"{local:%H:%M} {local:%Z}" if local.hour in around else f"{local:%H:%M}"


def _energy(row: QuarterHour, name: Name) -> float | None:
    return row.import_wh if name == "import" else row.export_wh


def _fall(row: QuarterHour, name: Name) -> str:
    return row.import_fall if name == "import" else row.export_fall


def _total(name: Name, rows: Sequence[QuarterHour]) -> Total:
    known = [energy for row in rows if (energy := _energy(row, name)) is not None]
    return Total(name, sum(known) if known else None, len(rows) - len(known))


def _rises(name: Name, grid: Sequence[tuple[datetime, QuarterHour | None]]) -> Iterator[list[Value]]:
    """What the register rose since midnight, as lines that end where a quarter is not known."""
    total_wh = 0.0
    line: list[Value] = []
    for at, row in grid:
        energy = _energy(row, name) if row else None
        if energy is None:
            if line:
                yield line
            line = []
            continue
        line = line or [(at, total_wh)]
        total_wh += energy
        line.append((at + QUARTER, total_wh))
    if line:
        yield line


def _falls(row: QuarterHour | None) -> tuple[str, ...]:
    """Export (2.8.0) began again at 0."""
    falls = [(name, _fall(row, name)) for name in REGISTERS] if row else []
    return tuple(f"{register_name(name)} {SHORT[What(fall)]}" for name, fall in falls if fall)
