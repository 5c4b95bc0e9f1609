"""The driver's own sessions by month, with what they cost, and as a table to take along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.pages.csv_download import csv_download
from portal.pages.driver.notices import notices_of
from portal.pages.driver.session_list import MY_SESSIONS, Line, PeriodFilter, lines_of
from portal.pages.driver.words import card_name
from portal.tables.listing import Listing
from stations.models import ChargingSession, Token

State = ChargingSession.State
MOST_RUNNING = 20  # of one driver at once


@dataclass(frozen=True, slots=True)
class Total:
    """A whole month: `cost` is None where nothing has a price, or in more than one currency; `unpriced` have none."""

    count: int
    import_wh: float | None
    cost: Decimal | None = None
    currency: str = ""
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Month:
    """A group of the list, with the totals of the whole month, also of what stands on another page."""

    label: str
    total: Total
    lines: Sequence[Line]


def own_sessions(request: HttpRequest) -> QuerySet[ChargingSession]:
    """With all that a page says of their place."""
    sessions = ChargingSession.objects.of_driver(request.user)
    return sessions.select_related("station__site__operator").prefetch_related("station__evses")


@require_safe
def sessions(request: HttpRequest) -> HttpResponseBase:
    """All own sessions: what runs now, then the others by month."""
    now, mine = timezone.now(), ChargingSession.objects.of_driver(request.user)
    totals = _totals(mine)
    form = _filter(request, totals)
    found = form.within(own_sessions(request))
    # What runs stands above the months; in a file it is a row as any other.
    rows = found if "export" in request.GET else found.exclude(state=State.ACTIVE)
    listing = Listing(MY_SESSIONS, request, rows, filters=form, lines=partial(lines_of, now=now))
    if answer := listing.answer():
        return answer
    running = found.filter(state=State.ACTIVE).order_by("-started_at", "-pk")[:MOST_RUNNING]
    lines = lines_of([*running, *listing.page.object_list], now=now)
    context = {
        "listing": listing,
        "active": [line for line in lines if line.is_active],
        "months": _grouped(
            [line for line in lines if not line.is_active],
            _totals(form.of_card(mine)) if form.is_of_card else totals,
        ),
        "now": now,
        "notices": notices_of(request.user, now=now),
    }
    return render(request, "pages/driver/sessions.html", context)


def _filter(request: HttpRequest, totals: Mapping[date, Total]) -> PeriodFilter:
    """With the months in which a session ended, and the own cards."""
    cards = Token.objects.filter(user=request.user.pk).select_related("operator")
    form = PeriodFilter(
        request.GET,
        months=sorted(totals, reverse=True),
        cards=[(str(card.pk), card_name(card)) for card in cards],
    )
    form.is_valid()  # what is no choice narrows nothing
    return form


@require_safe
def sessions_csv(request: HttpRequest) -> HttpResponse:
    """The same sessions as a table: energies in kWh, import and export apart; times with their zone."""
    mine = ChargingSession.objects.of_driver(request.user)
    found = list(_filter(request, _totals(mine)).within(own_sessions(request)).order_by("-started_at", "-pk"))

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
        for line in lines_of(found, now=timezone.now()):
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


def _totals(mine: QuerySet[ChargingSession]) -> dict[date, Total]:
    rows = (
        mine.filter(state=ChargingSession.State.ENDED, started_at__isnull=False)
        .annotate(month=TruncMonth("started_at"))
        .order_by()
        .values("month")
        .annotate(
            count=Count("pk"),
            energy=Sum(F("end_import_wh") - F("start_import_wh")),
            cost=Sum("cost_incl_tax"),
            priced=Count("cost_incl_tax"),
            currencies=Count("cost_currency", distinct=True, filter=Q(cost_incl_tax__isnull=False)),
            currency=Max("cost_currency"),
        )
    )
    return {row["month"].date(): _total(row) for row in rows}


def _total(row: Mapping[str, Any]) -> Total:
    is_one = row["currencies"] == 1
    return Total(
        row["count"],
        row["energy"],
        row["cost"] if is_one else None,
        row["currency"] if is_one else "",
        row["count"] - row["priced"],
    )


def _grouped(lines: Sequence[Line], totals: Mapping[date, Total]) -> list[Month]:
    months = []
    for month, inside in groupby(lines, key=lambda line: _month_of(line.session)):
        own = list(inside)
        alone = Total(len(own), None)
        label = date_format(month, "F Y") if month else _("Start not known")
        months.append(Month(label, totals.get(month, alone) if month else alone, own))
    return months


def _month_of(session: ChargingSession) -> date | None:
    if session.started_at is None:
        return None
    return timezone.localtime(session.started_at).date().replace(day=1)


def _iso(moment: datetime | None) -> str:
    return timezone.localtime(moment).isoformat() if moment else ""


def _kwh(energy_wh: float | None) -> object:
    return "" if energy_wh is None else round(energy_wh / 1000, 3)
