"""The page of a station's two registers over a day: what they said, the power beside them, and what stands out.

A day that is over is shown in quarter-hours (portal.pages.register_quarters), today reading by reading; either can be
asked for.

`v2x.registers` reads and marks; here it gets its words, its chart and its table (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.compliance.checks import registers as registers_check
from portal.pages.charts import Drawing, day_of
from portal.pages.csv_download import csv_download
from portal.pages.register_chart import NARROW, WIDE, Band, Panel, RegisterChart, Sheet, register_drawing
from portal.pages.register_quarters import (
    COLUMNS,
    QuarterDay,
    evses_with_quarters,
    quarter_label,
    quarters_of,
)
from portal.pages.register_words import CODES, NAMES, SHORT, day_summary, mark_text, register_name
from portal.pages.station import Visit, page, visit
from portal.pages.station_compliance import Duty, duties_of
from portal.templatetags.measures import duration
from smartcharging.day_fields import DayField
from stations.domain.quarters import QUARTER
from stations.models import QuarterHour, Station
from v2x.domain.registers import BREAKS, MISSED, Mark, Register, What
from v2x.domain.series import Column, columns_of, lines_of, powers_of
from v2x.registers import RegisterSeries, evses_that_measured, register_series

ROWS_A_PAGE = 24
MARKS_SHOWN = 20
MAIN_METER = 0
STRETCHES = frozenset({What.GAP, What.COUNTED_BACK, What.LATE})
FIRST_DAY = date(2000, 1, 1)
READINGS, QUARTERS = "readings", "quarters"
VIEWS = [(QUARTERS, gettext_lazy("Per quarter of an hour")), (READINGS, gettext_lazy("Every reading"))]


class RegisterFilter(forms.Form):
    """Which day, which meter."""

    day = DayField(required=False, label=gettext_lazy("Day"))
    evse = forms.TypedChoiceField(required=False, coerce=int, label=gettext_lazy("Meter"))
    view = forms.ChoiceField(required=False, choices=VIEWS)
    only = forms.BooleanField(required=False, label=gettext_lazy("Only what stands out"))

    def __init__(self, data: Any, *, meters: list[tuple[int, str]]) -> None:
        super().__init__(data)
        self.fields["evse"].choices = meters  # type: ignore[attr-defined]  # of a choice field


@dataclass(frozen=True, slots=True)
class Row:
    """A quarter of an hour in the table; `label` is its time, and tells a doubled hour apart."""

    label: str
    column: Column
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What stands out, as a line of the list."""

    number: int
    mark: Mark
    short: str
    text: str
    is_bad: bool


@dataclass(frozen=True)
class RegisterDay:
    """One day of one meter, as the page shows it."""

    series: RegisterSeries
    now: datetime

    @cached_property
    def summary(self) -> str:
        return day_summary(self.series)

    @property
    def registers(self) -> list[tuple[str, str, Register]]:
        return [(CODES[name], str(NAMES[name]), register) for name, register in self.series.registers.items()]

    @cached_property
    def remarks(self) -> list[Remark]:
        return [
            Remark(number, mark, str(SHORT[mark.what]), mark_text(mark), mark.what in BREAKS)
            for number, mark in enumerate(self.series.marks, start=1)
        ]

    @property
    def interval(self) -> str:
        """How often the meter was read, as far as the day shows it."""
        found = self.series.interval
        seconds = found.session_s or found.clock_s
        return "" if seconds is None else duration(seconds)

    @property
    def gap_after(self) -> str:
        seconds = self.series.interval.longest_s(in_session=True)
        return "" if seconds is None else duration(seconds)

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        return register_drawing(self._chart(WIDE), WIDE), register_drawing(self._chart(NARROW), NARROW)

    def _chart(self, sheet: Sheet) -> RegisterChart:
        series, columns = self.series, sheet.columns
        start, end = series.start, series.end
        gaps = [mark.start for mark in series.marks if mark.what == What.GAP]
        panels = [
            Panel(
                _("%(register)s, kWh") % {"register": register_name(name)},
                lines_of(values, start=start, end=end, columns=columns, parted_at=gaps),
            )
            for name, values in series.values.items()
        ]
        places = {name: place for place, name in enumerate(series.values)}
        powers = powers_of(
            series.samples,
            start=start,
            end=end,
            columns=columns,
            interval=series.interval,
            until=series.until,
        )
        bands = [
            Band(
                item.number,
                item.mark.start,
                item.mark.end,
                places[item.mark.register] if item.mark.register else None,
            )
            for item in self.remarks
        ]
        return RegisterChart(
            id="registers",
            title=_("Power and both registers. %(finding)s") % {"finding": self.summary},
            start=start,
            end=end,
            power_name=_("Power: in above the line, out below it"),
            powers=powers,
            panels=panels,
            bands=bands,
            now=self.now if start <= self.now < end else None,
        )

    def rows(self, *, only_marked: bool) -> list[Row]:
        """The day in quarters from its first reading to its last; of a whole day 92, 96 or 100 of them."""
        series = self.series
        if not series.samples:
            return []
        rows = [
            Row(quarter_label(column.start), column, self._marks_in(column))
            for column in columns_of(series.samples, start=series.start, until=series.until, width=QUARTER)
        ]
        if only_marked:
            return [row for row in rows if row.marks]
        told = [place for place, row in enumerate(rows) if _has_reading(row.column)]
        return rows[told[0] : told[-1] + 1] if told else []

    def _marks_in(self, column: Column) -> tuple[str, ...]:
        inside = [SHORT[mark.what] for mark in self.series.marks if _is_in(mark, column)]
        return tuple(dict.fromkeys(str(text) for text in inside))


def _has_reading(column: Column) -> bool:
    measured = (column.import_wh, column.export_wh, column.import_w, column.export_w)
    return any(value is not None for value in measured)


def _is_in(mark: Mark, column: Column) -> bool:
    """A stretch is in every row that it touches; what one reading shows is in the row of that reading."""
    if mark.what in STRETCHES:
        return mark.start < column.end and mark.end >= column.start
    return column.start <= mark.end < column.end


@dataclass(frozen=True, slots=True)
class Asked:
    """What the visitor wants to see: a day from midnight to midnight, and a meter."""

    form: RegisterFilter
    day: date
    start: datetime
    end: datetime
    evse: int
    only_marked: bool
    view: str  # READINGS, QUARTERS, or empty: as the day asks for


@require_safe
@vary_on_headers("HX-Request")
def registers(request: HttpRequest, identity: str) -> HttpResponse:
    """The two registers of a meter over a day, with the power beside them."""
    visited = visit(request, identity)
    asked = _asked(request, visited)
    quarters = _quarters(asked, visited)
    if quarters is not None:
        return page(
            request, visited, "registers", _quarters_shown(request, visited, asked, quarters), part="quarters"
        )
    day = RegisterDay(_series(asked, visited), visited.now)
    context = {
        **_around(asked, visited, READINGS),
        "day": day,
        "remarks": day.remarks[:MARKS_SHOWN],
        "duty": _duty(visited),
        "more_remarks": max(0, len(day.remarks) - MARKS_SHOWN),
        "missed": MISSED,
        "page": Paginator(day.rows(only_marked=asked.only_marked), ROWS_A_PAGE).get_page(
            request.GET.get("page")
        ),
    }
    return page(request, visited, "registers", context)


@require_safe
def registers_csv(request: HttpRequest, identity: str) -> HttpResponse:
    """What the page shows of that day and meter: its quarter-hours, or every reading as it came; times in UTC."""
    visited = visit(request, identity)
    asked = _asked(request, visited)
    quarters = _quarters(asked, visited)
    if quarters is not None:
        return _quarters_csv(quarters, f"{identity}-quarter-hours-{asked.day:%Y-%m-%d}-{asked.evse}.csv")
    series = _series(asked, visited)

    def rows() -> Iterator[list[object]]:
        yield [
            "sampled_at",
            "evse",
            "context",
            "import_wh",
            "export_wh",
            "import_w",
            "export_w",
            "stands_out",
        ]
        for sample in series.samples:
            measured = [sample.import_wh, sample.export_wh, sample.import_w, sample.export_w]
            found = " ".join(sorted(series.marked.get(sample.at, ())))
            yield [sample.at.isoformat(), series.evse, sample.context, *map(_cell, measured), found]

    return csv_download(rows(), f"{identity}-registers-{asked.day:%Y-%m-%d}-{asked.evse}.csv")


def _quarters(asked: Asked, visited: Visit) -> list[QuarterHour] | None:
    """The quarter-hours to show; None: the readings. Of today some are still to be made, so it shows its readings."""
    is_over = asked.end + QUARTER <= visited.now  # so long it takes until the last quarter is made
    if asked.view == READINGS or (not asked.view and not is_over):
        return None
    found = quarters_of(visited.station, evse=asked.evse, start=asked.start, end=asked.end)
    return found if found or asked.view == QUARTERS else None


def _quarters_shown(
    request: HttpRequest, visited: Visit, asked: Asked, quarters: list[QuarterHour]
) -> dict[str, Any]:
    day = QuarterDay(quarters, asked.start, asked.end)
    return {
        **_around(asked, visited, QUARTERS),
        "day": day,
        "duty": _duty(visited),
        "page": Paginator(day.lines, ROWS_A_PAGE).get_page(request.GET.get("page")),
    }


def _quarters_csv(quarters: list[QuarterHour], name: str) -> HttpResponse:
    def rows() -> Iterator[list[object]]:
        yield ["starts_at", "evse", *COLUMNS[2:]]
        for row in quarters:
            yield [row.starts_at.isoformat(), *(_cell(getattr(row, column)) for column in COLUMNS[1:])]

    return csv_download(rows(), name)


def _around(asked: Asked, visited: Visit, view: str) -> dict[str, Any]:
    """What leads to other days, and to the same day at another resolution."""
    today = timezone.localdate(visited.now)
    return {
        "asked": asked,
        "view": view,
        "views": VIEWS,
        "day_before": asked.day - timedelta(days=1) if asked.day > FIRST_DAY else None,
        "day_after": asked.day + timedelta(days=1) if asked.day < today else None,
    }


def _duty(visited: Visit) -> Duty | None:
    """What is proven of requirement 211, that import and export have registers of their own."""
    duties = duties_of(visited.station, now=visited.now)
    return next((duty for duty in duties if duty.requirement.code == registers_check.CODE), None)


def _series(asked: Asked, visited: Visit) -> RegisterSeries:
    return register_series(
        visited.station, evse=asked.evse, start=asked.start, end=asked.end, now=visited.now
    )


def _asked(request: HttpRequest, visited: Visit) -> Asked:
    """A day that is none is today; without a meter it is the first that measured on that day."""
    station = visited.station
    form = RegisterFilter(request.GET or None, meters=_meters(station))
    form.is_valid()
    chosen = form.cleaned_data if form.is_bound else {}
    today = timezone.localdate(visited.now)
    day = min(max(chosen.get("day") or today, FIRST_DAY), today)
    noon = datetime.combine(day, time(12), tzinfo=timezone.get_current_timezone())
    start, end = day_of(noon.astimezone(UTC))
    evse = chosen.get("evse")
    if not isinstance(evse, int):
        evse = _first_meter(station, start, end)
    form.initial = {"day": day, "evse": evse}
    return Asked(form, day, start, end, evse, bool(chosen.get("only")), chosen.get("view", ""))


def _meters(station: Station) -> list[tuple[int, str]]:
    sockets = [
        (evse.number, _("Socket %(letter)s") % {"letter": evse.letter}) for evse in station.evses.all()
    ]
    return [*sockets, (MAIN_METER, _("Main meter"))]


def _first_meter(station: Station, start: datetime, end: datetime) -> int:
    measured = evses_that_measured(station, start=start, end=end) or evses_with_quarters(
        station, start=start, end=end
    )
    numbers = [evse.number for evse in station.evses.all()]
    return next((number for number in [*numbers, MAIN_METER] if number in measured), min(numbers, default=1))


def _cell(value: float | None) -> object:
    return "" if value is None else value
