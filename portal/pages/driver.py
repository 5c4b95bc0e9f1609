"""The driver's pages: the own sessions, one of them in plain words, both as a table to take along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Count, F, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.csv_download import csv_download
from portal.pages.driver_session import driver_session, length_of
from portal.pages.energy import Energy, energies_of
from portal.pages.hub import hub
from stations.costs import SessionCost, costs_of
from stations.models import ChargingSession

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A session in the list."""

    session: ChargingSession
    place: str
    socket: str
    energy: Energy
    cost: SessionCost
    length: str

    @property
    def is_active(self) -> bool:
        return self.session.state == ChargingSession.State.ACTIVE


@dataclass(frozen=True, slots=True)
class Month:
    """A group of the list, with the totals of the whole month, also of what stands on another page."""

    label: str
    count: int
    import_wh: float | None
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


def _own(request: HttpRequest) -> QuerySet[ChargingSession]:
    sessions = ChargingSession.objects.of_driver(request.user)
    return sessions.select_related("station__site__operator").prefetch_related("station__evses")


@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """All own sessions, what runs now first, then by month."""
    chosen = _chosen(request)
    months = list(
        ChargingSession.objects.of_driver(request.user).datetimes("started_at", "month", order="DESC")
    )
    running_first = Case(When(state=ChargingSession.State.ACTIVE, then=Value(0)), default=Value(1))
    found = _within(_own(request), chosen).order_by(running_first, "-started_at", "-pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = _lines(list(page.object_list))
    ended = [line for line in lines if not line.is_active]
    context = {
        "page": page,
        "active": [line for line in lines if line.is_active],
        "months": _grouped(ended, _totals(request)),
        "choices": _choices(months),
        "chosen": chosen,
        "has_any": bool(months),
    }
    return render(request, "pages/driver/sessions.html", context)


@require_safe
def sessions_csv(request: HttpRequest) -> HttpResponse:
    """The same sessions as a table: energies in kWh, import and export apart; times with their zone."""
    found = list(_within(_own(request), _chosen(request)))

    def rows() -> Iterator[list[object]]:
        yield [
            "start",
            "end",
            "place",
            "station",
            "charged_kwh",
            "returned_kwh",
            "price_per_kwh",
            "cost",
            "cost_excl_tax",
            "currency",
        ]
        for line in _lines(found):
            session, cost = line.session, line.cost
            yield [
                _iso(session.started_at),
                _iso(session.ended_at),
                line.place,
                session.station.identity,
                _kwh(line.energy.import_wh),
                _kwh(line.energy.export_wh),
                cost.price_per_kwh,
                cost.incl_tax,
                cost.excl_tax,
                cost.currency,
            ]

    return csv_download(rows(), "sessions.csv")


@require_safe
@vary_on_headers("HX-Request")
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """One own session; another's is not found."""
    found = get_object_or_404(_own(request), pk=pk)
    live_id = hub.mark(found.station_id)
    now = timezone.now()
    told = driver_session(found, now=now)
    context = {
        "told": told,
        "session": found,
        "place": found.station.label,
        "socket": _socket(found),
        "length": length_of(found, now),
        "live_id": live_id,
        "now": now,
        "crumbs": [(_("My sessions"), reverse("driver:sessions")), (found.station.label, "")],
    }
    template = "_session.html" if request.headers.get("HX-Request") else "session.html"
    return render(request, f"pages/driver/{template}", context)


@require_safe
def power_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The power of an own session as its chart has it, with the limit that held; times in UTC."""
    found = get_object_or_404(_own(request), pk=pk)
    told = driver_session(found, now=timezone.now())

    def rows() -> Iterator[list[object]]:
        yield ["sampled_at", "import_w", "export_w", "limit_w"]
        for sample in told.samples:
            held = told.limits.at(sample.at) if told.limits else None
            yield [sample.at.isoformat(), sample.import_w, sample.export_w, held.limit_w if held else ""]

    return csv_download(rows(), f"session-{found.pk}.csv")


def _chosen(request: HttpRequest) -> str:
    """A year ("2026") or a month ("2026-11"); anything else is no choice."""
    text = request.GET.get("period", "")
    year, _dash, month = text.partition("-")
    if len(year) == 4 and year.isdecimal() and (not month or (month.isdecimal() and 1 <= int(month) <= 12)):
        return text
    return ""


def _within(rows: QuerySet[ChargingSession], chosen: str) -> QuerySet[ChargingSession]:
    if not chosen:
        return rows
    year, _dash, month = chosen.partition("-")
    rows = rows.filter(started_at__year=int(year))
    return rows.filter(started_at__month=int(month)) if month else rows


def _choices(months: Sequence[Any]) -> list[Choice]:
    """Every year and every month in which there is a session, the newest first."""
    choices = []
    for year, inside in groupby(months, key=lambda month: month.year):
        choices.append(Choice(str(year), str(year)))
        choices += [Choice(f"{month:%Y-%m}", date_format(month, "F Y")) for month in inside]
    return choices


def _totals(request: HttpRequest) -> dict[date, tuple[int, float | None]]:
    rows = (
        ChargingSession.objects.of_driver(request.user)
        .filter(state=ChargingSession.State.ENDED, started_at__isnull=False)
        .annotate(month=TruncMonth("started_at"))
        .order_by()
        .values("month")
        .annotate(count=Count("pk"), energy=Sum(F("end_import_wh") - F("start_import_wh")))
    )
    return {row["month"].date(): (row["count"], row["energy"]) for row in rows}


def _grouped(lines: Sequence[Line], totals: dict[date, tuple[int, float | None]]) -> list[Month]:
    months = []
    for month, inside in groupby(lines, key=lambda line: _month_of(line.session)):
        own = list(inside)
        count, energy = totals.get(month, (len(own), None)) if month else (len(own), None)
        label = date_format(month, "F Y") if month else _("Start not known")
        months.append(Month(label, count, energy, own))
    return months


def _month_of(session: ChargingSession) -> date | None:
    if session.started_at is None:
        return None
    return timezone.localtime(session.started_at).date().replace(day=1)


def _lines(sessions: Sequence[ChargingSession]) -> list[Line]:
    energies = energies_of(sessions)
    now = timezone.now()
    costs = costs_of(sessions, now=now)
    lines = []
    for session in sessions:
        energy = energies[session.pk]
        cost = costs[session.pk]
        lines.append(
            Line(session, session.station.label, _socket(session), energy, cost, length_of(session, now))
        )
    return lines


def _socket(session: ChargingSession) -> str:
    evses = {evse.number: evse.letter for evse in session.station.evses.all()}
    return evses.get(session.evse_number or 0, "")


def _iso(moment: Any) -> str:
    return timezone.localtime(moment).isoformat() if moment else ""


def _kwh(energy_wh: float | None) -> object:
    return "" if energy_wh is None else round(energy_wh / 1000, 3)
