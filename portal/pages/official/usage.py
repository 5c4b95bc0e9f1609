"""The use of a municipality's charging points, by month and area: sums about enough people, and never a session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.compliance.permissions import officials_only
from portal.compliance.usage import shown
from portal.compliance.usage_model import UsageMonth
from portal.pages.official.usage_chart import Bar, drawings
from portal.tables.columns import Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import kw, kwh, percent, rounded
from stations.models import Municipality

if TYPE_CHECKING:
    from portal.accounts.models import User

TOO_FEW = gettext_lazy("too few to show")
NOT_KNOWN = gettext_lazy("not known")
MOST_ROWS = 20_000
Figure = int | float | None


@dataclass(frozen=True, slots=True)
class Line:
    """An area in a month. Every figure is None where it may not be told, or is not known."""

    row: UsageMonth
    is_shown: bool

    @property
    def area(self) -> str:
        if self.row.is_whole:
            return _("All of %(municipality)s") % {"municipality": self.row.municipality.name}
        return self.row.area or _("Area not known")

    @property
    def month(self) -> str:
        return month_name(self.row.month)

    @property
    def sessions(self) -> int | None:
        return self.row.sessions if self.is_shown else None

    @property
    def energy_wh(self) -> float | None:
        return self.row.energy_wh if self._has(self.row.metered) else None

    @property
    def mean_w(self) -> float | None:
        """Over the whole time that cars were connected."""
        return self.row.energy_wh / self.row.hours if self._has(self.row.metered) and self.row.hours else None

    @property
    def limited(self) -> float | None:
        """A share of one."""
        return self.row.limited / self.row.judged if self._has(self.row.judged) else None

    def _has(self, known: int) -> bool:
        """A figure of fewer sessions than the minimum is none to tell either."""
        return self.is_shown and known >= settings.USAGE_MIN_GROUP

    def why_not(self) -> str | Lazy:
        return NOT_KNOWN if self.is_shown else TOO_FEW


class UsageFilter(forms.Form):
    municipality = forms.ModelChoiceField(
        required=False,
        queryset=Municipality.objects.none(),
        to_field_name="slug",
        label=gettext_lazy("Municipality"),
        empty_label=None,
    )
    month = forms.ChoiceField(required=False, label=gettext_lazy("Month"))
    area = forms.ChoiceField(required=False, label=gettext_lazy("Area"))

    def __init__(
        self, data: Any, *, municipalities: Sequence[Municipality], rows: Sequence[UsageMonth]
    ) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["municipality"].queryset = Municipality.objects.filter(
            pk__in=[one.pk for one in municipalities]
        )
        if len(municipalities) < 2:
            del fields["municipality"]
        months = sorted({row.month for row in rows}, reverse=True)
        areas = sorted({row.area for row in rows if row.area})
        fields["month"].choices = [("", _("all")), *((f"{at:%Y-%m}", month_name(at)) for at in months)]
        fields["area"].choices = [("", _("all")), *((area, area) for area in areas)]
        self.is_valid()

    def has(self, line: Line) -> bool:
        """A choice that is none narrows nothing."""
        month, area = self.cleaned_data.get("month"), self.cleaned_data.get("area")
        if month and f"{line.row.month:%Y-%m}" != month:
            return False
        return not area or (line.row.area == area and not line.row.is_whole)


@require_safe
@officials_only
def usage(request: HttpRequest) -> HttpResponseBase:
    user = cast("User", request.user)
    municipalities = list(Municipality.objects.supervised_by(user).order_by("name"))
    chosen = _chosen(municipalities, request.GET.get("municipality", ""))
    rows = list(
        UsageMonth.objects.supervised_by(user)
        .filter(municipality=chosen)
        .select_related("municipality")[:MOST_ROWS]
    )
    lines = lines_of(rows)
    form = UsageFilter(request.GET, municipalities=municipalities, rows=rows)
    found = [line for line in lines if form.has(line)]
    listing = Listing(USAGE, request, found, filters=form)
    if answer := listing.answer():
        return answer
    bars = _bars(lines, form.cleaned_data.get("area", ""))
    context = {
        "municipality": chosen,
        "listing": listing,
        "minimum": settings.USAGE_MIN_GROUP,
        "drawings": drawings(bars, summary(bars)),
        "summary": summary(bars),
        "area": form.cleaned_data.get("area", ""),
    }
    return render(request, "pages/official/usage.html", context)


def _chosen(municipalities: Sequence[Municipality], slug: str) -> Municipality | None:
    named = (one for one in municipalities if one.slug == slug)
    return next(named, municipalities[0] if municipalities else None)


def lines_of(rows: Sequence[UsageMonth]) -> list[Line]:
    """Of one municipality, all areas of each month that is in them: which may be shown depends on the others."""
    months: dict[date, list[UsageMonth]] = defaultdict(list)
    for row in rows:
        months[row.month].append(row)
    return [line for month in months.values() for line in _month(month)]


def _month(rows: Sequence[UsageMonth]) -> Iterator[Line]:
    areas = [row for row in rows if not row.is_whole]
    for whole in (row for row in rows if row.is_whole):
        is_shown, each = shown(whole, areas, settings.USAGE_MIN_GROUP)
        yield Line(whole, is_shown)
        yield from (Line(row, is_large) for row, is_large in zip(areas, each, strict=True))


def _bars(lines: Sequence[Line], area: str) -> list[Bar]:
    """Energy by month of an area, or of the whole; the oldest first."""
    chosen = [line for line in lines if (line.row.area == area if area else line.row.is_whole)]
    return [
        Bar(short_month(line.row.month), None if line.energy_wh is None else line.energy_wh / 1000)
        for line in sorted(chosen, key=lambda line: line.row.month)
    ]


def summary(bars: Sequence[Bar]) -> str:
    known = [bar for bar in bars if bar.kwh is not None]
    if not known:
        return _("There is no month of which there is enough to show.")
    most = max(known, key=lambda bar: bar.kwh or 0)
    return _("Most was charged in %(month)s: %(energy)s.") % {
        "month": most.label,
        "energy": kwh((most.kwh or 0) * 1000),
    }


def month_name(at: date) -> str:
    return date_format(at, "F Y")


def short_month(at: date) -> str:
    return date_format(at, _("M Y"))


# ---------------------------------------------------------------- the columns


def _figure(value: Callable[[Line], Figure], words: Callable[[Any], str]) -> Callable[[Line], Cell]:
    def cell(line: Line) -> Cell:
        found = value(line)
        return Cell(line.why_not(), muted=True) if found is None else Cell(words(found))

    return cell


def _out(value: Callable[[Line], Figure], divisor: float = 1, decimals: int = 0) -> Callable[[Line], Any]:
    def told(line: Line) -> Any:
        found = value(line)
        if found is None:
            return line.why_not()
        return round(found / divisor, decimals) if decimals else found

    return told


USAGE = registered(
    List(
        key="usage",
        title=gettext_lazy("Use by month and area"),
        sort="-month",
        page_size=50,
        nothing=Empty(
            gettext_lazy("No month was counted yet"),
            gettext_lazy("A month is counted within a quarter of an hour after its end."),
        ),
        no_match=Empty(
            gettext_lazy("Nothing fits these filters"), gettext_lazy("Choose another month or area.")
        ),
        columns=(
            Column(
                "month",
                gettext_lazy("Month"),
                lambda line: Cell(line.month),
                rank=lambda line: (line.row.month, line.row.is_whole),
                most_first=True,
                outs=(Out(gettext_lazy("Month"), lambda line: f"{line.row.month:%Y-%m}"),),
            ),
            Column(
                "area",
                gettext_lazy("Area"),
                lambda line: Cell(line.area),
                rank=lambda line: (not line.row.is_whole, line.row.area),
                outs=(Out(gettext_lazy("Area"), lambda line: line.area),),
            ),
            Column(
                "sessions",
                gettext_lazy("Sessions"),
                _figure(lambda line: line.sessions, lambda count: rounded(count, 0)),
                # What is not shown has no place in an order either: that would tell of it.
                rank=lambda line: line.sessions,
                most_first=True,
                numeric=True,
                outs=(Out(gettext_lazy("Sessions"), _out(lambda line: line.sessions)),),
            ),
            Column(
                "energy",
                gettext_lazy("Energy"),
                _figure(lambda line: line.energy_wh, kwh),
                rank=lambda line: line.energy_wh,
                most_first=True,
                numeric=True,
                outs=(Out(gettext_lazy("Energy"), _out(lambda line: line.energy_wh, 1000, 2), "kWh"),),
            ),
            Column(
                "limited",
                gettext_lazy("Sessions under a limit"),
                _figure(lambda line: line.limited, percent),
                rank=lambda line: line.limited,
                most_first=True,
                numeric=True,
                outs=(
                    Out(
                        gettext_lazy("Sessions under a limit"), _out(lambda line: line.limited, 0.01, 1), "%"
                    ),
                ),
            ),
            Column(
                "power",
                gettext_lazy("Mean power"),
                _figure(lambda line: line.mean_w, kw),
                rank=lambda line: line.mean_w,
                most_first=True,
                numeric=True,
                outs=(Out(gettext_lazy("Mean power"), _out(lambda line: line.mean_w, 1000, 2), "kW"),),
            ),
        ),
    )
)
